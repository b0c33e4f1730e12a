"""Starting the programs of a benchmark, each on a core of its own."""

import contextlib
import dataclasses
import os
import re
import select
import subprocess
import time

START_SECONDS = 10

# A benchmark's own servers say the port alone, the samples also the address and what they run on.
READY = re.compile(r"^listening on (?:\S+:)?(\d+)(?: \(.*\))?$", re.MULTILINE)


class Failure(Exception):
    """A program of the benchmark did not do its part."""


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a program runs: on one core, or on any of several ("0,1"), and before all others there
    if `real_time`."""

    core: int | str
    real_time: bool = False

    def run(self, command):
        first = ["chrt", "--fifo", "10"] if self.real_time else []
        return ["taskset", "-c", str(self.core), *first, *command]


def read_port(process):
    """Waits for the line that says where a server listens."""
    deadline = time.monotonic() + START_SECONDS
    text = ""
    while (match := READY.search(text)) is None:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([process.stdout], [], [], left)[0]:
            raise Failure("the server did not say where it listens")
        chunk = os.read(process.stdout.fileno(), 4096).decode()
        if not chunk:
            raise Failure(f"the server ended at once, with status {process.wait()}")
        text += chunk
    return int(match.group(1))


@contextlib.contextmanager
def server(place, command):
    """A server at `place`: yields its process and its port, and ends it afterwards. A server that
    has ended by itself is a Failure."""
    process = subprocess.Popen(
        place.run(command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    )
    try:
        yield process, read_port(process)
        if process.poll() is not None:
            raise Failure(f"the server ended by itself, with status {process.returncode}")
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait()
        process.stdout.close()


def run(place, command, limit_seconds):
    """Runs a program at `place` to its end and returns what it printed."""
    try:
        result = subprocess.run(
            place.run(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            timeout=limit_seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as expired:
        raise Failure(f"{command[0]} took longer than {limit_seconds} s") from expired
    if result.returncode != 0:
        printed = result.stderr.strip() or result.stdout.strip()
        raise Failure(f"{command[0]} ended with {result.returncode}: {printed}")
    return result.stdout
