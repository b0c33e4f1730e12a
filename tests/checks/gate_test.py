#!/usr/bin/env python3
"""scripts/test shares out the machine, counts and judges as it should.

Usage: gate_test.py [-v] [NAME]
"""

import contextlib
import io
import pathlib
import sys
import tempfile
import time
import threading
import types
import unittest
from unittest import mock

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts" / "lib" / "gate"))

import results
import running
import steps
import suites
import whole
from machine import COMPUTES, PARTS, WAITS, Machine

TIMEOUT = 120  # seconds that anything may take


class Steps:
    """Suites of one step each, which the test ends one by one."""

    def __init__(self, *asked, cores=8, suites_more=0):
        self.machine = Machine(cores, len(asked) + suites_more)
        self._changed = threading.Condition()
        self._granted = {}  # jobs by place
        self._ends = [threading.Event() for _ in asked]
        self._threads = [
            threading.Thread(target=self._run, args=(place, *step), daemon=True)
            for place, step in enumerate(asked)
        ]
        for thread in reversed(self._threads):  # the order of asking must not matter
            thread.start()

    def _run(self, place, parts, tree=None):
        with self.machine.share(place, parts, tree) as jobs:
            with self._changed:
                self._granted[place] = jobs
                self._changed.notify_all()
            self._ends[place].wait(TIMEOUT)
        self.machine.finish()

    def wait_for(self, *places):
        """Waits for these to be granted. Returns which ones were by then."""
        with self._changed:
            self._changed.wait_for(lambda: set(places) <= set(self._granted), TIMEOUT)
            return sorted(self._granted)

    def jobs(self, place):
        return self._granted[place]

    def end(self, *places):
        for place in places:
            self._ends[place].set()
            self._threads[place].join(TIMEOUT)


