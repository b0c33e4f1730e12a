#!/usr/bin/env python3
# summary: what connections cost that only stay: memory, CPU, and the price of an echo beside them
# targets: echo_server netcore_echo_load
# packages: util-linux iproute2
"""Many connections to one echo server that are echoed once and then idle: the memory that each of
them takes, how fast they are accepted, the CPU that they take, and what an echo on other connections
costs beside them: it is echoed by that server and by one that has no others, a short turn each, so
that what else the machine does meets both. Each round holds more and more connections and closes
all; the backends take turns. Servers and clients are processes of their own; the servers have one
core, the clients another."""

import argparse
import contextlib
import os
import pathlib
import resource
import shlex
import statistics
import sys
import time

from support import against, old_tree
from support.echo_load import Load, run_load
from support.idle_server import IdleClients, IdleServer
from support.machine import BUILD, describe
from support.network import enter as enter_network
from support.processes import Failure, Place
from support.report import machine_lines, table, write_json, write_markdown

MOST_BYTES = 1536  # of the process, an idle session
MOST_RATIO = 1.1  # of an echo beside idle sessions to one alone
MOST_IDLE_CPU = 0.002  # of a core: somebody looks after blocked hooks some times a second
LIBRARIES = ("liburing-dev", "libfmt-dev")
CONNECT_SECONDS = 3  # until all are connected, and closed again
TURNS = 20  # of each server, while the load goes from one to the other


def parse_options():
    cores = sorted(os.sched_getaffinity(0))
    parser = argparse.ArgumentParser(prog="benchmarks/run idle", description=__doc__)
    add = parser.add_argument
    add("--connections", type=int, default=15_000, help="idle ones, at most")
    add("--steps", type=int, default=3, help="in how many steps there are so many")
    add("--backends", type=lambda text: text.split(","), default=["io_uring", "epoll"],
        metavar="NAME,...")
    add("--rounds", type=int, default=5)
    add("--seconds", type=float, default=1.0, help="of echoes at each step")
    add("--idle-seconds", type=float, default=3.0, help="in which nothing happens, each round")
    add("--echo-connections", type=int, default=64, help="that are not idle")
    add("--size", type=int, default=32, help="bytes of their messages")
    add("--bin", type=pathlib.Path, default=BUILD / "bin", metavar="FOLDER",
        help="where the programs are")
    add("--server-core", type=int, default=cores[-1])
    add("--client-core", type=int, default=cores[0])
    add("--real-time", action="store_true",
        help="SCHED_FIFO for server and load: what else the machine does has to wait (root)")
    add("--json", metavar="FILE")
    add("--markdown", metavar="FILE", help="a page with the lines <!-- idle: begin/end -->")
    add("--check", action="store_true", help="exit with 1 if a figure that is asked for is missed")
    against.add_options(add)
    return against.parse(parser, {"steps": 1, "idle_seconds": 0.2})


def load(options, servers):
    """CPU microseconds that one echo costs each of the servers, which take turns."""
    place = Place(options.client_core, options.real_time)
    targets = [(server.address[1], server.process.pid) for server in servers]
    asked = Load(options.echo_connections, options.size, options.seconds, turns=TURNS)
    results = run_load(place, options.bin / "netcore_echo_load", targets, asked)
    return [1e6 * result["server_cpu_seconds"] / result["messages"] for result in results]


def measure_round(options, server, alone, memory_before):
    """`alone` is a server of the same kind that has no idle connections."""
    found = {"alone_us": {}, "echo_us": {}, "accept_seconds": 0, "accept_cpu_seconds": 0}
    clients = IdleClients(server)
    for step in range(1, options.steps + 1):
        count = options.connections * step // options.steps
        seconds, cpu_seconds = clients.grow_to(count)
        found["accept_seconds"] += seconds
        found["accept_cpu_seconds"] += cpu_seconds
        found["alone_us"][count], found["echo_us"][count] = load(options, [alone, server])
    server.wait_for(options.connections)  # those of the load are gone
    found["session_bytes"] = (server.memory_bytes() - memory_before) / options.connections
    cpu, begin = server.cpu_seconds(), time.monotonic()
    time.sleep(options.idle_seconds)
    found["idle_cpu"] = (server.cpu_seconds() - cpu) / (time.monotonic() - begin)
    clients.close()
    found["bytes_kept"] = server.memory_bytes() - memory_before
    return found


