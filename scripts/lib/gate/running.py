"""Runs one suite: its steps one after another, what they print into its log, its cases counted."""

import contextlib
import os
import pathlib
import signal
import subprocess
import threading
import time

import results

ROOT = pathlib.Path(__file__).resolve().parents[3]
LOGS = ROOT / "build" / "logs"
KILL_AFTER_S = 10  # from asking a program to end to making it


class Failed(Exception):
    """A step that the rest of the suite can't do without has failed."""


class Commands:
    """Runs programs, each in a session of its own, so that it ends with all that it started."""

    def __init__(self):
        self._lock = threading.Lock()
        self._running = set()
        self._is_over = False

    def run(self, command, output, limit_s, env):
        """Runs `command`. Returns its status and the seconds of CPU that it and its children took,
        and whether it was given up after `limit_s`."""
        with self._lock:
            if self._is_over:
                raise Failed
            process = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=ROOT,
                env={**os.environ, **(env or {})},
                start_new_session=True,
            )
            self._running.add(process.pid)
        ended, late = threading.Event(), threading.Event()

        def give_up():
            late.set()
            signal_group(process.pid, signal.SIGTERM)
            ended.wait(KILL_AFTER_S)
            signal_group(process.pid, signal.SIGKILL)

        timer = threading.Timer(limit_s, give_up)
        timer.daemon = True
        timer.start()
        _, status, usage = os.wait4(process.pid, 0)
        ended.set()
        timer.cancel()
        with self._lock:
            self._running.discard(process.pid)
        process.returncode = os.waitstatus_to_exitcode(status)
        return process.returncode, usage.ru_utime + usage.ru_stime, late.is_set()

    def end_all(self):
        """Ends what still runs; nothing is started any more."""
        with self._lock:
            self._is_over = True
            for pid in self._running:
                signal_group(pid, signal.SIGTERM)


def signal_group(leader, number):
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, number)


class Run:
    """One suite's run. Its steps call `share`, `command` and `count`, on the suite's thread."""

    def __init__(self, suite, place, machine, commands, trees, tell):
        self.suite = suite
        self.name = suite.name
        self.place = place
        self.log = LOGS / f"{suite.name}.log"
        self.counts = results.Counts()
        self.seconds = 0.0  # with a share of the machine
        self.cpu_seconds = 0.0
        self.trees = trees  # what was configured and built in this run of the gate, by step
        self.notes = []  # lines to be shown behind the suite's result
        self.jobs = 1
        self._lock = threading.Lock()  # a step may run several programs at once
        self._machine = machine
        self._commands = commands
        self._tell = tell

    def run(self):
        try:
            self.log.write_bytes(b"")
            for step in self.suite.steps:
                step(self)
        except Failed:
            self.counts.failed += 1
        except Exception as error:  # a fault of the gate's own is the suite's failure
            self.say(f"scripts/test: {type(error).__name__}: {error}")
            self.counts.failed += 1
        finally:
            self._tell(self, "")
            self._machine.finish()

    @contextlib.contextmanager
    def share(self, doing, parts, tree=None):
        """One step: its part of the machine, and its time counted."""
        with self._machine.share(self.place, parts, tree) as self.jobs:
            self._tell(self, doing)
            began = time.monotonic()
            try:
                yield
            finally:
                self.seconds += time.monotonic() - began
                self._tell(self, "waiting")

    def command(self, *command, env=None, limit_s=None, log=None):
        """Runs a program within what is left of the suite's time. Returns its status."""
        left = max(1, self.suite.limit_s - self.seconds)
        path = log or self.log
        with open(path, "ab") as output:
            status, cpu, is_late = self._commands.run(command, output, limit_s or left, env)
        with self._lock:
            self.cpu_seconds += cpu
        if is_late:
            with open(path, "a") as output:
                output.write(f"scripts/test: given up for want of time: {command[0]}\n")
        return status

    def must(self, *command, env=None):
        """Runs a program without which the suite can't go on."""
        if self.command(*command, env=env) != 0:
            raise Failed

    def say(self, text):
        """Writes a line into the log."""
        with open(self.log, "a") as output:
            output.write(text + "\n")

    def printed(self, *command, env=None):
        """Runs a program. Returns its status and what it printed, which is in the log too."""
        begin = self.log.stat().st_size
        status = self.command(*command, env=env)
        with open(self.log, "rb") as file:
            file.seek(begin)
            return status, file.read().decode(errors="replace")

    def count(self, counts, skipped=()):
        """Adds cases. As root nothing may be left untested, so there a skipped case is a failed one."""
        for name in skipped:
            self.say(f"skipped: {name}")
        if counts.skipped and os.geteuid() == 0:
            self.say(f"failed: {counts.skipped} cases were skipped, and as root none may be")
            counts = results.Counts(counts.passed, counts.failed + counts.skipped)
        self.counts.add(counts)
