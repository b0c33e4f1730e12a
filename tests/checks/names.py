#!/usr/bin/env python3
"""Names are in the project's style, and a few kinds of bugs are absent: clang-tidy with .clang-tidy.

Usage: names.py BUILD... [--root ROOT]; each BUILD holds a compile_commands.json, of Linux or of
MinGW. CLANG_TIDY names the program, NETCORE_JOBS how many run at once. Of tests/ and benchmarks/, which
are half of the sources, only those are looked at that changed (changed.py); --all looks at all.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys

import changed

CLANG_TIDY = os.environ.get("CLANG_TIDY", "clang-tidy-19")
JOBS = int(os.environ.get("NETCORE_JOBS") or os.cpu_count() or 1)
IF_CHANGED = ("tests/", "benchmarks/")
REFUSED = "tests/refused"  # what must not compile


def sources(build, root):
    """The project's own files in a build's compile commands, and whether it is for Windows."""
    commands = json.loads((build / "compile_commands.json").read_text())
    own = [entry for entry in commands if pathlib.Path(entry["file"]).is_relative_to(root)]
    for folder in (build, root / REFUSED):
        own = [entry for entry in own if not pathlib.Path(entry["file"]).is_relative_to(folder)]
    windows = any("mingw32" in entry["command"].split(" -")[0] for entry in commands)
    return [entry["file"] for entry in own], windows


def those_to_look_at(work, root):
    """Without what has not changed in the folders of IF_CHANGED."""
    differing = changed.changed_files(root)
    if differing is None or ".clang-tidy" in differing:
        return work
    name = {file: pathlib.Path(file).relative_to(root).as_posix() for _, _, file in work}
    chosen = changed.to_look_at(root, list(name.values()), differing, IF_CHANGED)
    return [job for job in work if name[job[2]] in chosen]


def tidy(build, windows, file):
    """clang-tidy's complaints about `file`, empty if there are none."""
    # What only gcc knows in the compile commands is no concern of the sources.
    options = ["--quiet", "--extra-arg=-Wno-unknown-warning-option", "--extra-arg=-Wno-error"]
    options += ["--extra-arg=-Wno-ignored-optimization-argument", "--extra-arg=-Wno-ignored-gch"]
    if windows:
        options.append("--extra-arg=--target=x86_64-w64-mingw32")
    result = subprocess.run(
        [CLANG_TIDY, "-p", str(build), *options, file],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        check=False,
    )
    if result.returncode == 0:
        return ""
    return result.stdout or result.stderr


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("builds", nargs="+", type=pathlib.Path)
    parser.add_argument("--root", type=pathlib.Path)
    parser.add_argument("--all", action="store_true")
    arguments = parser.parse_args()
    root = (arguments.root or pathlib.Path(__file__).parents[2]).resolve()
    work = []
    seen = set()
    for build in arguments.builds:
        files, windows = sources(build.resolve(), root)
        for file in files:  # what both systems share needs one look
            if file not in seen:
                seen.add(file)
                work.append((build, windows, file))
    if not work:
        sys.exit("no sources of ours in the compile commands")
    everything = len(work)
    if not arguments.all:
        work = those_to_look_at(work, root)
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        complaints = [text for text in pool.map(lambda job: tidy(*job), work) if text]
    for text in complaints:
        print(text)
    print(f"{len(work)} of {everything} files looked at")
    sys.exit(1 if complaints else 0)


if __name__ == "__main__":
    main()