def measure(options):
    """By backend: the rounds, and what the server said at its end."""
    place = Place(options.server_core, options.real_time)
    program = str(options.bin / "echo_server")
    servers, alone, rounds, before = {}, {}, {}, {}
    with contextlib.ExitStack() as running:
        for name in options.backends:
            servers[name] = server = running.enter_context(IdleServer(place, program, name))
            alone[name] = running.enter_context(IdleServer(place, program, name))
            load(options, [alone[name], server])  # all that is taken once, and kept
            server.wait_for(0)
            rounds[name], before[name] = [], server.memory_bytes()
        for number in range(options.rounds):
            for name, server in servers.items():
                rounds[name].append(measure_round(options, server, alone[name], before[name]))
                tell_round(number, name, rounds[name][-1])
    # What a server said stands there once it has ended.
    return {
        name: summarize(options, rounds[name], server.printed) for name, server in servers.items()
    }


ROWS = {
    "session_bytes": ("memory an idle session", "bytes"),
    "accept_cpu_seconds": ("server's CPU for all accepts", "s"),
    "echo_us": ("CPU of an echo beside all", "us"),
}


def compared(options, running, old, backend):
    """Old and new on one backend, as against.py wants them. Their servers run until `running` ends;
    each has a twin without idle connections."""
    place = Place(options.server_core, options.real_time)
    programs = {"old": str(old.bin / "echo_server"), "new": str(options.bin / "echo_server")}
    servers, before = {}, {}
    for side, program in programs.items():
        pair = [running.enter_context(IdleServer(place, program, backend)) for _ in range(2)]
        load(options, pair)  # all that is taken once, and kept
        pair[0].wait_for(0)
        servers[side], before[side] = pair, pair[0].memory_bytes()
    rows = {key: against.Row(f"{backend:8} {title}", unit, less=True)
            for key, (title, unit) in ROWS.items()}  # fmt: skip

    def measure_side(side):
        found = measure_round(options, *servers[side], before[side])
        found["echo_us"] = found["echo_us"][options.connections]
        return {row: found[key] for key, row in rows.items()}

    def measure_sides(sides):
        return {side: measure_side(side) for side in sides}

    seconds = 2 * (options.steps * 2 * options.seconds + options.idle_seconds + CONNECT_SECONDS)
    return against.Group(backend, seconds, measure_sides)


def compare(options, tcp):
    """`benchmarks/run idle --against REF`: echo_server of REF against that of the tree."""
    try:
        old = old_tree.build(options.against, ["echo_server"])
        with contextlib.ExitStack() as running:
            groups = [compared(options, running, old, backend) for backend in options.backends]
            return against.compare("idle", options, old, groups, LIBRARIES, tcp)
    except Failure as failure:
        print(f"benchmarks/run idle: {failure}", file=sys.stderr)
        return 1


def tell_round(number, name, found):
    costs = ", ".join(f"{cost:.2f} beside {count:,}, {found['alone_us'][count]:.2f} alone"
                      for count, cost in found["echo_us"].items())  # fmt: skip
    print(f"round {number + 1}, {name}: CPU us an echo: {costs}", file=sys.stderr, flush=True)


def median_of(rounds, key):
    return statistics.median(found[key] for found in rounds)


def summarize(options, rounds, printed):
    echoes = {}
    for count in rounds[0]["echo_us"]:
        ratios = [found["echo_us"][count] / found["alone_us"][count] for found in rounds]
        echoes[count] = {
            "alone_us": statistics.median(found["alone_us"][count] for found in rounds),
            "cpu_us": statistics.median(found["echo_us"][count] for found in rounds),
            "ratio": statistics.median(ratios),
            "least_ratio": min(ratios),
            "most_ratio": max(ratios),
        }
    accept_us = 1e6 * median_of(rounds, "accept_cpu_seconds") / options.connections
    return {
        "session_bytes": max(found["session_bytes"] for found in rounds),
        "accepts_per_second": options.connections / median_of(rounds, "accept_seconds"),
        "accept_cpu_us": accept_us,
        "idle_cpu": max(found["idle_cpu"] for found in rounds),
        "bytes_kept": [found["bytes_kept"] for found in rounds],
        "echoes": echoes,
        "server_said": printed.splitlines(),
        "rounds": rounds,
    }


