#!/usr/bin/env python3
"""A hint decides only what is tried first: what survives without it survives with it.

Usage: trial_test.py [-v]
"""

import pathlib
import signal
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import caught_by  # noqa: E402
import catch_output  # noqa: E402
from caught_by import CaughtBy  # noqa: E402
from mutations import Mutation  # noqa: E402
from trial import Baseline, BugQueue, in_order, try_bug  # noqa: E402
from work_copy import Copy, MutateError  # noqa: E402

RULE = "-" * 79


def report(name, *sections):
    lines = [RULE, name, *[f"  {section}" for section in sections], RULE, "a.cpp:1", "." * 79]
    return "\n".join(["0.100 s: earlier", *lines, "", "a.cpp:2: FAILED:"]) + "\n"


class CatchOutputTest(unittest.TestCase):
    def test_what_passes_has_no_failure(self):
        self.assertEqual(catch_output.failure(0, "0.1 s: a\nAll tests passed"), "")

    def test_a_case_that_was_not_found_is_no_failure(self):
        for text in ("No test cases matched 'a'", "No tests ran"):
            self.assertEqual(catch_output.failure(4, f"Filters: a\n{text}\n"), "")

    def test_a_failure_names_its_case(self):
        self.assertEqual(catch_output.failure(1, report("a b", "io")), 'fails in "a b io"')
        aborted = report("a b") + "netcore: assertion failed: x > 0 at a.cpp\n"
        expected = 'fails in "a b" (assertion failed: x > 0 at a.cpp)'
        self.assertEqual(catch_output.failure(-signal.SIGABRT, aborted), expected)

    def test_a_crash_without_a_report_tells_what_was_before(self):
        text = "0.100 s: first\n==1==ERROR: AddressSanitizer: heap-use-after-free on\n"
        expected = 'fails after "first" (AddressSanitizer: heap-use-after-free)'
        self.assertEqual(catch_output.failure(1, text), expected)
        self.assertEqual(catch_output.failure(-11, ""), "fails in its first test (SIGSEGV)")

    def test_a_hang_is_a_failure(self):
        self.assertEqual(catch_output.failure(None, "0.1 s: a\n"), 'hangs after "a"')

    def test_a_name_that_was_wrapped_is_found(self):
        cases = ["one", "one two", "one two/three and four", "two"]
        for name in ("one two/\nthree and four", "one two/\n  three and four"):
            text = report(name, "io")
            self.assertEqual(catch_output.named_case(text, cases), "one two/three and four")
        self.assertEqual(catch_output.failure(1, report("a\nb", "io")), 'fails in "a b io"')
        self.assertEqual(catch_output.named_case(report("one", "io_uring"), cases), "one")
        self.assertIsNone(catch_output.named_case(report("other"), cases))
        self.assertIsNone(catch_output.named_case("0.1 s: one\n", cases))

    def test_suspected_are_the_case_that_finished_last_and_the_next(self):
        cases = ["a", "b", "c"]
        self.assertEqual(catch_output.suspected_cases("", cases), ["a"])
        text = "0.1 s: a\n0.1 s: a section\n0.1 s: b\n0.2 s: a section\n"
        self.assertEqual(catch_output.suspected_cases(text, cases), ["b", "c"])

    def test_seconds_are_of_all_runs_of_a_case(self):
        seconds = catch_output.seconds_of_cases("0.100 s: a: b\n0.250 s: a: b\n1.000 s: c\nx\n")
        self.assertEqual(seconds, {"a: b": 0.35, "c": 1.0})

    def test_what_means_something_to_catch_is_escaped(self):
        self.assertEqual(catch_output.selection(r"a, [b] \c"), r"a\, \[b\] \\c")


class CaughtByTest(unittest.TestCase):
    def test_it_is_read_as_it_was_written(self):
        with tempfile.TemporaryDirectory(prefix="netcore-mutation-") as folder:
            path = pathlib.Path(folder) / "caught_by.tsv"
            self.assertEqual(caught_by.read(path), {})
            known = {"b": CaughtBy("p", "a case"), "a": CaughtBy("q", "")}
            caught_by.write(path, known)
            self.assertEqual(caught_by.read(path), known)
            self.assertEqual(path.read_text().splitlines()[1:], ["a\tq\t", "b\tp\ta case"])
            path.write_text(path.read_text() + "broken\n")
            self.assertEqual(caught_by.read(path), known)


class FakeCopy:
    """A copy whose programs fail as `failing` says: {(program, case): (status, output)}."""

    def __init__(self, tree, failing):
        self.tree = tree
        self.failing = failing
        self.ran = []
        self.made = []
        self.broken = ""
        self.planted = ""

    def make(self, program):
        self.made.append(program)
        self.planted = (self.tree / "netcore/core/box.cpp").read_text()
        return self.broken

    def test(self, program, limit_s, silence_s=None, case=""):
        self.ran.append((program, case))
        return self.failing.get((program, case), (0, ""))


