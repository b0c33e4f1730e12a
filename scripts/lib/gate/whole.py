"""What scripts/test runs once all is installed: the suites, side by side as far as the cores carry
them, longest first. Each suite's result is printed when it ends, and "N passed, N failed" last.

Usage: scripts/test [--list] [SUITE...]
"""

import os
import shutil
import signal
import sys
import threading
import time

import results
from machine import Machine
from running import LOGS, Commands, Run
from suites import SUITES, TOTAL_BUDGET_S

OVER_BUDGET = 1.2  # times its budget: from there it is said


def usage():
    lines = ["Usage: scripts/test [--list] [SUITE...]", "Runs every suite, or those that are named:"]
    return "\n".join(lines + [f"  {suite.name:<14} {suite.what}" for suite in SUITES])


class Screen:
    """Prints lines, and on a terminal what is going on below them."""

    def __init__(self):
        self._lock = threading.Lock()
        self._doing = {}
        self._is_terminal = sys.stdout.isatty()

    def tell(self, run, doing):
        with self._lock:
            self._doing[run.name] = doing
            self._draw()

    def line(self, text):
        with self._lock:
            print(f"{self._clear()}{text}", flush=True)
            self._draw()

    def _clear(self):
        return "\r\033[K" if self._is_terminal else ""

    def _draw(self):
        if not self._is_terminal:
            return
        active = [f"{name}: {doing}" for name, doing in self._doing.items()
                  if doing not in ("", "waiting")]
        width = shutil.get_terminal_size().columns - 1
        print(self._clear() + "; ".join(active)[:width], end="", flush=True)


def result_line(run):
    took = f"{run.seconds:.0f} s"
    if run.seconds > OVER_BUDGET * run.suite.budget_s:
        took += f"; its budget is {run.suite.budget_s} s"
    return f"{run.name:<14} {run.counts.passed:5d}{str(run.counts).lstrip('0123456789')}  ({took})"


def run_suites(suites, screen, commands):
    """Runs them side by side. Returns all cases."""
    machine = Machine(os.cpu_count() or 1, len(suites))
    total, trees, print_lock = results.Counts(), {}, threading.Lock()
    times = (LOGS / "times.tsv").open("w")
    print("suite", "seconds", "cpu_seconds", "budget", sep="\t", file=times)

    def run_one(place, suite):
        run = Run(suite, place, machine, commands, trees, screen.tell)
        run.run()
        with print_lock:
            total.add(run.counts)
            screen.line("\n".join([result_line(run), *run.notes]))
            if run.counts.failed:
                screen.line(results.show_failure(run.name, run.log))
            row = (suite.name, f"{run.seconds:.0f}", f"{run.cpu_seconds:.0f}", suite.budget_s)
            print(*row, sep="\t", file=times, flush=True)

    longest_first = sorted(suites, key=lambda suite: -suite.budget_s)
    threads = [
        threading.Thread(target=run_one, args=each, daemon=True)
        for each in enumerate(longest_first)
    ]
    for thread in threads:
        thread.start()
    machine.open()
    for thread in threads:
        thread.join()
    times.close()
    return total


def main():
    arguments = sys.argv[1:]
    if "--help" in arguments or "-h" in arguments:
        sys.exit(print(usage()))
    if "--list" in arguments:
        sys.exit(print("\n".join(suite.name for suite in SUITES)))
    wants_packages = arguments[:1] == ["--packages"]
    names = arguments[wants_packages:]
    known = {suite.name: suite for suite in SUITES}
    for name in names:
        if name not in known:
            print(f"scripts/test: there is no suite or option '{name}'", file=sys.stderr)
            print(usage(), file=sys.stderr)
            sys.exit(2)
    suites = [known[name] for name in dict.fromkeys(names)] or list(SUITES)
    if wants_packages:
        sys.exit(print(*sorted({package for suite in suites for package in suite.packages})))

    LOGS.mkdir(parents=True, exist_ok=True)
    screen, commands = Screen(), Commands()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    began = time.monotonic()
    try:
        total = run_suites(suites, screen, commands)
    except BaseException:
        commands.end_all()
        raise
    took = time.monotonic() - began
    if len(suites) == len(SUITES) and took > OVER_BUDGET * TOTAL_BUDGET_S:
        screen.line(f"all suites took {took:.0f} s; their budget is {TOTAL_BUDGET_S} s")
    screen.line(str(total))
    sys.exit(0 if total.failed == 0 else 1)
