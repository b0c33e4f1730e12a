"""The built-in log of a whole process: lines before its end, and a stderr that nobody reads."""

import re
import signal
import subprocess
import unittest

from programs import TIMEOUT

PROGRAM = "log_program"
COUNT = 100_000


def lines_of(stream):
    return stream.decode().replace("\r\n", "\n").splitlines()


def lines(count, text="line"):
    return [f"netcore: error: {text} {number}" for number in range(count)]


def told_dropped(printed):
    pattern = re.compile(r"netcore: warning: (\d+) log lines? w\w+ dropped: .*")
    found = [pattern.fullmatch(line) for line in printed]
    return sum(int(match.group(1)) for match in found if match), sum(1 for match in found if match)


class LogCases(unittest.TestCase):
    programs = None

    def start(self, *arguments):
        process = subprocess.Popen(
            self.programs.command(PROGRAM, *arguments),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def ends(self, how, printed, status=3):
        result = self.programs.run(PROGRAM, how, 500)
        self.assertEqual((result.returncode, lines_of(result.stderr)), (status, printed))

    def test_lines_before_an_end_are_written(self):
        for how in ("return", "exit", "exit-of-thread"):
            with self.subTest(how):
                self.ends(how, lines(500))

    def test_a_line_of_a_static_destructor_is_written(self):
        self.ends("late", lines(500) + lines(1, "static destructor"))

    def test_a_full_pipe_holds_nobody_up_and_each_line_is_written_or_told(self):
        process = self.start("wait", COUNT)
        self.assertEqual(process.stdout.readline().strip(), b"written")  # and nothing was read
        process.stdin.close()
        printed = lines_of(process.stderr.read())
        self.assertEqual(process.wait(TIMEOUT), 3)
        dropped, told = told_dropped(printed)
        self.assertEqual(len(printed) - told + dropped, COUNT + 1)
        self.assertGreater(dropped, 0)
        self.assertEqual(printed[0], "netcore: error: line 0")
        process.stdout.close()
        process.stderr.close()

    def test_a_full_pipe_does_not_keep_a_process_from_ending(self):
        for how in ("return", "exit", "late"):
            with self.subTest(how):
                process = self.start(how, COUNT)
                self.assertEqual(process.wait(TIMEOUT), 3)
                process.stdin.close()
                process.stdout.close()
                process.stderr.close()


class LinuxLogCases(LogCases):
    def test_lines_before_a_quick_exit_are_written(self):
        self.ends("quick-exit", lines(500))

    def test_a_forked_child_writes_lines_of_its_own(self):
        self.ends("fork", lines(500) + lines(1, "child") + lines(1, "parent"))

    def test_a_failed_assertion_is_told_after_the_lines_before_it(self):
        result = self.programs.run(PROGRAM, "assert", 500)
        self.assertEqual(result.returncode, -signal.SIGABRT)
        printed = lines_of(result.stderr)
        self.assertEqual(printed[:-1], lines(500))
        self.assertRegex(printed[-1], r"log_program\.cpp:\d+: assertion failed: how\.empty\(\)\Z")

    def test_a_failed_assertion_ends_a_process_whose_stderr_is_not_read(self):
        process = self.start("assert", COUNT)
        self.assertEqual(process.wait(TIMEOUT), -signal.SIGABRT)
        for stream in (process.stdin, process.stdout, process.stderr):
            stream.close()

    def test_a_reader_that_is_gone_ends_nothing(self):
        process = self.start("wait", 10)
        self.assertEqual(process.stdout.readline().strip(), b"written")
        process.stderr.close()
        process.stdin.close()
        self.assertEqual(process.wait(TIMEOUT), 3)
        process.stdout.close()
