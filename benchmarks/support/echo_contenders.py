"""Who takes part in `benchmarks/run echo`, in what, and what netcore must reach there."""

import dataclasses

from support.machine import built_program

# Name: how it is called in a table, the program, its options.
CONTENDERS = {
    "io_uring": ("netcore, io_uring", "netcore_echo_netcore", ["--backend", "io_uring"]),
    "epoll": ("netcore, epoll", "netcore_echo_netcore", ["--backend", "epoll"]),
    "raw_epoll": ("raw epoll loop", "netcore_echo_raw_epoll", []),
    "raw_io_uring": ("raw io_uring loop", "netcore_echo_raw_uring", []),
}
BASE = "raw_epoll"
OURS = ("io_uring", "epoll")


@dataclasses.dataclass(frozen=True)
class Workload:
    """One row: so many connections, bytes a message and messages a burst. Answered as the bytes
    arrive, or each message by a send of its own."""

    connections: int
    size: int
    pipeline: int
    by_message: bool = False

    def title(self):
        answer = ", a send each" if self.by_message else ""
        return f"N {self.connections}, {self.size} B, P {self.pipeline}{answer}"


def server_command(contender, workload):
    _, program, _ = CONTENDERS[contender]
    return [built_program(program), *server_options(contender, workload)]


def server_options(contender, workload):
    _, _, options = CONTENDERS[contender]
    return [*options, *(["--message", str(workload.size)] if workload.by_message else [])]


def workloads(connections, sizes, pipelines, ways):
    """All that were asked for. A send a message is of interest where several messages are there to
    be joined, and small."""
    found = []
    if "stream" in ways:
        found += [Workload(n, s, p) for p in pipelines for s in sizes for n in connections]
    if "message" in ways:
        found += [
            Workload(n, s, p, True)
            for p in pipelines
            for s in sizes
            for n in connections
            if p > 1 and s <= 1024
        ]
    return found


def required(contender, workload):
    """At least so many times the raw epoll loop's echoes a CPU second; None: nothing is asked."""
    w = workload
    if contender not in OURS:
        return None
    if w.by_message:
        return 8.0 if w.pipeline == 16 and w.size == 32 and w.connections in (64, 512) else None
    if w.pipeline != 1:
        return None
    if w.size == 16384 or (w.connections == 1 and w.size == 32):
        return 0.95
    if w.size == 32 and w.connections in (64, 512):
        return 1.0 if contender == "io_uring" else 0.9
    return None


def most_system_calls(contender, workload):
    """Fewer than so many a message; None: nothing is asked."""
    return 1.0 if contender == "io_uring" and workload.connections >= 64 else None
