#!/usr/bin/env python3
# summary: echoes a second of server CPU time: netcore against raw epoll and io_uring loops
# targets: netcore_echo_load netcore_echo_netcore netcore_echo_raw_epoll netcore_echo_raw_uring
# packages: python3-matplotlib strace util-linux iproute2
"""Echo servers against each other: netcore on io_uring and on epoll, a raw epoll loop, a raw
io_uring loop. The servers are pinned to one core and the load to another. In a round all of them
are there, and the load goes to one after the other, A B C D A B C D, for a short turn each, so that
what else the machine does meets all of them; each round starts them anew."""

import argparse
import contextlib
import dataclasses
import os
import pathlib
import shlex
import sys

from support import against, old_tree, system_calls
from support.echo_contenders import CONTENDERS, OURS, server_command, server_options, workloads
from support.echo_load import Load, run_load
from support.echo_plot import write_plot
from support.echo_table import duties, markdown, ratio, show, summarize
from support.machine import built_program, describe
from support.network import enter as enter_network
from support.processes import Failure, Place, server
from support.report import write_json, write_markdown

LIBRARIES = ("liburing-dev", "libfmt-dev")
COUNT_SECONDS = 0.3
# What --against compares if nothing else is asked for.
AGAINST = {"connections": [1, 64, 512], "sizes": [32, 16384], "ways": ["stream"],
           "contenders": list(OURS), "seconds": 0.7}  # fmt: skip
START_SECONDS = 0.6  # of two servers and their load, and until all is back
MOST_IN_FLIGHT_FOR_TURNS = 16 * 1024 * 1024  # bytes


def numbers(text):
    values = [int(word) for word in text.split(",")]
    if not values or min(values) < 1:
        raise argparse.ArgumentTypeError(f"{text} is no list of numbers")
    return values


def words(allowed):
    def parse(text):
        values = text.split(",")
        for value in values:
            if value not in allowed:
                raise argparse.ArgumentTypeError(f"{value} is none of {', '.join(allowed)}")
        return values

    return parse


def parse_options():
    cores = sorted(os.sched_getaffinity(0))
    parser = argparse.ArgumentParser(prog="benchmarks/run echo", description=__doc__)
    add = parser.add_argument
    add("--connections", type=numbers, default=[1, 64, 512, 4096], metavar="N,...")
    add("--sizes", type=numbers, default=[32, 512, 16384], metavar="BYTES,...")
    add("--pipelines", type=numbers, default=[1, 16], metavar="P,...", help="messages in a burst")
    add("--ways", type=words(("stream", "message")), default=["stream", "message"], metavar="WAY,...",
        help="stream: answered as the bytes arrive; message: each message by a send of its own")
    add("--contenders", type=words(tuple(CONTENDERS)), default=list(CONTENDERS), metavar="NAME,...",
        help=", ".join(CONTENDERS))
    add("--rounds", type=int, default=5)
    add("--seconds", type=float, default=1.0, help="of each contender in a round")
    add("--turns", type=int, default=20, help="in which it takes them")
    add("--sleeping-client", action="store_true",
        help="the client sleeps while nothing comes, and the server pays for waking it")
    add("--server-core", type=int, default=cores[-1])
    add("--client-core", type=int, default=cores[0])
    add("--real-time", action="store_true",
        help="SCHED_FIFO for both: what else the machine does has to wait (root)")
    add("--no-counts", action="store_true", help="don't count system calls, which takes more runs")
    add("--json", metavar="FILE")
    add("--markdown", metavar="FILE", help="a page with the lines <!-- SECTION: begin/end -->")
    add("--section", default="echo", help="of that page (default: echo)")
    add("--plot", metavar="FILE", help="SVG")
    add("--check", action="store_true", help="exit with 1 if a figure that is asked for is missed")
    against.add_options(add)
    return against.parse(parser, AGAINST)


def load(options, commands, workload, seconds, turns=1, by=None):
    """One run: the servers that `commands` start, by name, are all there, and the load goes to one
    after the other, `turns` times. Returns what each took, by name; counts system calls if `by`
    says how."""
    with contextlib.ExitStack() as stack:
        server_place = Place(options.server_core, options.real_time)
        targets, more = [], []
        for command in commands.values():
            process, port = stack.enter_context(server(server_place, command))
            targets.append((port, process.pid))
        if options.sleeping_client:
            more.append("--sleep")
        if by == "tracepoint":
            more.append("--count-system-calls")
        strace = None
        if by == "strace":
            strace = stack.enter_context(system_calls.Strace(process.pid))
        client_place = Place(options.client_core, options.real_time)
        asked = Load(workload.connections, workload.size, seconds, workload.pipeline, turns)
        program = built_program("netcore_echo_load")
        results = run_load(client_place, program, targets, asked, *more)
    if strace is not None:
        results[0]["system_calls"] = strace.count
        results[0]["messages"] = results[0]["all_messages"]
    return dict(zip(commands, results))


