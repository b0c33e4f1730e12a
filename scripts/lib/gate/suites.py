"""What there is to run. A suite more is an entry more: its name, what it holds, its budget, the Debian
packages that it takes beyond those of a plain build, and its steps.

The budget is in seconds of a machine of 2 cores in a whole run, without the time that it waits for
others; docs/development.md has the rule. A suite over it is said to be, and passes. The limit is far
beyond it: only what hangs meets it."""

import dataclasses

from machine import COMPUTES, WAITS
from running import ROOT
from steps import built, check, ctest, fuzzed, only_configured, program, unittest

# Words that scripts/test replaces by packages, and by the sources that a Windows build takes.
MINGW, WINE, WINDOWS_SOURCES = "@mingw", "@wine", "@windows-sources"
WINDOWS = (MINGW, WINDOWS_SOURCES)

CLANG = ("clang-19", "libclang-rt-19-dev", "llvm-19")
SAMPLES = (
    *("echo_server", "echo_client", "load_bot"),
    *("chat_server", "chat_client", "fault_server"),
)
WRAPPER = ("--wrapper", ROOT / "scripts/wine-run")
NAMES = ROOT / "build/names"


@dataclasses.dataclass(frozen=True)
class Suite:
    name: str
    what: str
    budget_s: int
    steps: tuple
    packages: tuple = ()

    @property
    def limit_s(self):
        return max(600, 6 * self.budget_s)


SUITES = (
    Suite(
        "format",
        "every source is as clang-format leaves it",
        budget_s=10,
        packages=("clang-format-19",),
        steps=check("format"),
    ),
    Suite(
        "layering",
        "a folder of netcore/ includes only folders below it",
        budget_s=10,
        steps=check("layering"),
    ),
    Suite(
        "platform_free",
        "the system shows only in netcore/port/windows and netcore/port/linux",
        budget_s=10,
        steps=check("platform_free"),
    ),
    Suite(
        "waits",
        "threads wait with condition variables, not with what may lose a wake-up",
        budget_s=10,
        steps=check("waits"),
    ),
    Suite(
        "gate",
        "scripts/test counts, shares out the cores and judges as it should",
        budget_s=15,
        steps=(unittest("tests/checks/gate_test.py"),),
    ),
    Suite(
        "planted",
        "every planted bug of scripts/mutate fits the sources",
        budget_s=15,
        steps=(
            program("scripts/mutate", "--check"),
            unittest("tests/mutation/locate_test.py"),
            unittest("tests/mutation/trial_test.py"),
        ),
    ),
    Suite(
        "prove",
        "scripts/prove and benchmarks --against fail what must fail",
        budget_s=15,
        packages=("git",),
        steps=(
            unittest("tests/checks/prove_self_test.py"),
            unittest("tests/checks/against_self_test.py"),
        ),
    ),
    Suite(
        "headers",
        "each header compiles alone",
        budget_s=130,
        packages=(MINGW,),
        steps=check("headers"),
    ),
    Suite(
        "linux-release",
        "all tests, Release, gcc",
        budget_s=500,
        packages=("catch2", "libbenchmark-dev"),
        steps=(built("linux-release"), ctest("linux-release", WAITS, per_part=3)),
    ),
    Suite(
        "linux-asan",
        "all tests under AddressSanitizer, LeakSanitizer and UBSan, clang",
        budget_s=800,
        packages=("catch2", *CLANG),
        steps=(built("linux-asan"), ctest("linux-asan", COMPUTES, per_part=2)),
    ),
    Suite(
        "linux-tsan",
        "all tests under ThreadSanitizer, gcc",
        budget_s=470,
        packages=("catch2",),
        steps=(built("linux-tsan"), ctest("linux-tsan", COMPUTES, per_part=2)),
    ),
    Suite(
        "fuzz",
        "each libFuzzer target for 20 s, clang",
        budget_s=270,
        packages=CLANG,
        steps=(built("linux-fuzz"), fuzzed("linux-fuzz")),
    ),
    Suite(
        "windows-mingw",
        "all tests as Windows programs under Wine, MinGW",
        budget_s=670,
        packages=(*WINDOWS, WINE),
        steps=(built("windows-mingw"), ctest("windows-mingw", COMPUTES, per_part=3)),
    ),
    Suite(
        "interop",
        "nc, ncat, socat, Python and the load bot against the built servers",
        budget_s=200,
        packages=("netcat-openbsd", "ncat", "socat", "strace", "catch2", "libbenchmark-dev"),
        steps=(
            built("linux-release", *SAMPLES),
            unittest("tests/interop/run_interop.py", ROOT / "build/linux-release/bin", parts=WAITS),
        ),
    ),
    Suite(
        "interop-wine",
        "Python against the Windows servers under Wine",
        budget_s=30,
        packages=(*WINDOWS, WINE),
        steps=(
            built("windows-mingw", *SAMPLES),
            unittest(
                *("tests/interop/run_interop.py", ROOT / "build/windows-mingw/bin", *WRAPPER),
                parts=WAITS,
            ),
        ),
    ),
    Suite(
        "consumer",
        "projects that find netcore, or have it as a part, build README's server",
        budget_s=45,
        packages=("catch2", "libbenchmark-dev"),
        steps=(
            built("linux-release", "netcore", "netcore_sim"),
            unittest("tests/consumer/run_consumers.py", ROOT / "build/linux-release"),
        ),
    ),
    Suite(
        "consumer-wine",
        "projects that find the Windows build; their server under Wine",
        budget_s=20,
        packages=(*WINDOWS, WINE),
        steps=(
            built("windows-mingw", "netcore", "netcore_sim"),
            unittest("tests/consumer/run_consumers.py", ROOT / "build/windows-mingw", *WRAPPER),
        ),
    ),
    Suite(
        "names",
        "clang-tidy: names and a few kinds of bugs, on Linux' and Windows' sources",
        budget_s=400,
        packages=("catch2", "libbenchmark-dev", "clang-tidy-19", "git", *WINDOWS),
        steps=(
            only_configured("linux-release"),
            only_configured("windows-mingw"),
            *check("names", NAMES / "linux-release", NAMES / "windows-mingw"),
        ),
    ),
)

TOTAL_BUDGET_S = 1800  # of a whole run
