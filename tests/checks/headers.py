#!/usr/bin/env python3
"""Each header of netcore/ compiles alone, and twice.

Usage: headers.py [ROOT]; CXX and MINGW_CXX name the compilers, NETCORE_JOBS how many
run at once. Without the latter compiler the headers of port/windows are left out, and said to be.
"""

import concurrent.futures
import os
import shutil
import subprocess

from source_tree import run, source_files

FLAGS = ("-std=c++20", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", "-x", "c++")
COMPILER = os.environ.get("CXX", "g++")
JOBS = int(os.environ.get("NETCORE_JOBS") or os.cpu_count() or 1)
MINGW_COMPILER = os.environ.get("MINGW_CXX", "x86_64-w64-mingw32-g++-posix")


def compiler_for(header):
    return MINGW_COMPILER if header.startswith("netcore/port/windows/") else COMPILER


def compile_alone(root, header):
    """The compiler's complaints about `header`, empty if there are none."""
    program = f'#include "{header}"\n#include "{header}"\n'
    result = subprocess.run(
        [compiler_for(header), *FLAGS, f"-I{root}", "-"],
        cwd=root,
        input=program,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=600,
        check=False,
    )
    if result.returncode == 0:
        return ""
    return f"{header}: does not compile alone\n{result.stdout}"


def check(root):
    headers = [path.relative_to(root).as_posix() for path in source_files(root, ("netcore",))]
    headers = [header for header in headers if header.endswith(".h")]
    if not headers:
        yield f"there are no headers below {root}/netcore"
    if not shutil.which(MINGW_COMPILER):
        print(f"left out, for want of {MINGW_COMPILER}: netcore/port/windows")
        headers = [header for header in headers if compiler_for(header) != MINGW_COMPILER]
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        for complaint in pool.map(lambda header: compile_alone(root, header), headers):
            if complaint:
                yield complaint


if __name__ == "__main__":
    run(check)