CORE, PORT, SIM = "netcore_core_tests", "netcore_port_tests", "netcore_sim_tests"


class TryBugTest(unittest.TestCase):
    bug = Mutation("a_bug", "netcore/core/box.cpp", "Get", "goes wrong", "1", "2")

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="netcore-mutation-")
        self.addCleanup(folder.cleanup)
        self.tree = pathlib.Path(folder.name)
        self.file = self.tree / self.bug.file
        self.file.parent.mkdir(parents=True)
        self.file.write_text("int Get() { return 1; }\n")
        self.baseline = Baseline()
        for program in (CORE, PORT, SIM):
            self.baseline.cases[program] = ["a", "b", "c"]
            self.baseline.seconds[program] = {"a": 1.0, "b": 1.0, "c": 1.0}
            self.baseline.took[program] = 3.0

    def attempt(self, failing, hint=None, run_all=False, programs=(CORE, PORT, SIM)):
        self.copy = FakeCopy(self.tree, failing)
        return try_bug(self.copy, self.baseline, self.bug, list(programs), hint, run_all)

    def test_the_bug_is_planted_while_it_is_tried_and_gone_behind_it(self):
        self.attempt({})
        self.assertEqual(self.copy.planted, "int Get() { return 2; }\n")
        self.assertEqual(self.file.read_text(), "int Get() { return 1; }\n")

    def test_a_hint_that_catches_is_all_that_runs(self):
        hint = CaughtBy(SIM, "b")
        caught = self.attempt({(SIM, "b"): (1, report("b"))}, hint)
        self.assertEqual(caught, [(hint, 'fails in "b"')])
        self.assertEqual(self.copy.made, [SIM])
        self.assertEqual(self.copy.ran, [(SIM, "b")])

    def test_a_survivor_survives_whatever_the_hint(self):
        everything = [(CORE, ""), (SIM, ""), (PORT, "")]
        for hint in (
            None,
            CaughtBy(SIM, "b"),
            CaughtBy(SIM, "gone"),
            CaughtBy(SIM, ""),
            CaughtBy("netcore_gone_tests", "a"),
        ):
            self.assertEqual(self.attempt({}, hint), [])
            self.assertEqual(set(self.copy.ran) - {(SIM, "b")}, set(everything))

    def test_a_wrong_hint_is_followed_by_all_tests(self):
        failing = {(PORT, ""): (1, report("c"))}
        caught = self.attempt(failing, CaughtBy(CORE, "b"))
        self.assertEqual(caught, [(CaughtBy(PORT, "c"), 'fails in "c"')])
        self.assertEqual(self.copy.ran, [(CORE, "b"), (CORE, ""), (SIM, ""), (PORT, "")])

    def test_a_case_that_no_longer_exists_is_not_run(self):
        failing = {(CORE, "gone"): (1, ""), (CORE, ""): (1, report("a"))}
        caught = self.attempt(failing, CaughtBy(CORE, "gone"))
        self.assertEqual(caught[0].by, CaughtBy(CORE, "a"))
        self.assertNotIn((CORE, "gone"), self.copy.ran)

    def test_a_program_that_is_not_asked_for_is_not_run(self):
        failing = {(SIM, "b"): (1, report("b"))}
        self.assertEqual(self.attempt(failing, CaughtBy(SIM, "b"), programs=[CORE]), [])
        self.assertEqual(self.copy.ran, [(CORE, "")])

    def test_all_programs_are_run_where_that_is_asked_for(self):
        failing = {(CORE, ""): (1, report("a")), (PORT, ""): (1, report("c"))}
        caught = self.attempt(failing, CaughtBy(PORT, "c"), run_all=True)
        self.assertEqual([by for by, _ in caught], [CaughtBy(CORE, "a"), CaughtBy(PORT, "c")])

    def test_a_crash_is_blamed_on_the_case_that_crashes_alone(self):
        failing = {(CORE, ""): (1, "0.1 s: a\n"), (CORE, "b"): (1, "")}
        self.assertEqual(self.attempt(failing)[0].by, CaughtBy(CORE, "b"))

    def test_a_leak_that_shows_at_the_end_is_blamed_on_the_case_that_leaks_alone(self):
        output = "0.1 s: a\n0.1 s: b\n0.1 s: c\n==1==ERROR: LeakSanitizer: detected\n"
        failing = {(CORE, ""): (23, output), (CORE, "a"): (23, "")}
        self.assertEqual(self.attempt(failing)[0].by, CaughtBy(CORE, "a"))

    def test_what_no_case_does_alone_is_caught_all_the_same(self):
        caught = self.attempt({(CORE, ""): (None, "0.1 s: a\n")})
        self.assertEqual(caught, [(CaughtBy(CORE, ""), 'hangs after "a"')])

    def test_a_bug_that_does_not_build_is_an_error_and_is_taken_back(self):
        copy = FakeCopy(self.tree, {})
        copy.broken = "box.cpp:1: error"
        for hint in (None, CaughtBy(CORE, "a")):
            with self.assertRaisesRegex(MutateError, "a_bug does not build:\nbox.cpp:1: error"):
                try_bug(copy, self.baseline, self.bug, [CORE], hint)
            self.assertEqual(self.file.read_text(), "int Get() { return 1; }\n")

    def test_the_layer_with_the_bug_comes_first(self):
        programs = [PORT, CORE, SIM, "netcore_bot_tests"]
        self.assertEqual(in_order(programs, "netcore/core/a.cpp"), [CORE, SIM, PORT, programs[3]])
        self.assertEqual(in_order(programs, "netcore/sim/a.cpp"), [PORT, CORE, SIM, programs[3]])
        self.assertEqual(in_order(programs, "samples/chat/a.cpp"), [SIM, PORT, CORE, programs[3]])


