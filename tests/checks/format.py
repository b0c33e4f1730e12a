#!/usr/bin/env python3
"""Every source file is as clang-format leaves it.

Usage: format.py [ROOT]; CLANG_FORMAT names the program.
"""

import os
import re
import subprocess

from source_tree import run, source_files

CLANG_FORMAT = os.environ.get("CLANG_FORMAT", "clang-format-19")


def check(root):
    files = [str(path.relative_to(root)) for path in source_files(root)]
    if not files:
        yield f"there are no sources below {root}"
        return
    result = subprocess.run(
        [CLANG_FORMAT, "--dry-run", "-Werror", *files],
        cwd=root,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if result.returncode != 0:
        wrong = sorted(set(re.findall(r"^(\S+?):\d+:\d+: error:", result.stdout, re.MULTILINE)))
        yield f"mend it with: {CLANG_FORMAT} -i {' '.join(wrong)}" if wrong else result.stdout


if __name__ == "__main__":
    run(check)
