"""What `benchmarks/run broadcast` and `benchmarks/run room` have in common: the servers, one run of
the load bot against one of them, and the report."""

import argparse
import dataclasses
import json
import os
import pathlib
import shlex
import statistics
import sys
import tempfile
import time

from support import against, old_tree
from support.machine import built_program, describe
from support.network import enter as enter_network
from support.processes import Failure, Place, run, server
from support.report import machine_lines, table, write_json, write_markdown

LIBRARIES = ("liburing-dev", "libfmt-dev")


@dataclasses.dataclass(frozen=True)
class Contender:
    title: str
    program: str
    options: tuple
    cores: str  # "server", "all"


def ours(title, threads, cores):
    options = ("--address", "127.0.0.1", "--port", "0", "--idle-timeout", "0", "--max-sessions", "0")
    options += ("--threads", str(threads), "--logic-threads", "1")
    return Contender(title, "chat_server", options, cores)


CONTENDERS = {
    "raw": Contender("raw loop, a send each", "netcore_raw_chat", (), "server"),
    "raw_join": Contender("raw loop that joins", "netcore_raw_chat", ("--join",), "server"),
    "chat": ours("chat_server, 1 worker", 1, "server"),
    "chat_2": ours("chat_server, 2 workers", 2, "all"),
}


def parse_options(name, doc, contenders, extend):
    """The options that both have; `extend(add)` adds those of one."""
    cores = sorted(os.sched_getaffinity(0))
    parser = argparse.ArgumentParser(prog=f"benchmarks/run {name}", description=doc)
    add = parser.add_argument
    extend(add)
    add("--contenders", type=lambda text: text.split(","), default=list(contenders),
        metavar="NAME,...", help=", ".join(contenders))  # fmt: skip
    add("--rounds", type=int, default=5)
    add("--backend", default="auto", help="chat_server's and the bot's")
    add("--server-core", type=int, default=cores[-1])
    add("--client-core", type=int, default=cores[0])
    add("--json", metavar="FILE")
    add("--markdown", metavar="FILE", help=f"a page with the lines <!-- {name}: begin/end -->")
    add("--check", action="store_true", help="exit with 1 if a figure that is asked for is missed")
    against.add_options(add)
    options = against.parse(parser, {})
    for contender in options.contenders:
        if contender not in contenders:
            parser.error(f"--contenders: {contender} is none of {', '.join(contenders)}")
    return options


def cpu_seconds(pid):
    """Of all threads of another process."""
    return time.clock_gettime((~pid << 3) | 2)  # as clock_getcpuclockid makes it


def server_command(name, backend):
    contender = CONTENDERS[name]
    return [built_program(contender.program), *server_options(name, backend)]


def server_options(name, backend):
    contender = CONTENDERS[name]
    more = ("--backend", backend) if contender.program == "chat_server" else ()
    return [*contender.options, *more]


def load(options, name, arguments, limit, backend=None, command=None):
    """One run of the load bot against one contender: the bot's only load, with the CPU time that
    the server took for it, connects included. `command`: what starts another server in its place."""
    contender = CONTENDERS[name]
    backend = backend or options.backend
    both = f"{options.client_core},{options.server_core}"
    server_place = Place(options.server_core if contender.cores == "server" else both)
    command = command or server_command(name, backend)
    with tempfile.TemporaryDirectory() as folder, server(server_place, command) as (process, port):
        path = pathlib.Path(folder) / "json"
        bot = [built_program("load_bot"), "--port", port, "--threads", 1, "--json", path]
        before = cpu_seconds(process.pid)
        run(Place(options.client_core), list(map(str, [*bot, "--backend", backend, *arguments])), limit)
        taken = cpu_seconds(process.pid) - before
        (result,) = json.loads(path.read_text(encoding="utf-8"))["loads"]
        return {**result, "server_cpu_seconds": taken}


def measure(name, options, arguments, limit):
    """All contenders' rounds, A B C A B C, so that what else the machine does meets all of them.
    None after a failure, which is told."""
    options.tcp = enter_network()
    rounds = {contender: [] for contender in options.contenders}
    for number in range(options.rounds):
        for contender in options.contenders:
            try:
                rounds[contender].append(load(options, contender, arguments, limit))
            except Failure as failure:
                print(f"benchmarks/run {name}: {contender}: {failure}", file=sys.stderr)
                return None
        print(f"round {number + 1} of {options.rounds}", file=sys.stderr, flush=True)
    return rounds


def compare(name, options, arguments, limit, seconds, row_of):
    """`benchmarks/run NAME --against REF`: chat_server of REF against that of the tree. `seconds`: of
    one run of the bot; `row_of(title)` returns a Row and what gets its value from a run."""
    backends = ("io_uring", "epoll") if options.backend == "auto" else (options.backend,)
    ours = [each for each in options.contenders if CONTENDERS[each].program == "chat_server"]
    try:
        old = old_tree.build(options.against, ["chat_server"])
        groups = [compared(options, old, each, backend, arguments, limit, seconds, row_of)
                  for each in ours for backend in backends]  # fmt: skip
    except Failure as failure:
        print(f"benchmarks/run {name}: {failure}", file=sys.stderr)
        return 1
    return against.compare(name, options, old, groups, LIBRARIES, enter_network())


def compared(options, old, name, backend, arguments, limit, seconds, row_of):
    """Old and new of one contender on one backend, as against.py wants them."""
    contender = CONTENDERS[name]
    commands = {
        "old": old.command(contender.program, server_options(name, backend)),
        "new": server_command(name, backend),
    }
    row, figure = row_of(f"{backend:8} {contender.title}")

    def measure_round(sides):
        return {side: {row: figure(load(options, name, arguments, limit, backend, commands[side]))}
                for side in sides}  # fmt: skip

    return against.Group(row.title, 2 * seconds, measure_round)


def median(rounds, figure):
    return statistics.median(figure(result) for result in rounds)


def report(name, options, rounds, rows, header, duties, words):
    """Tells, writes and checks; returns the exit status. A duty is (what, measured, wanted,
    whether it holds)."""
    text = table(header, rows)
    print(text, end="")
    for duty in duties:
        print(f"{'holds' if duty[3] else 'missed'}: {duty[0]}: {duty[1]}, {duty[2]} is asked for")
    machine = describe(LIBRARIES, options.tcp)
    command = f"benchmarks/run {name} " + shlex.join(sys.argv[1:])
    if options.markdown:
        duty_rows = [(*duty[:3], "yes" if duty[3] else "**no**") for duty in duties]
        parts = [
            machine_lines(machine),
            f"`{command.strip()}`\n",
            words,
            table(["what must hold", "measured", "asked for", "holds"], duty_rows) if duties else "",
            text,
        ]
        write_markdown(options.markdown, name, "\n".join(part for part in parts if part))
    if options.json:
        write_json(options.json, {"machine": machine, "command": command, "rounds": rounds})
    return 1 if options.check and not all(duty[3] for duty in duties) else 0
