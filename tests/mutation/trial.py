"""Tries planted bugs: first the test case that caught a bug last time, then all tests."""

import collections
import threading
import time
from typing import NamedTuple

import catch_output
from caught_by import CaughtBy
from locate import replaced
from work_copy import MutateError

# The program that most likely catches a bug in a folder of netcore/ or samples/ comes first.
CLOSEST = {"sim": "port", "chat": "sim"}
LAYERS = ("base", "buffer", "port", "logic", "core", "session", "service", "sim")
FIRST_RUN_LIMIT_S = 1800
MIN_RUN_LIMIT_S = 90  # a test waits 30 s for what must happen
MIN_SILENCE_S = 60
MIN_CASE_LIMIT_S = 20
SEARCH_LIMIT_S = 180  # for the one case that fails alone, of a program that failed


class Baseline:
    """How the tests do without any planted bug, which is where the time limits come from."""

    def __init__(self):
        self.cases = {}  # of each program, in order
        self.seconds = {}  # of each program: of each case
        self.took = {}  # of each program

    def measure(self, copy, program):
        """Raises MutateError unless the program's tests pass."""
        self.cases[program] = copy.cases(program)
        began = time.monotonic()
        status, output = copy.test(program, FIRST_RUN_LIMIT_S)
        failure = catch_output.failure(status, output)
        self.seconds[program] = catch_output.seconds_of_cases(output)
        if not failure and not self.seconds[program]:
            failure = "runs no tests"
        if failure:
            text = f"{program} fails without any planted bug: {failure}\nits output: {copy.log}"
            raise MutateError(text)
        self.took[program] = time.monotonic() - began

    def knows(self, by):
        """True if there is such a program and test case now."""
        return by.program in self.cases and by.case in ["", *self.cases[by.program]]

    def test(self, copy, program, case=""):
        """Runs a program's tests, or one case, within limits; returns exit status and output."""
        if case:
            limit_s = MIN_CASE_LIMIT_S + 5 * self.seconds[program].get(case, 0)
            return copy.test(program, limit_s, case=case)
        silence_s = MIN_SILENCE_S + 5 * max(self.seconds[program].values())
        return copy.test(program, MIN_RUN_LIMIT_S + 3 * self.took[program], silence_s)


class Catch(NamedTuple):
    by: CaughtBy
    failure: str  # "hangs in ..."


def in_order(programs, file):
    """First the layer that has the bug, then those above it, then the rest."""
    layer = file.split("/")[1]
    layer = CLOSEST.get(layer, layer)
    start = LAYERS.index(layer) if layer in LAYERS else 0
    names = [f"netcore_{name}_tests" for name in LAYERS[start:] + LAYERS[:start]]
    known = [name for name in names if name in programs]
    return known + [name for name in programs if name not in known]


def _failing_case(copy, baseline, program, output):
    """The case that made the program fail; "" if that can't be told."""
    cases = baseline.cases[program]
    named = catch_output.named_case(output, cases)
    if named:
        return named
    # It hung, crashed or leaked: see which case does so alone.
    end = time.monotonic() + SEARCH_LIMIT_S
    suspected = catch_output.suspected_cases(output, cases)
    for case in suspected + [case for case in cases if case not in suspected]:
        if catch_output.failure(*baseline.test(copy, program, case)):
            return case
        if time.monotonic() > end:
            break
    return ""


def _try_planted(copy, baseline, mutation, programs, hint, run_all):
    def build(program):
        output = copy.make(program)
        if output:
            raise MutateError(f"{mutation.name} does not build:\n{output}")

    tried = None
    if hint and not run_all and hint.program in programs and baseline.knows(hint):
        build(hint.program)
        failure = catch_output.failure(*baseline.test(copy, hint.program, hint.case))
        if failure:
            return [Catch(hint, failure)]
        tried = hint.program if not hint.case else None
    caught = []
    for program in in_order(programs, mutation.file):
        if program == tried:
            continue
        build(program)
        status, output = baseline.test(copy, program)
        failure = catch_output.failure(status, output)
        if failure:
            case = _failing_case(copy, baseline, program, output)
            caught.append(Catch(CaughtBy(program, case), failure))
            if not run_all:
                break
    return caught


def try_bug(copy, baseline, mutation, programs, hint=None, run_all=False):
    """Plants one bug and returns what catches it: only the first catch, unless `run_all`. `hint`,
    a CaughtBy or None, is tried first and changes nothing else. Raises MutateError if the bug
    does not build."""
    file = copy.tree / mutation.file
    original = file.read_text(encoding="utf-8")
    file.write_text(replaced(copy.tree, mutation), encoding="utf-8")
    try:
        return _try_planted(copy, baseline, mutation, programs, hint, run_all)
    finally:
        file.write_text(original, encoding="utf-8")


class BugQueue:
    """Bugs to be tried, by several copies at a time. A copy gets bugs of one file one after
    another, so that a file is built again in its old form once and not after each bug.
    Threads: any."""

    def __init__(self, mutations):
        self.lock = threading.Lock()
        self.waiting = list(mutations)
        self.in_work = {}  # file, by copy

    def take(self, copy):
        """The next bug for that copy, or None."""
        with self.lock:
            if not self.waiting:
                return None
            counts = collections.Counter(mutation.file for mutation in self.waiting)
            file = self.in_work.pop(copy, None)
            if file not in counts:
                others = self.in_work.values()
                file = max(counts, key=lambda one: (one not in others, counts[one]))
            self.in_work[copy] = file
            mutation = next(one for one in self.waiting if one.file == file)
            self.waiting.remove(mutation)
            return mutation