def count_system_calls(options, contender, workload, by):
    """System calls a message, in a run of its own: counting makes each of them dearer."""
    if by is None:
        return None
    commands = {contender: server_command(contender, workload)}
    counted = load(options, commands, workload, COUNT_SECONDS, by=by)[contender]
    calls = counted["system_calls"]
    return None if calls is None else calls / counted["messages"]


def turns_of(options, workload):
    """Between two turns all that is under way comes back, which is no short time where it is much."""
    in_flight = workload.connections * workload.size * workload.pipeline
    return options.turns if in_flight <= MOST_IN_FLIGHT_FOR_TURNS else 1


def measure(options, workload, by):
    rounds = {name: [] for name in options.contenders}
    turns = turns_of(options, workload)
    commands = {name: server_command(name, workload) for name in options.contenders}
    for _ in range(options.rounds):
        results = load(options, commands, workload, options.seconds, turns)
        for name in options.contenders:
            rounds[name].append(results[name])
    counts = {name: count_system_calls(options, name, workload, by) for name in options.contenders}
    summaries = {name: summarize(rounds[name], counts[name]) for name in options.contenders}
    return {"workload": workload, "summaries": summaries, "rounds": rounds}


def tell(result):
    print(result["workload"].title())
    for name, summary in result["summaries"].items():
        print(
            f"  {CONTENDERS[name][0]:18}"
            f" {summary['messages_per_cpu_second']:12,.0f} echoes a CPU second"
            f" {show(ratio(result, name)):>6} x"
            f" {summary['cpu_us_per_message']:8.2f} us"
            f" {show(summary['system_calls_per_message'], 3):>7} system calls"
        )
    sys.stdout.flush()


def write_reports(options, results, by, tcp):
    report = {
        "machine": describe(LIBRARIES, tcp),
        "command": "benchmarks/run echo " + shlex.join(sys.argv[1:]),
        "rounds": options.rounds,
        "seconds": options.seconds,
        "turns": options.turns,
        "system_calls_by": by,
    }
    if options.plot:
        write_plot(options.plot, results)
    if options.markdown:
        plot_name = None
        if options.plot:
            plot_name = os.path.relpath(options.plot, pathlib.Path(options.markdown).parent)
        write_markdown(options.markdown, options.section, markdown(report, results, plot_name))
    if options.json:
        as_dicts = [{**r, "workload": dataclasses.asdict(r["workload"])} for r in results]
        write_json(options.json, {**report, "results": as_dicts})


def compared(options, old, workload, contender):
    """Old and new of one contender in one workload, as against.py wants them."""
    _, program, _ = CONTENDERS[contender]
    commands = {
        "old": old.command(program, server_options(contender, workload)),
        "new": server_command(contender, workload),
    }
    row = against.Row(f"{contender:8} {workload.title()}", "echoes a CPU second")

    def measure_round(sides):
        in_order = {side: commands[side] for side in sides}
        found = load(options, in_order, workload, options.seconds, turns_of(options, workload))
        return {side: {row: found[side]["messages"] / found[side]["server_cpu_seconds"]}
                for side in sides}  # fmt: skip

    return against.Group(row.title, 2 * options.seconds + START_SECONDS, measure_round)


def compare(options, asked):
    """`benchmarks/run echo --against REF`: netcore's echo server of REF against that of the tree."""
    contenders = [name for name in options.contenders if name in OURS]
    if not contenders or not asked:
        print("benchmarks/run echo: nothing was asked for", file=sys.stderr)
        return 2
    try:
        old = old_tree.build(options.against, ["netcore_echo_netcore"])
        groups = [compared(options, old, workload, name)
                  for workload in asked for name in contenders]  # fmt: skip
    except Failure as failure:
        print(f"benchmarks/run echo: {failure}", file=sys.stderr)
        return 1
    return against.compare("echo", options, old, groups, LIBRARIES, enter_network())


def main():
    options = parse_options()
    if options.against:
        asked = workloads(options.connections, options.sizes, options.pipelines, options.ways)
        return compare(options, asked)
    tcp = enter_network()
    by = None if options.no_counts else system_calls.method()
    results = []
    asked = workloads(options.connections, options.sizes, options.pipelines, options.ways)
    for workload in asked:
        try:
            results.append(measure(options, workload, by))
        except Failure as failure:
            print(f"benchmarks/run echo: {workload.title()}: {failure}", file=sys.stderr)
            return 1
        tell(results[-1])
    if not results:
        print("benchmarks/run echo: nothing was asked for", file=sys.stderr)
        return 2
    missed = [duty for duty in duties(results) if not duty[3]]
    for what, measured, wanted, _ in missed:
        print(f"missed: {what}: {measured}, {wanted} is asked for")
    write_reports(options, results, by, tcp)
    return 1 if options.check and missed else 0


if __name__ == "__main__":
    sys.exit(main())
