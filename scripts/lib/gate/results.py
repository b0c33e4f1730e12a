"""Counts test cases in what ctest, unittest and libFuzzer leave behind, and shows why a suite failed."""

import dataclasses
import re
import xml.etree.ElementTree


@dataclasses.dataclass
class Counts:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped

    def __str__(self):
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{skipped}"


def counts(status, ran, broken, skipped):
    """The cases of one run. A run that failed as a whole, or that ran nothing, is a failure too."""
    if broken == 0 and (status != 0 or ran == 0):
        broken = 1
    ran = max(ran, broken + skipped)
    return Counts(ran - broken - skipped, broken, skipped)


def of_unittest(output, status):
    """Counts from what Python's unittest printed."""
    ran = re.search(r"^Ran (\d+) tests? in ", output, re.MULTILINE)
    broken = len(re.findall(r"^(?:FAIL|ERROR): ", output, re.MULTILINE))
    end = re.findall(r"^(?:OK|FAILED) \(.*\bskipped=(\d+)", output, re.MULTILINE)
    return counts(status, int(ran.group(1)) if ran else 0, broken, int(end[-1]) if end else 0)


def of_junit(path, status):
    """Counts from ctest's JUnit file, and the names of the cases that were skipped. Besides those that
    ctest calls skipped these are cases that passed and printed a line "skipped: REASON"
    (tests/support/skip.h)."""
    try:
        suite = xml.etree.ElementTree.parse(path).getroot()
    except (OSError, xml.etree.ElementTree.ParseError):
        return counts(status, 0, 0, 0), []
    ran, broken, skipped = 0, 0, []
    for case in suite.iter("testcase"):
        ran += 1
        output = case.findtext("system-out") or ""
        if case.find("failure") is not None:
            broken += 1
        elif case.find("skipped") is not None or re.search(r"^skipped: ", output, re.MULTILINE):
            skipped.append(case.get("name"))
    return counts(status, ran, broken, len(skipped)), skipped


def of_fuzzing(output, status):
    """A run counts only if it made up inputs of its own and ended well."""
    has_run = re.search(r"^Done [1-9]\d* runs", output, re.MULTILINE)
    return Counts(passed=1) if status == 0 and has_run else Counts(failed=1)


def without_noise(output):
    """libFuzzer's output without a line for each new input, and without dictionaries."""
    noise = re.compile(r'#\d+\s+(NEW|REDUCE|RELOAD|pulse)|"|######')
    return "".join(line for line in output.splitlines(True) if not noise.match(line))


def failed_tests(log, most=200):
    """The part of ctest's output that is about tests that failed."""
    shown, is_failed = [], False
    for line in log.splitlines():
        if re.match(r" *\d+/\d+ Test +#\d+:", line):
            is_failed = "***" in line and "***Skipped" not in line
        elif re.match(r" +Start +\d+: ", line):
            is_failed = False
        if is_failed and len(shown) < most:
            shown.append(line)
    return shown


def show_failure(name, log_path):
    """What tells why a suite failed: what ctest's failed tests wrote, wherever in the log it stands,
    and the log's end."""
    log = log_path.read_text(errors="replace")
    shown = failed_tests(log)
    if shown:
        shown.insert(0, f"---- {name} failed; its failed tests:")
    shown.append(f"---- {name} failed; the end of its log:")
    shown += log.splitlines()[-60:]
    return "\n".join([*shown, f"---- the whole log: {log_path}"])
