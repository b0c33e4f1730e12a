"""What a benchmark ran on, and where its programs lie."""

import datetime
import os
import pathlib
import platform
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "linux-release"


def built_program(name):
    return str(BUILD / "bin" / name)


def first_line(*command):
    """The first line of what a command prints, or None."""
    try:
        result = subprocess.run(
            command, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return result.stdout.split("\n", 1)[0].strip() or None


def cached(variable):
    """A variable of the build's CMakeCache.txt, or None."""
    text = (BUILD / "CMakeCache.txt").read_text(encoding="utf-8")
    match = re.search(rf"^{re.escape(variable)}:\w+=(.+)$", text, re.MULTILINE)
    return match.group(1) if match else None


def processor():
    text = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8")
    match = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return match.group(1) if match else platform.machine()


def describe(libraries, tcp=None):
    """Machine, kernel, compiler and versions; `libraries` are Debian's packages to name, `tcp` is what
    network.enter returned."""
    compiler = cached("CMAKE_CXX_COMPILER") or "c++"
    versions = {name: first_line("dpkg-query", "-W", "-f", "${Version}", name) for name in libraries}
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    flags = [cached("CMAKE_CXX_FLAGS"), cached("CMAKE_CXX_FLAGS_RELEASE")]
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(pages / 2**30),
        "virtual": "hypervisor" in pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8"),
        "kernel": platform.release(),
        "tcp_congestion_control": tcp,
        "compiler": first_line(compiler, "--version"),
        "flags": " ".join(flag for flag in flags if flag),
        "commit": first_line("git", "-C", str(ROOT), "describe", "--always", "--dirty"),
        "date": datetime.date.today().isoformat(),
        **versions,
    }
