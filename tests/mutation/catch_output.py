"""What a Catch2 test program is told on its command line, and what its output says."""

import re
import signal

# A program lists the names of its cases like this: Catch2 2, Catch2 3. Hidden cases are left out.
LIST_OPTIONS = (
    ["--list-test-names-only", "~[.]"],
    ["--list-tests", "--verbosity", "quiet", "~[.]"],
)
RUN_OPTIONS = ["--abort", "--durations", "yes", "--order", "decl"]

_FINISHED = re.compile(r"^(\d+\.\d+) s: (.*)$", re.MULTILINE)
# The name of a failed case stands between two rules, the names of its sections below it.
_FAILED = re.compile(r"^-{79}\n(.+(?:\n.+)*?)\n-{79}$", re.MULTILINE)
_WHY = re.compile(r"assertion failed: .*|(?:Address|Leak)Sanitizer: \S+")
_NOTHING_RAN = re.compile(r"^No tests? (?:ran|cases matched)", re.MULTILINE)


def selection(case):
    """The argument that selects the case of that name alone."""
    return re.sub(r"([\\,\[\]])", r"\\\1", case)


def seconds_of_cases(output):
    """How long each case and section took, all of its runs together."""
    seconds = {}
    for took, name in _FINISHED.findall(output):
        seconds[name] = seconds.get(name, 0.0) + float(took)
    return seconds


def _failed_name(output):
    match = _FAILED.search(output)
    return " ".join(match[1].split()) if match else None


def named_case(output, cases):
    """The case, one of `cases`, that the output names as failed, or None."""
    name = _failed_name(output)
    if name is None:
        return None
    packed = re.sub(r"\s", "", name)  # the reporter wraps a long name, also where no blank is
    named = [case for case in cases if packed.startswith(re.sub(r"\s", "", case))]
    return max(named, key=len, default=None)


def suspected_cases(output, cases):
    """Which cases may have been under way when the program ended: the last one that finished a
    section, and the one behind it."""
    finished = [name for _, name in _FINISHED.findall(output) if name in cases]
    if not finished:
        return cases[:1]
    last = cases.index(finished[-1])
    return cases[last : last + 2]


def failure(status, output):
    """Says how a run of tests failed, "" if it did not. `status` is its exit status, None if it
    was ended because it hung."""
    if status == 0 or (status is not None and _NOTHING_RAN.search(output)):
        return ""
    finished = _FINISHED.findall(output)
    where = f'after "{finished[-1][1]}"' if finished else "in its first test"
    if status is None:
        return f"hangs {where}"
    name = _failed_name(output)
    if name:
        where = f'in "{name}"'
    why = _WHY.search(output)
    if why:
        return f"fails {where} ({why[0]})"
    return f"fails {where}" if status >= 0 else f"fails {where} ({signal.Signals(-status).name})"
