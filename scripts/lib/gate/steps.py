"""The steps that suites are made of. Each function here makes one: a function that takes the Run."""

import concurrent.futures
import random
import re
import subprocess
import sys

import results
from machine import COMPUTES
from running import LOGS, ROOT, Failed

FUZZ_SECONDS = 20  # what each fuzz target gets
WINE_STARTS = LOGS / "wine-starts.log"  # what scripts/lib/wine-test had to begin anew


def program(*command, doing="checking", parts=COMPUTES):
    """A program whose status is the verdict: one case. It runs in the tree's folder."""

    def step(run):
        with run.share(doing, parts):
            status = run.command(*command, env={"NETCORE_JOBS": str(run.jobs)})
        run.count(results.Counts(passed=int(status == 0), failed=int(status != 0)))

    return step


def unittest(file, *arguments, doing="testing", parts=COMPUTES):
    """A Python program of unittest's."""

    def step(run):
        with run.share(doing, parts):
            status, output = run.printed(
                sys.executable, ROOT / file, *arguments, env={"NETCORE_JOBS": str(run.jobs)}
            )
        run.count(results.of_unittest(output, status))

    return step


def check(name, *arguments):
    """tests/checks/NAME.py, and the test that shows that it trips."""
    return (
        program(sys.executable, f"tests/checks/{name}.py", *arguments),
        unittest("tests/checks/self_test.py", name, doing="testing the check itself"),
    )


def configure(run, preset, *options):
    """Configures a preset with the compiler that it is for."""
    compiler = {"CXX": "g++", "CC": "gcc"}
    if preset in ("linux-asan", "linux-fuzz"):
        # gcc has no fuzzer, and it warns of what its own sanitizers put into the code.
        compiler = {"CXX": "clang++-19", "CC": "clang-19"}
        options = (*options, "-DNETCORE_WERROR=ON")
    elif preset == "windows-mingw":
        compiler = {}
    run.must("cmake", "--preset", preset, *options, env=compiler)


def built(preset, *targets):
    """Configures and builds a preset, all of it if no target is named. What another suite of this run
    has built is not built again."""

    def step(run):
        with run.share(f"building {preset}", COMPUTES, tree=preset):
            done = run.trees.setdefault(preset, set())
            if "all" in done:
                return
            if "configured" not in done:
                configure(run, preset)
                done.add("configured")
            target_options = ("--target", *targets) if targets else ()
            run.must(
                "cmake", "--build", "--preset", preset, "--parallel", run.jobs, *target_options
            )
            if not targets:
                done.add("all")

    return step


def only_configured(preset):
    """A build tree that is never built: it tells what would be compiled, each source by itself."""

    def step(run):
        with run.share(f"configuring {preset}", COMPUTES):
            configure(
                run, preset, "-B", ROOT / "build/names" / preset, "-DNETCORE_UNITY_BUILD=OFF"
            )

    return step


def ctest(preset, parts, per_part):
    """A preset's tests, `per_part` at once for each core that the step has."""

    def step(run):
        junit = LOGS / f"{run.name}.xml"
        junit.unlink(missing_ok=True)
        if preset == "windows-mingw":
            WINE_STARTS.unlink(missing_ok=True)
        with run.share("testing", parts):
            status = run.command(
                *launcher(preset),
                *("ctest", "--preset", preset, "--parallel", run.jobs * per_part),
                *("--output-junit", junit, "--test-output-size-passed", 65536),
            )
        run.count(*results.of_junit(junit, status))
        if preset == "windows-mingw" and WINE_STARTS.exists():
            run.notes += WINE_STARTS.read_text().splitlines()

    return step


def launcher(preset):
    # gcc 12's ThreadSanitizer can't run where the kernel spreads addresses as newer ones do.
    command = ("setarch", "--addr-no-randomize")
    if preset != "linux-tsan":
        return ()
    try:
        works = subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        works = False
    return command if works else ()


def fuzzed(preset):
    """Each fuzz target for a while, one case each, on every core one: from the corpus in the tree, and
    from what earlier runs added to it below build/."""

    def step(run):
        build = ROOT / "build" / preset
        targets = sorted(path.stem for path in (ROOT / "tests/fuzz").glob("*_fuzz.cpp"))
        with run.share("fuzzing", COMPUTES):
            with concurrent.futures.ThreadPoolExecutor(run.jobs) as pool:
                ends = list(pool.map(lambda target: fuzz(run, target, build), targets))
        failures = [judge_fuzz(run, build / "bin" / end[0], *end[1:]) for end in ends]
        for line in filter(None, failures):  # at the end of the log, where it is seen
            run.say(line)
        if not targets:
            raise Failed

    return step


def fuzz(run, target, build):
    """Runs one target for its while. Returns its name, its status and what it printed."""
    corpus, crashes, logs = build / "corpus" / target, build / "crashes" / target, build / "runs"
    seeds = ROOT / "tests/fuzz/corpus" / target
    for folder in (corpus, crashes, logs, seeds):
        folder.mkdir(parents=True, exist_ok=True)
    log = logs / f"{target}.log"
    seed = random.SystemRandom().randrange(1, 2**31)
    log.write_text(f"---- {target}, seed {seed}\n")
    # The limits are far beyond what a busy machine needs: only an input without an end meets them.
    status = run.command(
        *(build / "bin" / target, f"-seed={seed}", f"-max_total_time={FUZZ_SECONDS}"),
        *("-timeout=120", "-verbosity=1", "-print_final_stats=1"),
        *(f"-artifact_prefix={crashes}/", corpus, seeds),
        log=log,
        limit_s=FUZZ_SECONDS + 300,
    )
    return target, status, log.read_text(errors="replace")


def judge_fuzz(run, program_path, status, output):
    """Counts one target's run. Returns a line about it if it failed."""
    run.say(results.without_noise(output))
    counts = results.of_fuzzing(output, status)
    run.count(counts)
    if not counts.failed:
        return ""
    inputs = re.findall(r"Test unit written to (.*)", output)
    again = f"; once more: {program_path} {inputs[-1]}" if inputs else ""
    return f"failed: {program_path.name}, status {status}{again}"
