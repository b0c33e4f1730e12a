#!/usr/bin/env python3
"""Threads wait with condition variables, and on no value that somebody changes.

libstdc++ may lose the wake-up of std::atomic::wait where there is no futex, as on Windows: it looks
at the value before it takes the lock that it sleeps with (GCC 12, bits/atomic_wait.h). Its barrier,
latch and semaphores are built on that. What only POSIX systems compile may wait on an int.

A condition variable's lock has the name `lock`, by which it is known here.

Usage: waits.py [ROOT]
"""

import re

from source_tree import code, includes, run, source_files

HEADERS = ("barrier", "latch", "semaphore")
WAIT = re.compile(r"(?:\.|->)wait\((?!\s*(?:lock\b|\)))")


def check(root):
    for path in source_files(root):
        file = path.relative_to(root).as_posix()
        for line, included in includes(path):
            if included in HEADERS:
                yield f"{file}:{line}: includes {included}, which may lose a wake-up"
        if path.stem.endswith("_posix"):
            continue
        text = code(path)
        for match in WAIT.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            yield f"{file}:{line}: waits on a value, and may lose a wake-up"


if __name__ == "__main__":
    run(check)
