#!/usr/bin/env python3
"""The system shows only in netcore/port/windows and netcore/port/linux.

Everywhere else in netcore/ there is no #if on the platform and no system header. The public headers,
which are all that netcore/netcore.h brings, have no third-party header either.

Usage: platform_free.py [ROOT]
"""

import re

from source_tree import directives, includes, run, source_files

PLATFORM_FOLDERS = ("netcore/port/windows/", "netcore/port/linux/")
THIRD_PARTY = ("fmt/",)  # for the library's own sources
PUBLIC_FACE = "netcore/netcore.h"
CONDITIONALS = ("if", "ifdef", "ifndef", "elif", "elifdef", "elifndef")
PLATFORM_MACRO = re.compile(
    r"\b(_?WIN(32|64)|__WIN(32|64)(__)?|__(linux|unix|APPLE|MACH|FreeBSD|ANDROID|CYGWIN)(__)?"
    r"|linux|unix|_MSC_\w+|__MINGW\w*|__GNUC__|__GLIBC__|__clang__|_WINDOWS|NETCORE_(WINDOWS|LINUX))\b"
)
STANDARD_HEADERS = frozenset(
    """
    algorithm any array atomic barrier bit bitset cassert cctype cerrno cfenv cfloat charconv chrono
    cinttypes climits clocale cmath codecvt compare complex concepts condition_variable coroutine
    csetjmp csignal cstdarg cstddef cstdint cstdio cstdlib cstring ctime cuchar cwchar cwctype deque
    exception execution filesystem format forward_list fstream functional future initializer_list
    iomanip ios iosfwd iostream istream iterator latch limits list locale map memory memory_resource
    mutex new numbers numeric optional ostream queue random ranges ratio regex scoped_allocator
    semaphore set shared_mutex source_location span sstream stack stdexcept stop_token streambuf
    string string_view syncstream system_error thread tuple type_traits typeindex typeinfo
    unordered_map unordered_set utility valarray variant vector version
    """.split()
)


def public_headers(root):
    """What PUBLIC_FACE brings, itself included."""
    found = set()
    waiting = [PUBLIC_FACE]
    while waiting:
        file = waiting.pop()
        if file not in found and (root / file).is_file():
            found.add(file)
            waiting += [name for _, name in includes(root / file) if name.startswith("netcore/")]
    return found


def complaint_about_include(included, is_public):
    if included.startswith("netcore/") or included in STANDARD_HEADERS:
        return None
    if included.startswith(THIRD_PARTY):
        return "no third-party header in a public header" if is_public else None
    return "no system header outside port/windows and port/linux"


def check(root):
    public = public_headers(root)
    if not public:
        yield f"{PUBLIC_FACE} is missing, so nobody knows which headers are public"
    for path in source_files(root, ("netcore",)):
        file = path.relative_to(root).as_posix()
        if file.startswith(PLATFORM_FOLDERS):
            continue
        for line, included in includes(path):
            complaint = complaint_about_include(included, file in public)
            if complaint:
                yield f"{file}:{line}: includes {included}: {complaint}"
        for line, keyword, condition in directives(path):
            if keyword in CONDITIONALS and PLATFORM_MACRO.search(condition):
                yield f"{file}:{line}: #{keyword} {condition}: no #if on the platform"


if __name__ == "__main__":
    run(check)
