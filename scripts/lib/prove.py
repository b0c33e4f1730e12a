"""Runs the proofs of tests/prove and records their figures. scripts/prove starts it.

A proof is a module tests/prove/NAME.py with

    WHAT = "one line that says what is proved"
    TARGETS = ("netcore_port_tests",)   # CMake targets of linux-release; may be empty
    TIMEOUT_S = 300                     # optional
    PACKAGES = ("strace",)              # optional: Debian packages that it takes

    def prove(context):
        for name, value, unit in context.run_cases("netcore_port_tests", "[.prove]", timeout_s=60):
            context.figure(name, value, unit, at_most=20)

It runs in a process of its own, which is ended at the time-out. It fails if it raises, runs out of
time or reports no figure; the record then has a row that says so, besides the figures until then.
"""

import argparse
import dataclasses
import datetime
import fcntl
import importlib.util
import json
import math
import os
import pathlib
import platform
import re
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PRESET = "linux-release"
DEFAULT_TIMEOUT_S = 900
BUILD_TIMEOUT_S = 1800
COLUMNS = ("date", "commit", "machine", "proof", "figure", "value", "unit", "bound", "verdict")
FIGURE = re.compile(r"^figure: (.+?) = ([-+]?[\d.]+(?:[eE][-+]?\d+)?|[-+]?inf|nan)(?: (\S.*?))?\s*$")
PASSED = re.compile(r"^All tests passed \(\d+ assertions? in \d+ test cases?\)", re.MULTILINE)


class ProofFailed(Exception):
    """What was to be proved could not even be measured, or a program that does it failed."""


@dataclasses.dataclass(frozen=True)
class Proof:
    name: str
    what: str
    targets: tuple
    timeout_s: float
    packages: tuple
    path: pathlib.Path


@dataclasses.dataclass(frozen=True)
class Figure:
    name: str
    value: float
    unit: str
    at_most: float | None = None
    at_least: float | None = None

    def holds(self):
        """A value that is no number holds no bound."""
        return (self.at_most is None or self.value <= self.at_most) and (
            self.at_least is None or self.value >= self.at_least
        )

    def bound(self):
        bounds = [("at least", self.at_least), ("at most", self.at_most)]
        return ", ".join(f"{word} {limit:.6g}" for word, limit in bounds if limit is not None)

    def verdict(self):
        if not self.bound():
            return "no bound"
        return "holds" if self.holds() else "MISSED"


class Context:
    """What a proof gets. `root` is the tree, `bin` the folder of the programs built."""

    def __init__(self, root, bin_folder, on_figure):
        self.root = pathlib.Path(root)
        self.bin = pathlib.Path(bin_folder)
        self._on_figure = on_figure

    def figure(self, name, value, unit, *, at_most=None, at_least=None):
        """Reports one result. The proof goes on also if the bound is missed. Returns whether the
        bound holds."""
        figure = Figure(name, float(value), unit, at_most, at_least)
        self._on_figure(figure)
        return figure.holds()

    def run(self, command, timeout_s=600, allowed=(0,), **more):
        """Runs a program to its end and returns what it printed to stdout. Raises ProofFailed if it
        takes longer, or ends with a status that is not `allowed`."""
        command = [str(word) for word in command]
        try:
            result = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                errors="replace", timeout=timeout_s, check=False, **more,
            )  # fmt: skip
        except FileNotFoundError as error:
            raise ProofFailed(f"{command[0]} is missing") from error
        except subprocess.TimeoutExpired as error:
            raise ProofFailed(f"{command[0]} took longer than {timeout_s} s") from error
        if result.returncode not in allowed:
            print(result.stdout[-4000:], flush=True)
            raise ProofFailed(f"{' '.join(command)} ended with status {result.returncode}")
        return result.stdout

    def run_cases(self, program, *cases, timeout_s=600, prefix=(), **more):
        """Runs cases of a test program, named by names or tags, hidden ones too. `prefix` is a
        command that runs the program, such as ("taskset", "-c", "0"). Returns (name, value, unit)
        of each line "figure: NAME = VALUE UNIT" that they print. Raises ProofFailed if a case fails
        or if there is no such case."""
        if not cases:
            raise ProofFailed(f"no cases of {program} were named")
        # A comma separates alternatives, unless it is part of a name.
        chosen = ",".join(case.replace(",", "\\,") for case in cases)
        command = [*prefix, self.bin / program, chosen]
        printed = self.run(command, timeout_s, allowed=(0,), **more)
        if not PASSED.search(printed):
            print(printed[-4000:], flush=True)
            raise ProofFailed(f"{program} {' '.join(cases)}: no case ran and checked something")
        found = (FIGURE.match(line) for line in printed.splitlines())
        return [(match[1], float(match[2]), match[3] or "") for match in found if match]


