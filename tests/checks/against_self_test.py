#!/usr/bin/env python3
"""The rule of `benchmarks/run X --against REF` misses what is slower, measures again what looks so,
and copes with options that an old program does not know.

Usage: against_self_test.py [-v]
"""

import contextlib
import io
import pathlib
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))

from support import against, old_tree  # noqa: E402
from support.processes import Failure  # noqa: E402


def quiet():
    stack = contextlib.ExitStack()
    stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
    stack.enter_context(contextlib.redirect_stderr(io.StringIO()))
    return stack


def group(title, ratios, less=False, orders=None):
    """Its rounds find these ratios, one after the other; the last one for ever."""
    row, left = against.Row(title, "a second", less), list(ratios)

    def measure(sides):
        if orders is not None:
            orders.append((title, sides))
        ratio = left.pop(0) if len(left) > 1 else left[0]
        return {"old": {row: 100}, "new": {row: 100 / ratio if less else 100 * ratio}}

    return against.Group(title, 1, measure)


def judge(groups, rounds=5, again=7, must_gain=False):
    with quiet():
        summaries = against.judge(groups, rounds, again)
    return summaries, *against.verdict(summaries, must_gain)


class RuleTest(unittest.TestCase):
    def test_equal_ones_hold_and_do_not_gain(self):
        self.assertTrue(judge([group("a", [1]), group("b", [1])])[-1])
        self.assertFalse(judge([group("a", [1])], must_gain=True)[-1])

    def test_a_gain_holds_from_five_per_cent_on(self):
        self.assertTrue(judge([group("a", [1.0501])], must_gain=True)[-1])
        self.assertFalse(judge([group("a", [1.049])], must_gain=True)[-1])

    def test_a_geometric_mean_below_99_per_cent_misses(self):
        groups = [group("a", [0.97]), group("b", [1.0])]
        _, mean, slow, holds = judge(groups)
        self.assertAlmostEqual(mean, 0.97**0.5)
        self.assertEqual((slow, holds), ([], False))
        self.assertTrue(judge([group("a", [0.97]), group("b", [1.02])])[-1])

    def test_one_slow_row_misses_however_fast_the_others_are(self):
        _, mean, slow, holds = judge([group("slow", [0.95]), group("b", [2])])
        self.assertGreater(mean, 1)
        self.assertEqual([summary["title"] for summary in slow], ["slow"])
        self.assertEqual(slow[0]["rounds"], 7)
        self.assertFalse(holds)

    def test_the_median_of_the_rounds_counts(self):
        self.assertTrue(judge([group("a", [0.5, 1, 1, 1, 0.5])])[-1])

    def test_a_row_that_looked_slow_counts_by_its_second_rounds_alone(self):
        orders = []
        groups = [group("a", [0.9] * 5 + [1], orders=orders), group("b", [1], orders=orders)]
        summaries, _, slow, holds = judge(groups)
        self.assertEqual((slow, holds), ([], True))
        self.assertEqual([summary["rounds"] for summary in summaries], [7, 5])
        self.assertEqual([title for title, _ in orders].count("b"), 5)

    def test_where_less_is_better_more_misses(self):
        self.assertFalse(judge([group("a", [0.95], less=True)])[-1])
        self.assertTrue(judge([group("a", [1.5], less=True)])[-1])

    def test_old_and_new_take_turns_at_being_first(self):
        orders = []
        judge([group("a", [1], orders=orders)], rounds=4)
        first = [sides[0] for _, sides in orders]
        self.assertEqual(first, ["old", "new", "old", "new"])

    def test_a_row_of_only_one_side_is_left_out(self):
        both, new = against.Row("both", ""), against.Row("new", "")
        found = {"old": {both: 1}, "new": {both: 1, new: 1}}
        summaries, *_ = judge([against.Group("a", 1, lambda sides: found)])
        self.assertEqual([summary["title"] for summary in summaries], ["both"])

    def test_nothing_at_all_misses(self):
        found = {"old": {}, "new": {}}
        self.assertFalse(judge([against.Group("a", 1, lambda sides: found)])[-1])


class OldTreeTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="netcore-against-")
        self.addCleanup(folder.cleanup)
        self.bin = pathlib.Path(folder.name)
        program = self.bin / "server"
        program.write_text("#!/bin/sh\necho '  --port UINT [0]'\necho '  -b,--backend TEXT'\n")
        program.chmod(0o755)
        self.tree = old_tree.OldTree("v0", "abc", self.bin)

    def test_options_that_the_old_program_does_not_know_are_left_out_with_their_values(self):
        with quiet():
            command = self.tree.command(
                "server", ["--port", 0, "--congestion", "cubic", "x", "--backend", "epoll", "--new=1"]
            )
        self.assertEqual(command[1:], ["--port", "0", "--backend", "epoll"])

    def test_a_program_that_the_old_commit_does_not_have_is_a_failure(self):
        with self.assertRaisesRegex(Failure, "v0 has no client"):
            self.tree.command("client", [])

    def test_what_is_no_commit_is_a_failure(self):
        with self.assertRaisesRegex(Failure, "is no commit"):
            old_tree.build("no-such-commit", ["netcore"])

    def test_builds_with_other_settings_are_a_failure(self):
        for name, flags in (("new", "-O3"), ("old", "-O2")):
            (self.bin / name).mkdir()
            (self.bin / name / "CMakeCache.txt").write_text(f"CMAKE_CXX_FLAGS_RELEASE:STRING={flags}\n")
        old_tree.compare_settings(self.bin / "new", self.bin / "new")
        with self.assertRaisesRegex(Failure, "CMAKE_CXX_FLAGS_RELEASE"):
            old_tree.compare_settings(self.bin / "new", self.bin / "old")


if __name__ == "__main__":
    unittest.main()
