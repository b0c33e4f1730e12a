"""An older commit of netcore, built beside this one, for `benchmarks/run X --against REF`."""

import dataclasses
import fcntl
import functools
import os
import pathlib
import re
import subprocess
import sys

from support.machine import BUILD, ROOT, first_line
from support.processes import Failure

PRESET = "linux-release"
FOLDER = ROOT / "build" / "against"
BUILD_SECONDS = 1800
# What decides how the programs come out; it has to be the same in both builds.
SETTINGS = ("CMAKE_CXX_COMPILER", "CMAKE_BUILD_TYPE", "CMAKE_CXX_FLAGS", "CMAKE_CXX_FLAGS_RELEASE",
            "NETCORE_UNITY_BUILD", "CMAKE_INTERPROCEDURAL_OPTIMIZATION")  # fmt: skip


@dataclasses.dataclass(frozen=True)
class OldTree:
    ref: str
    commit: str
    bin: pathlib.Path

    def command(self, program, options):
        """How to start its program with options of the new driver: without those that it does not
        know, which are told."""
        path = self.bin / program
        if not path.exists():
            raise Failure(f"{self.ref} has no {program}")
        return [str(path), *known(path, list(map(str, options)))]


def known(program, options):
    """Those of `options` that the program's --help names, each with its values."""
    result = subprocess.run([program, "--help"], stdin=subprocess.DEVNULL, capture_output=True,
                            text=True, timeout=10, check=False)  # fmt: skip
    names = set(re.findall(r"--[a-z][a-z0-9-]*", result.stdout + result.stderr))
    kept, dropped, to = [], [], None
    for word in options:
        if word.startswith("--"):
            to = kept if word.split("=")[0] in names else dropped
        (kept if to is None else to).append(word)
    if dropped:
        tell(f"{program}: left out what it does not know: {' '.join(dropped)}")
    return kept


@functools.cache  # each text once
def tell(text):
    print(text, file=sys.stderr, flush=True)


def git(*arguments, tree=ROOT):
    return first_line("git", "-C", str(tree), *arguments)


def build(ref, targets):
    """Checks `ref` out to build/against/COMMIT, a git worktree, and builds `targets` there as the
    new ones are built. What is there already is used again. Raises Failure."""
    commit = git("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
    if commit is None:
        raise Failure(f"{ref} is no commit of this repository")
    tree = FOLDER / commit[:12]
    FOLDER.mkdir(parents=True, exist_ok=True)
    log = FOLDER / f"{commit[:12]}.log"
    with open(log, "w", encoding="utf-8") as output:
        fcntl.flock(output, fcntl.LOCK_EX)  # another run may want the same commit
        check_out(commit, tree, output)
        print(f"building {ref} ({commit[:12]}) in {tree.relative_to(ROOT)}", file=sys.stderr)
        quietly(["cmake", "--preset", PRESET], tree, output)
        jobs = str(os.cpu_count())
        quietly(["cmake", "--build", "--preset", PRESET, "--parallel", jobs, "--target", *targets],
                tree, output)  # fmt: skip
    compare_settings(BUILD, tree / "build" / PRESET)
    return OldTree(ref, commit[:12], tree / "build" / PRESET / "bin")


def check_out(commit, tree, output):
    if not tree.exists():
        command = ["git", "-C", str(ROOT), "worktree", "add", "--force", "--detach", str(tree), commit]
        return quietly(command, ROOT, output)
    if git("rev-parse", "--show-toplevel", tree=tree) != str(tree):
        raise Failure(f"{tree} is no git worktree; remove it")
    if git("rev-parse", "HEAD", tree=tree) != commit or git("status", "--porcelain", tree=tree):
        raise Failure(f"{tree} is not what was checked out there; remove it with:"
                      f" git worktree remove --force {tree}")  # fmt: skip


def quietly(command, folder, output):
    """Shows of a command's output only the end, and only if it fails."""
    environment = {**os.environ, "CXX": "g++", "CC": "gcc"}  # as benchmarks/run has it
    try:
        status = subprocess.run(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=output,
            stderr=subprocess.STDOUT, timeout=BUILD_SECONDS, check=False,
        ).returncode  # fmt: skip
    except subprocess.TimeoutExpired:
        status = f"no end within {BUILD_SECONDS} s"
    if status != 0:
        lines = pathlib.Path(output.name).read_text(encoding="utf-8", errors="replace").splitlines()
        print("\n".join(lines[-30:]), file=sys.stderr)
        raise Failure(f"{' '.join(map(str, command[:2]))} failed, status {status} ({output.name})")


def settings(build_tree):
    text = (build_tree / "CMakeCache.txt").read_text(encoding="utf-8")
    return {name: match[1] for name in SETTINGS
            if (match := re.search(rf"^{name}:\w+=(.*)$", text, re.MULTILINE))}  # fmt: skip


def compare_settings(new, old):
    ours, theirs = settings(new), settings(old)
    for name in ours.keys() & theirs.keys():
        if ours[name] != theirs[name]:
            raise Failure(f"{name} is '{ours[name]}' in {new} and '{theirs[name]}' in {old}")