class BaselineTest(unittest.TestCase):
    def measure(self, status, output):
        copy = FakeCopy(pathlib.Path(), {(CORE, ""): (status, output)})
        copy.cases = lambda program: ["a", "b"]
        copy.log = "the log"
        baseline = Baseline()
        baseline.measure(copy, CORE)
        return baseline

    def test_a_program_that_fails_without_a_bug_is_an_error(self):
        with self.assertRaisesRegex(MutateError, 'without any planted bug: fails in "b"'):
            self.measure(1, report("b"))

    def test_a_program_that_runs_nothing_is_an_error(self):
        with self.assertRaisesRegex(MutateError, "runs no tests"):
            self.measure(0, "")

    def test_limits_follow_from_what_the_tests_take(self):
        baseline = self.measure(0, "0.500 s: a\n2.000 s: b\n")
        limits = []
        copy = FakeCopy(pathlib.Path(), {})
        copy.test = lambda program, limit_s, silence_s=None, case="": limits.append(
            (case, limit_s, silence_s)
        )
        baseline.took[CORE] = 4
        for case in ("b", ""):
            baseline.test(copy, CORE, case)
        self.assertEqual(limits, [("b", 30, None), ("", 102, 70)])


class CopyTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="netcore-mutation-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.copy = Copy(self.folder / "root", self.folder / "scratch", 1)

    def test_what_is_silent_for_too_long_is_ended(self):
        status, output = self.copy.run(["sh", "-c", "echo begun; exec sleep 60"], 50, 0.1)
        self.assertEqual((status, output), (None, "begun\n"))

    def test_what_takes_too_long_is_ended(self):
        status, _ = self.copy.run(["sh", "-c", "while :; do echo; sleep 0.1; done"], 0.5, 50)
        self.assertIsNone(status)

    def test_a_status_and_an_output_are_told(self):
        self.assertEqual(self.copy.run(["sh", "-c", "echo a; exit 3"], 60), (3, "a\n"))

    def test_nothing_runs_in_a_copy_that_was_stopped(self):
        self.copy.stop()
        with self.assertRaisesRegex(MutateError, "stopped"):
            self.copy.run(["sleep", "60"], 60)

    def test_a_copy_keeps_what_is_the_same_and_drops_what_is_gone(self):
        for name in ("CMakeLists.txt", "netcore/a.cpp", "netcore/b.cpp"):
            path = self.folder / "root" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name)
        self.copy.sync()
        kept = (self.copy.tree / "netcore/a.cpp").stat().st_mtime_ns
        (self.copy.tree / "CMakeLists.txt").write_text("left from a bug")
        (self.folder / "root/netcore/b.cpp").unlink()
        self.copy.sync()
        self.assertEqual((self.copy.tree / "netcore/a.cpp").stat().st_mtime_ns, kept)
        self.assertEqual((self.copy.tree / "CMakeLists.txt").read_text(), "CMakeLists.txt")
        self.assertFalse((self.copy.tree / "netcore/b.cpp").exists())


class BugQueueTest(unittest.TestCase):
    def test_each_bug_is_taken_once_and_copies_stay_with_their_files(self):
        files = ["a", "b", "a", "c", "b", "a"]
        bugs = [Mutation(str(n), file, "", "", "1", "2") for n, file in enumerate(files)]
        queue = BugQueue(bugs)
        taken = [queue.take(copy) for copy in ("one", "two", "one", "two", "two", "one")]
        self.assertEqual([bug.file for bug in taken], ["a", "b", "a", "b", "c", "a"])
        self.assertEqual(sorted(taken), sorted(bugs))
        self.assertIsNone(queue.take("one"))


if __name__ == "__main__":
    unittest.main()
