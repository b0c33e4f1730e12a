#!/usr/bin/env python3
"""scripts/prove fails a proof that must fail, and records each figure.

Usage: prove_self_test.py [-v]
"""

import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
RUNNER = ROOT / "scripts" / "lib" / "prove.py"

# A test program as Catch2 prints: a failing case, no such case, and one with two figures.
CASES = """#!/bin/sh
case $1 in
  failing)
    echo "test cases: 1 | 1 failed"
    exit 42 ;;
  unknown)
    echo "No test cases matched 'unknown'" ;;
  loading)
    echo "figure: connects = 2500 a second"
    echo "figure: median of echoes = 3.25e-1 ms"
    echo "All tests passed (1 assertion in 1 test case)" ;;
esac
"""


class ProveTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="netcore-prove-")
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        program = self.root / "bin" / "cases"
        program.parent.mkdir()
        program.write_text(CASES)
        program.chmod(0o755)
        self.proofs = self.root / "proofs"
        self.proofs.mkdir()
        self.record = self.root / "proofs.tsv"

    def write(self, name, body, more=""):
        lines = "".join(f"    {line}\n" for line in body)
        text = f'WHAT = "{name}"\nTARGETS = ()\n{more}\ndef prove(context):\n{lines}'
        (self.proofs / f"{name}.py").write_text(text)

    def run_proofs(self, *names):
        """Returns the status, what was printed, and the rows of the record as dicts."""
        folders = ["--root", self.root, "--folder", self.proofs, "--bin", self.root / "bin"]
        folders += ["--record", self.record]
        result = subprocess.run(
            [sys.executable, str(RUNNER), "--no-build", *map(str, folders), *names],
            text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120, check=False,
        )  # fmt: skip
        rows = []
        if self.record.exists():
            header, *lines = self.record.read_text(encoding="utf-8").splitlines()
            rows = [dict(zip(header.split("\t"), line.split("\t"))) for line in lines]
        return result.returncode, result.stdout, rows

    def assert_fails(self, body, expected, verdict="FAILED", more=""):
        self.write("bad", body, more)
        status, output, rows = self.run_proofs("bad")
        self.assertEqual(status, 1, output)
        self.assertIn(expected, output)
        self.assertIn("bad: MISSED", output)
        self.assertEqual(rows[-1]["verdict"], verdict)
        return rows

    def test_figures_within_their_bounds_hold_and_are_recorded(self):
        self.write("good", [
            "context.figure('connect, median', 3.25, 'ms', at_most=20)",
            "context.figure('rate', 5, 'a second', at_least=5)",
            "context.figure('cores', 2, '')",
        ])  # fmt: skip
        status, output, rows = self.run_proofs("good")
        self.assertEqual(status, 0, output)
        self.assertIn("connect, median: 3.25 ms (at most 20): holds", output)
        self.assertIn("good: holds", output)
        self.assertEqual([row["value"] for row in rows], ["3.25", "5", "2"])
        self.assertEqual([row["bound"] for row in rows], ["at most 20", "at least 5", ""])
        self.assertEqual([row["verdict"] for row in rows], ["holds", "holds", "no bound"])
        for row in rows:
            self.assertRegex(row["date"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
            self.assertEqual(row["commit"], "unknown")  # the folder is no git repository
            self.assertIn("cores, Linux ", row["machine"])
            self.assertEqual(row["proof"], "good")

    def test_a_second_run_appends(self):
        self.write("good", ["context.figure('one', 1, '')"])
        self.run_proofs("good")
        _, _, rows = self.run_proofs("good")
        self.assertEqual([row["figure"] for row in rows], ["one", "one"])

    def test_a_missed_bound_fails(self):
        for call in ("('x', 21, 'ms', at_most=20)", "('x', 4.9, 'a second', at_least=5)",
                     "('x', float('nan'), 'ms', at_most=20)"):  # fmt: skip
            with self.subTest(call=call):
                self.assert_fails([f"context.figure{call}"], ": MISSED", "MISSED")

    def test_a_missed_bound_among_others_fails(self):
        rows = self.assert_fails(
            ["context.figure('x', 1, '', at_least=2)", "context.figure('y', 3, '', at_least=2)"],
            "x: 1  (at least 2): MISSED", "holds",
        )  # fmt: skip
        self.assertEqual([row["verdict"] for row in rows], ["MISSED", "holds"])

    def test_an_exception_fails_and_the_figures_before_it_stay(self):
        rows = self.assert_fails(
            ["context.figure('x', 1, '')", "raise KeyError('nothing\\tthere')"], "FAILED: KeyError"
        )
        self.assertEqual([row["verdict"] for row in rows], ["no bound", "FAILED"])

    def test_an_exit_with_0_fails(self):
        self.assert_fails(
            ["context.figure('x', 1, '')", "raise SystemExit(0)"], "FAILED: SystemExit"
        )

    def test_an_end_without_a_word_fails(self):
        self.assert_fails(
            ["import os", "context.figure('x', 1, '')", "os._exit(0)"], "FAILED: ended with status 0"
        )

    def test_no_figure_fails(self):
        self.assert_fails(["pass"], "FAILED: reported no figure")

    def test_a_proof_without_an_end_fails(self):
        body = ["import time", "context.figure('x', 1, '')", "time.sleep(600)"]
        self.assert_fails(body, "FAILED: took longer than 0.5 s", more="TIMEOUT_S = 0.5")

    def test_what_a_proof_leaves_behind_is_ended(self):
        held = self.root / "held"
        self.write("good", [
            "import subprocess",
            f"child = subprocess.Popen(['sh', '-c', 'exec 9>{held}; flock 9; echo; sleep 600'],"
            " stdout=subprocess.PIPE)",
            "child.stdout.readline()",  # it has the lock now
            "context.figure('x', 1, '')",
        ])  # fmt: skip
        status, output, _ = self.run_proofs("good")
        self.assertEqual(status, 0, output)
        taken = subprocess.run(["flock", "--wait", "20", held, "true"], check=False)
        self.assertEqual(taken.returncode, 0, "the child still runs")

    def test_a_program_that_hangs_fails(self):
        body = ["context.run(['sleep', 600], timeout_s=0.2)"]
        self.assert_fails(body, "sleep took longer than 0.2 s")

    def test_the_figures_of_a_case_are_those_it_prints(self):
        self.write("cases", [
            "for figure in context.run_cases('cases', 'loading'): context.figure(*figure, at_most=3000)"
        ])  # fmt: skip
        status, output, rows = self.run_proofs("cases")
        self.assertEqual(status, 0, output)
        self.assertEqual(
            [(row["figure"], row["value"], row["unit"]) for row in rows],
            [("connects", "2500", "a second"), ("median of echoes", "0.325", "ms")],
        )

    def test_a_failing_case_fails(self):
        body = ["context.run_cases('cases', 'failing')", "context.figure('x', 1, '')"]
        self.assert_fails(body, "ended with status 42")

    def test_a_case_that_does_not_exist_fails(self):
        body = ["context.run_cases('cases', 'unknown')", "context.figure('x', 1, '')"]
        self.assert_fails(body, "no case ran and checked something")

    def test_a_program_that_is_missing_fails(self):
        body = ["context.run_cases('none', 'loading')", "context.figure('x', 1, '')"]
        self.assert_fails(body, "is missing")

    def test_an_unknown_name_is_refused(self):
        status, output, rows = self.run_proofs("nothing")
        self.assertEqual((status, rows), (2, []), output)

    def test_one_proof_that_fails_fails_the_run_and_the_others_are_tried(self):
        self.write("a", ["pass"])
        self.write("b", ["context.figure('x', 1, '', at_most=1)"])
        status, output, rows = self.run_proofs("a", "b")
        self.assertEqual(status, 1, output)
        self.assertIn("1 of 2 proofs hold", output)
        self.assertEqual([row["verdict"] for row in rows], ["FAILED", "holds"])


class ProofsTest(unittest.TestCase):
    def check(self, *arguments):
        return subprocess.run(
            [sys.executable, str(RUNNER), "--check", *map(str, arguments)],
            text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120, check=False,
        )  # fmt: skip

    def test_all_modules_of_tests_prove_are_proofs(self):
        result = self.check()
        self.assertEqual(result.returncode, 0, result.stdout)
        self.assertRegex(result.stdout, r"^[1-9]\d* proofs")

    def test_a_module_that_is_no_proof_trips(self):
        with tempfile.TemporaryDirectory(prefix="netcore-prove-") as folder:
            (pathlib.Path(folder) / "none.py").write_text("WHAT = 'x'\nTARGETS = ()\n")
            result = self.check("--folder", folder)
        self.assertEqual(result.returncode, 2, result.stdout)
        self.assertIn("none.py has no WHAT or no prove(context)", result.stdout)


if __name__ == "__main__":
    unittest.main()