class MachineTest(unittest.TestCase):
    def test_nothing_is_granted_before_all_suites_have_asked(self):
        asked = Steps((WAITS,), (WAITS,))
        self.assertEqual(asked.wait_for(), [])
        asked.machine.open()
        self.assertEqual(asked.wait_for(0, 1), [0, 1])
        asked.end(0, 1)

    def test_two_steps_that_compute_fill_the_machine_and_the_next_one_waits_for_an_end(self):
        asked = Steps((COMPUTES,), (COMPUTES,), (COMPUTES,))
        asked.machine.open()
        self.assertEqual(asked.wait_for(0, 1), [0, 1])
        asked.end(1)
        self.assertEqual(asked.wait_for(2), [0, 1, 2])
        asked.end(0, 2)

    def test_a_small_step_overtakes_one_that_does_not_fit(self):
        asked = Steps((COMPUTES,), (WAITS,), (COMPUTES,), (WAITS,))
        asked.machine.open()
        self.assertEqual(asked.wait_for(0, 1, 3), [0, 1, 3])
        asked.end(1)
        self.assertEqual(asked.wait_for(0, 1, 3), [0, 1, 3])
        asked.end(3)
        self.assertEqual(asked.wait_for(2), [0, 1, 2, 3])
        asked.end(0, 2)

    def test_one_tree_is_written_by_one_step_at_a_time(self):
        asked = Steps((WAITS, "tree"), (WAITS, "tree"), (WAITS, "other"), (WAITS,))
        asked.machine.open()
        self.assertEqual(asked.wait_for(0, 2, 3), [0, 2, 3])
        asked.end(0)
        self.assertEqual(asked.wait_for(1), [0, 1, 2, 3])
        asked.end(1, 2, 3)

    def test_a_step_has_as_many_jobs_as_its_part_of_the_cores_and_the_last_suite_has_all(self):
        asked = Steps((COMPUTES,), (COMPUTES,), (COMPUTES,), cores=8)
        asked.machine.open()
        asked.wait_for(0, 1)
        self.assertEqual((asked.jobs(0), asked.jobs(1)), (8 * COMPUTES // PARTS,) * 2)
        asked.end(0)
        asked.wait_for(2)
        asked.end(1, 2)
        alone = Steps((WAITS,), cores=8)
        alone.machine.open()
        alone.wait_for(0)
        self.assertEqual(alone.jobs(0), 8)
        alone.end(0)

    def test_a_step_has_a_job_on_one_core_too(self):
        asked = Steps((WAITS,), (WAITS,), cores=1)
        asked.machine.open()
        asked.wait_for(0, 1)
        self.assertEqual((asked.jobs(0), asked.jobs(1)), (1, 1))
        asked.end(0, 1)

    def test_a_suite_that_ends_without_a_step_holds_nobody_up(self):
        asked = Steps((WAITS,), suites_more=1)
        asked.machine.finish()
        asked.machine.open()
        self.assertEqual(asked.wait_for(0), [0])
        asked.end(0)


JUNIT = """<?xml version="1.0" encoding="UTF-8"?>
<testsuite name="x" tests="4" failures="1" disabled="0" skipped="1">
<testcase name="good" status="run"><system-out>not skipped: all</system-out></testcase>
<testcase name="half" status="run"><system-out>seed 1
skipped: no IPv6 on this machine
</system-out></testcase>
<testcase name="bad" status="fail"><failure message=""/><system-out>skipped: a part
</system-out></testcase>
<testcase name="none" status="notrun"><skipped message=""/><system-out/></testcase>
</testsuite>
"""


class CountsTest(unittest.TestCase):
    def check(self, counts, passed, failed, skipped=0):
        self.assertEqual(counts, results.Counts(passed, failed, skipped))

    def test_unittest(self):
        ran = "....\n" + "-" * 70 + "\nRan 12 tests in 1.500s\n\n"
        self.check(results.of_unittest(ran + "OK\n", 0), 12, 0)
        self.check(results.of_unittest(ran + "OK (skipped=3)\n", 0), 9, 0, 3)
        failed = "FAIL: test_a (x)\nERROR: test_b (x)\n" + ran
        self.check(results.of_unittest(failed + "FAILED (failures=1, errors=1)\n", 1), 10, 2)
        failed += "FAILED (failures=1, errors=1, skipped=1)\n"
        self.check(results.of_unittest(failed, 1), 9, 2, 1)
        self.check(results.of_unittest("Ran 1 test in 0.001s\n\nOK\n", 0), 1, 0)

    def test_a_run_that_fails_as_a_whole_is_a_failure(self):
        self.check(results.of_unittest("Ran 3 tests in 0.1s\n\nOK\n", 1), 2, 1)
        self.check(results.of_unittest("ModuleNotFoundError\n", 1), 0, 1)

    def test_a_run_of_nothing_is_a_failure(self):
        self.check(results.of_unittest("Ran 0 tests in 0.000s\n\nOK\n", 0), 0, 1)

    def test_one_case_that_fails_in_many_subtests_is_no_negative_count(self):
        text = "FAIL: test_a (x) (i=1)\nFAIL: test_a (x) (i=2)\nRan 1 test in 0.1s\n\nFAILED (failures=2)\n"
        self.check(results.of_unittest(text, 1), 0, 2)

    def test_ctest(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "junit.xml"
            self.check(results.of_junit(path, 0)[0], 0, 1)  # there is none
            path.write_text("<testsuite")
            self.check(results.of_junit(path, 0)[0], 0, 1)
            path.write_text(JUNIT)
            counts, skipped = results.of_junit(path, 8)
            self.check(counts, 1, 1, 2)
            self.assertEqual(skipped, ["half", "none"])
            path.write_text(JUNIT.replace("<failure", "<other"))
            self.check(results.of_junit(path, 8)[0], 0, 1, 3)  # ctest failed, and none of its tests

    def test_a_fuzzer_counts_if_it_made_inputs_and_ended_well(self):
        self.check(results.of_fuzzing("Done 12 runs in 20 second(s)\n", 0), 1, 0)
        self.check(results.of_fuzzing("Done 0 runs in 20 second(s)\n", 0), 0, 1)
        self.check(results.of_fuzzing("Done 12 runs in 20 second(s)\n", 77), 0, 1)

    def test_the_line_tells_of_skipped_cases_only_if_there_are_any(self):
        self.assertEqual(str(results.Counts(3, 0)), "3 passed, 0 failed")
        self.assertEqual(str(results.Counts(3, 1, 2)), "3 passed, 1 failed, 2 skipped")

    def test_what_failed_tests_wrote_is_found_wherever_it_stands(self):
        log = (
            "      Start  1: a\n 1/3 Test  #1: a ....   Passed    0.01 sec\n"
            "      Start  2: b\n 2/3 Test  #2: b ....***Failed    0.01 sec\nwhy\n"
            "      Start  3: c\n 3/3 Test  #3: c ....   Passed    0.01 sec\nnot this\n"
        )
        self.assertEqual(
            results.failed_tests(log), [" 2/3 Test  #2: b ....***Failed    0.01 sec", "why"]
        )


def suite(name, *its_steps, limit_s=TIMEOUT, budget_s=1000):
    return types.SimpleNamespace(name=name, steps=its_steps, limit_s=limit_s, budget_s=budget_s)


class WholeTest(unittest.TestCase):
    """Whole runs, of suites made up here."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="netcore-gate-")
        self.addCleanup(folder.cleanup)
        self.logs = pathlib.Path(folder.name)
        for module in (running, whole):
            patch = mock.patch.object(module, "LOGS", self.logs)
            patch.start()
            self.addCleanup(patch.stop)

    def run_suites(self, *run, user=1000):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), mock.patch("os.geteuid", lambda: user):
            total = whole.run_suites(run, whole.Screen(), running.Commands())
        return str(total), printed.getvalue()

    def test_each_suites_result_is_a_line_and_a_log(self):
        total, printed = self.run_suites(
            suite("good", steps.program("echo", "fine")),
            suite("bad", steps.program("sh", "-c", "echo the reason; exit 3")),
        )
        self.assertEqual(total, "1 passed, 1 failed")
        self.assertRegex(printed, r"(?m)^good +1 passed, 0 failed  \(\d+ s\)$")
        self.assertRegex(printed, r"(?m)^bad +0 passed, 1 failed  \(\d+ s\)$")
        self.assertIn("---- bad failed; the end of its log:\nthe reason\n", printed)
        self.assertEqual((self.logs / "good.log").read_text(), "fine\n")

    def test_a_step_that_must_work_and_does_not_ends_its_suite(self):
        def step(run):
            with run.share("building", COMPUTES):
                run.must("false")

        total, _ = self.run_suites(suite("a", step, steps.program("true")))
        self.assertEqual(total, "0 passed, 1 failed")

    def test_a_program_that_is_missing_fails_its_suite_only(self):
        total, printed = self.run_suites(
            suite("a", steps.program("/nonexistent/program")), suite("b", steps.program("true"))
        )
        self.assertEqual(total, "1 passed, 1 failed")
        self.assertIn("FileNotFoundError", printed)

    def test_a_suite_that_hangs_is_given_up_with_all_that_it_started(self):
        with tempfile.TemporaryDirectory() as folder:
            pipe = pathlib.Path(folder) / "pipe"
            hang = f"sleep {10 * TIMEOUT} & echo $! >{pipe}; wait"
            hanging = suite("a", steps.program("sh", "-c", hang), limit_s=5)
            total, printed = self.run_suites(hanging)
            self.assertEqual(total, "0 passed, 1 failed")
            self.assertIn("given up for want of time: sh", printed)
            self.assert_ended(int(pipe.read_text()))

    def assert_ended(self, pid):
        """Waits until the process is gone, or is a zombie that nobody has waited for: a process that
        was killed runs on until the kernel has time to end it."""
        stat = pathlib.Path(f"/proc/{pid}/stat")
        deadline = time.monotonic() + TIMEOUT
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            while (state := stat.read_text().rsplit(")", 1)[1].split()[0]) != "Z":
                self.assertLess(time.monotonic(), deadline, f"{pid} is in state {state}")
                time.sleep(0.01)

    def test_a_skipped_case_is_counted_and_as_root_it_is_a_failure(self):
        def step(run):
            run.count(results.Counts(5, 0, 2), ["one", "two"])

        total, printed = self.run_suites(suite("a", step))
        self.assertEqual(total, "5 passed, 0 failed, 2 skipped")
        self.assertRegex(printed, r"(?m)^a +5 passed, 0 failed, 2 skipped  \(\d+ s\)$")
        total, printed = self.run_suites(suite("a", step), user=0)
        self.assertEqual(total, "5 passed, 2 failed")
        self.assertIn("skipped: one\nskipped: two\nfailed: 2 cases were skipped", printed)

    def test_a_suite_over_its_budget_is_said_to_be_and_passes(self):
        def slow(run):
            with run.share("sleeping", WAITS):
                run.command("sleep", "1")
            run.count(results.Counts(1))

        total, printed = self.run_suites(suite("a", slow, budget_s=0.1))
        self.assertEqual(total, "1 passed, 0 failed")
        self.assertRegex(printed, r"\(\d+ s; its budget is 0.1 s\)")

    def test_what_one_suite_built_no_other_one_builds_again(self):
        def build(*targets):
            return steps.built("preset", *targets)

        commands = []
        with mock.patch.object(running.Run, "must", lambda _, *words, **__: commands.append(words)):
            self.run_suites(suite("a", build(), budget_s=2000), suite("b", build("part")))
            self.assertEqual(len(commands), 2)  # configured and built, once
            self.run_suites(suite("b", build("part")), suite("c", build("other")))
        self.assertEqual([words[1] for words in commands[2:]], ["--preset", "--build", "--build"])


class TableTest(unittest.TestCase):
    def test_each_suite_has_a_name_of_its_own_a_budget_and_a_row_in_the_manual(self):
        names = [each.name for each in suites.SUITES]
        self.assertEqual(len(names), len(set(names)))
        manual = (ROOT / "docs" / "development.md").read_text()
        for each in suites.SUITES:
            self.assertRegex(manual, rf"(?m)^\| {each.name} \|.*\| {each.budget_s} \|$")


if __name__ == "__main__":
    unittest.main()