def load(path):
    spec = importlib.util.spec_from_file_location(f"proof_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def find(folder):
    """All proofs of a folder, by name. Raises ProofFailed for a module that is none."""
    proofs = {}
    for path in sorted(pathlib.Path(folder).glob("[a-z]*.py")):
        module = load(path)
        targets = getattr(module, "TARGETS", None)
        if not isinstance(getattr(module, "WHAT", None), str) or not callable(
            getattr(module, "prove", None)
        ):
            raise ProofFailed(f"{path.name} has no WHAT or no prove(context)")
        if not isinstance(targets, (tuple, list)):
            raise ProofFailed(f"{path.name} has no tuple TARGETS")
        timeout_s = getattr(module, "TIMEOUT_S", DEFAULT_TIMEOUT_S)
        packages = tuple(getattr(module, "PACKAGES", ()))
        proofs[path.stem] = Proof(
            path.stem, module.WHAT, tuple(targets), timeout_s, packages, path
        )
    return proofs


def run_here(proof, root, bin_folder, output):
    """The process of one proof: writes a line of JSON a figure to `output`, and one of the error if
    the proof raises."""
    def write(entry):
        os.write(output, (json.dumps(entry) + "\n").encode())

    sys.path.insert(0, str(root / "benchmarks"))  # support.processes and what else proofs share
    try:
        context = Context(root, bin_folder, lambda figure: write(dataclasses.asdict(figure)))
        load(proof.path).prove(context)
    except BaseException as error:  # also sys.exit inside a proof: it is no success
        write({"error": f"{type(error).__name__}: {error}"})
        if not isinstance(error, ProofFailed):
            raise
        return 1
    write({"done": True})
    return 0


def run_apart(proof, root, bin_folder):
    """Runs a proof in a process group of its own. Returns its figures and why it failed, or None."""
    sys.stdout.flush()
    read_end, write_end = os.pipe()
    arguments = ["--run-here", str(write_end), "--root", root, "--folder", proof.path.parent]
    process = subprocess.Popen(
        [sys.executable, __file__, *map(str, arguments), "--bin", str(bin_folder), proof.name],
        stdin=subprocess.DEVNULL, pass_fds=(write_end,), start_new_session=True,
    )  # fmt: skip
    os.close(write_end)
    deadline = time.monotonic() + proof.timeout_s
    text, late = b"", False
    os.set_blocking(read_end, False)
    try:
        while not has_ended(process):
            text += take(read_end)
            if time.monotonic() > deadline:
                late = True
                break
            time.sleep(0.02)
    finally:
        end_group(process)
    text += take(read_end)
    os.close(read_end)
    return judge(proof, text, process.returncode, late)


def take(descriptor):
    """What a pipe that does not block has."""
    text = b""
    try:
        while chunk := os.read(descriptor, 65536):
            text += chunk
    except BlockingIOError:
        pass
    return text


def has_ended(process):
    """Whether it has, and leaves it to be waited for: until then no other process group can get its
    number."""
    options = os.WEXITED | os.WNOHANG | os.WNOWAIT
    return os.waitid(os.P_PID, process.pid, options) is not None


def end_group(process):
    """Ends the proof if it still runs, and what it left behind."""
    if not has_ended(process):
        os.killpg(process.pid, signal.SIGTERM)
        time.sleep(0.5)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def judge(proof, text, status, late):
    entries = [json.loads(line) for line in text.decode().splitlines()]
    errors = [entry["error"] for entry in entries if "error" in entry]
    figures = [Figure(**entry) for entry in entries if "name" in entry]
    if late:
        return figures, f"took longer than {proof.timeout_s:g} s"
    if errors:
        return figures, errors[0]
    if status != 0 or not any("done" in entry for entry in entries):
        return figures, f"ended with status {status}"
    return figures, None if figures else "reported no figure"


def first_line(*command):
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return result.stdout.split("\n", 1)[0].strip()


def commit(root, record):
    """The commit in short; with a "+" if the tree has changes besides the record."""
    name = first_line("git", "-C", str(root), "rev-parse", "--short", "HEAD") or "unknown"
    others = (".", f":(exclude){os.path.relpath(record, root)}")
    changed = first_line("git", "-C", str(root), "status", "--porcelain", "--", *others)
    return name + ("+" if changed else "")


def machine():
    text = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8")
    match = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    model = match.group(1) if match else platform.machine()
    compiler = first_line("g++", "--version") or "no g++"
    return f"{model}, {os.cpu_count()} cores, Linux {platform.release()}, {compiler}"


def cell(value):
    return re.sub(r"\s+", " ", str(value)).strip()


def rows(proof, figures, failure, where):
    """The lines of the record: one a figure, and one more for a proof that failed."""
    found = [(f.name, f"{f.value:.6g}", f.unit, f.bound(), f.verdict()) for f in figures]
    if failure:
        found.append((failure, "", "", "the proof ends well", "FAILED"))
    return ["\t".join(map(cell, (*where, proof.name, *row))) for row in found]


def append(record, lines):
    record.parent.mkdir(parents=True, exist_ok=True)
    with open(record, "a", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if os.fstat(file.fileno()).st_size == 0:
            file.write("\t".join(COLUMNS) + "\n")
        file.write("".join(line + "\n" for line in lines))


def build(root, targets, jobs):
    """Configures and builds the targets, quietly unless it fails."""
    if not targets:
        return
    log = root / "build" / "prove.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    print(f"building {', '.join(targets)}", flush=True)
    environment = {**os.environ, "CXX": "g++", "CC": "gcc"}
    for command in (
        ["cmake", "--preset", PRESET],
        ["cmake", "--build", "--preset", PRESET, "--parallel", str(jobs), "--target", *targets],
    ):
        with open(log, "w", encoding="utf-8") as output:
            result = subprocess.run(
                command, cwd=root, env=environment, stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, timeout=BUILD_TIMEOUT_S, check=False,
            )  # fmt: skip
        if result.returncode != 0:
            sys.stderr.write("".join(open(log, encoding="utf-8", errors="replace").readlines()[-30:]))
            raise ProofFailed(f"{' '.join(command[:2])} failed (the whole output: {log})")


def run(proof, options):
    """One proof: builds, runs, prints, records. Returns whether it holds."""
    print(f"{proof.name}: {proof.what}", flush=True)
    began = time.monotonic()
    date = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    where = (date, commit(options.root, options.record), machine())
    try:
        if not options.no_build:
            build(options.root, proof.targets, os.cpu_count())
        figures, failure = run_apart(proof, options.root, options.bin)
    except (ProofFailed, OSError, subprocess.TimeoutExpired) as error:
        figures, failure = [], str(error)
    for figure in figures:
        bound = f" ({figure.bound()})" if figure.bound() else ""
        print(f"  {figure.name}: {figure.value:.6g} {figure.unit}{bound}: {figure.verdict()}")
    if failure:
        print(f"  FAILED: {failure}")
    append(options.record, rows(proof, figures, failure, where))
    holds = failure is None and all(figure.holds() for figure in figures)
    print(f"{proof.name}: {'holds' if holds else 'MISSED'} ({time.monotonic() - began:.0f} s)")
    sys.stdout.flush()
    return holds


def parse():
    parser = argparse.ArgumentParser(
        prog="scripts/prove", formatter_class=argparse.RawDescriptionHelpFormatter,
        description=__doc__.replace(" scripts/prove starts it.", ""),
    )  # fmt: skip
    add = parser.add_argument
    add("names", nargs="*", metavar="NAME", help="a proof, as --list shows them")
    add("--list", action="store_true", help="show what there is")
    add("--check", action="store_true", help="only whether all modules of tests/prove are proofs")
    add("--no-build", action="store_true", help="run what was built before")
    add("--record", type=pathlib.Path, metavar="FILE", help="instead of docs/proofs.tsv")
    add("--packages", action="store_true", help=argparse.SUPPRESS)
    add("--root", type=pathlib.Path, default=ROOT, help=argparse.SUPPRESS)
    add("--folder", type=pathlib.Path, help=argparse.SUPPRESS)
    add("--bin", type=pathlib.Path, help=argparse.SUPPRESS)
    add("--run-here", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.root = options.root.resolve()
    options.folder = (options.folder or options.root / "tests" / "prove").resolve()
    options.bin = (options.bin or options.root / "build" / PRESET / "bin").resolve()
    options.record = (options.record or options.root / "docs" / "proofs.tsv").resolve()
    return parser, options


def main():
    parser, options = parse()
    try:
        proofs = find(options.folder)
    except Exception as error:  # whatever a module raises when it is loaded
        print(f"prove: {type(error).__name__}: {error}", file=sys.stderr)
        return 2
    for name in options.names:
        if name not in proofs:
            print(f"prove: there is no proof '{name}' (see --list)", file=sys.stderr)
            return 2
    if options.list:
        for proof in proofs.values():
            print(f"{proof.name:16} {proof.what}")
        return 0
    if options.check:
        print(f"{len(proofs)} proofs in {options.folder}")
        return 0
    if options.packages:
        print(*(package for name in options.names for package in proofs[name].packages))
        return 0
    if not options.names:
        parser.print_help()
        return 2
    if options.run_here is not None:
        return run_here(proofs[options.names[0]], options.root, options.bin, options.run_here)
    held = [run(proofs[name], options) for name in options.names]
    if len(held) > 1:
        print(f"{sum(held)} of {len(held)} proofs hold")
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
