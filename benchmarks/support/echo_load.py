"""The load of the echo benchmarks, netcore_echo_load, on one server or on several in turns."""

import dataclasses
import json

from support.processes import run


@dataclasses.dataclass(frozen=True)
class Load:
    """So many connections to each server, bytes a message, messages in a burst; each server gets so
    many seconds of it, in so many turns."""

    connections: int
    size: int
    seconds: float
    pipeline: int = 1
    turns: int = 1


def run_load(place, program, targets, load, *more):
    """`targets`: (port, process id) of each server; `more`: further arguments. Returns what the
    program found of each."""
    command = [program, "--seconds", load.seconds, "--turns", load.turns]
    for port, process_id in targets:
        command += ["--port", port, "--server", process_id]
    command += ["--connections", load.connections, "--size", load.size]
    command += ["--pipeline", load.pipeline, *more]
    limit = len(targets) * (load.seconds + 60)
    return json.loads(run(place, [str(word) for word in command], limit))