def duties(results):
    """Yields (what, measured, wanted, whether it holds) for each figure that is asked for."""
    for name, result in results.items():
        own = result["session_bytes"]
        what = f"{name}: memory an idle session"
        yield what, f"{own:,.0f} bytes", f"at most {MOST_BYTES:,}", own <= MOST_BYTES
        cpu = result["idle_cpu"]
        what = f"{name}: CPU while all are idle"
        yield what, f"{cpu:.2%} of a core", "none", cpu <= MOST_IDLE_CPU
        for count, echo in result["echoes"].items():
            what = f"{name}: an echo beside {count:,}, against one alone"
            ratio = echo["ratio"]
            yield what, f"{ratio:.2f} x", f"at most {MOST_RATIO} x", ratio <= MOST_RATIO


def figures(results):
    names = list(results)
    rows = [
        ["memory an idle session, bytes"] + [f"{results[n]['session_bytes']:,.0f}" for n in names],
        ["connects a second, from one thread"]
        + [f"{results[n]['accepts_per_second']:,.0f}" for n in names],
        ["server's CPU an accepted connection, us"]
        + [f"{results[n]['accept_cpu_us']:.1f}" for n in names],
        ["CPU while all are idle, of a core"] + [f"{results[n]['idle_cpu']:.2%}" for n in names],
    ]
    for count in results[names[0]]["echoes"]:
        row = [f"CPU of an echo beside {count:,} idle, and of one alone, us"]
        for name in names:
            echo = results[name]["echoes"][count]
            cell = f"{echo['cpu_us']:.2f}, {echo['alone_us']:.2f}: {echo['ratio']:.2f} x"
            row.append(cell + f" ({echo['least_ratio']:.2f}-{echo['most_ratio']:.2f})")
        rows.append(row)
    kept = [", ".join(f"{kept / 1e6:.1f}" for kept in results[n]["bytes_kept"]) for n in names]
    rows.append(["MB more than before, with all closed, each round"] + kept)
    return table(["", *names], rows)


def duty_table(results):
    rows = [(*duty[:3], "yes" if duty[3] else "**no**") for duty in duties(results)]
    return table(["what must hold", "measured", "asked for", "holds"], rows)


def markdown(options, report):
    results = report["results"]
    said = "".join(f"    {name}: {line}\n" for name in results
                   for line in results[name]["server_said"])  # fmt: skip
    return "\n".join([
        machine_lines(report["machine"]),
        f"`{report['command']}`\n",
        f"{options.connections:,} idle connections; {options.rounds} rounds, medians; memory and idle"
        f" CPU: the worst round. Echoes: {options.echo_connections} connections,"
        f" {options.size} bytes, one at a time each; of their ratios the median, in brackets the"
        f" least and the most in any one round.\n",
        duty_table(results),
        figures(results),
        "What the servers said at their ends:\n",
        said,
    ])  # fmt: skip


def main():
    options = parse_options()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    os.sched_setaffinity(0, [options.client_core])
    tcp = enter_network()
    if options.against:
        return compare(options, tcp)
    try:
        results = measure(options)
    except Failure as failure:
        print(f"benchmarks/run idle: {failure}", file=sys.stderr)
        return 1
    report = {
        "machine": describe(LIBRARIES, tcp),
        "command": "benchmarks/run idle " + shlex.join(sys.argv[1:]),
        "connections": options.connections,
        "results": results,
    }
    print(duty_table(results))
    print(figures(results))
    if options.json:
        write_json(options.json, report)
    if options.markdown:
        write_markdown(options.markdown, "idle", markdown(options, report))
    return 1 if options.check and not all(duty[3] for duty in duties(results)) else 0


if __name__ == "__main__":
    sys.exit(main())
