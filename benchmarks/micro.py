#!/usr/bin/env python3
# summary: buffers, queues, mailbox, timers and jobs alone (Google Benchmark)
# targets: netcore_base_benchmarks netcore_buffer_benchmarks netcore_logic_benchmarks netcore_session_benchmarks
"""The programs of Google Benchmark, one after the other. Options that are not listed here are
Google Benchmark's own, such as --benchmark_filter=Mailbox or --benchmark_min_time=0.1."""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time

from support import against, old_tree
from support.machine import built_program, describe
from support.processes import Failure
from support.report import machine_lines, table, write_json, write_markdown

LAYERS = ("base", "buffer", "logic", "session")
LIBRARIES = ("libbenchmark-dev",)
LIMIT_SECONDS = 900
AGAINST_SECONDS = 0.05  # of each benchmark in a round
TO_NANOSECONDS = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}


def run(program, options, **more):
    """One program's results, or None if it failed."""
    with tempfile.TemporaryDirectory() as folder:
        output = pathlib.Path(folder) / "results.json"
        command = [program, *options]
        command += [f"--benchmark_out={output}", "--benchmark_out_format=json"]
        status = subprocess.run(command, timeout=LIMIT_SECONDS, check=False, **more).returncode
        if status != 0:
            return None
        text = output.read_text(encoding="utf-8")
        return json.loads(text)["benchmarks"] if text.strip() else []


def item_nanoseconds(result):
    """What one item took, and not one iteration, which is some of them."""
    if "items_per_second" in result:
        return 1e9 / result["items_per_second"]
    return result["cpu_time"] * TO_NANOSECONDS[result["time_unit"]]


def compared(layer, programs, rest):
    """A layer's old and new program, as against.py wants them."""

    def measure_side(side):
        results = run(programs[side], rest, stdout=subprocess.DEVNULL)
        if results is None:
            raise Failure(f"{programs[side]} failed")
        return {against.Row(f"{layer} {result['name']}", "ns an item", less=True):
                item_nanoseconds(result) for result in results}  # fmt: skip

    def measure_sides(sides):
        return {side: measure_side(side) for side in sides}

    began = time.monotonic()
    measure_side("new")  # how long it takes, as nothing else tells it
    return against.Group(layer, 2 * (time.monotonic() - began), measure_sides)


def compare(options, rest):
    """`benchmarks/run micro --against REF`: the benchmarks that both commits have."""
    if not any(word.startswith("--benchmark_min_time") for word in rest):
        rest = [*rest, f"--benchmark_min_time={AGAINST_SECONDS}"]
    try:
        programs = {layer: f"netcore_{layer}_benchmarks" for layer in LAYERS}
        old = old_tree.build(options.against, programs.values())
        groups = [
            compared(layer, {"old": str(old.bin / program), "new": built_program(program)}, rest)
            for layer, program in programs.items()
        ]
        return against.compare("micro", options, old, groups, LIBRARIES)
    except Failure as failure:
        print(f"benchmarks/run micro: {failure}", file=sys.stderr)
        return 1


def main():
    parser = argparse.ArgumentParser(prog="benchmarks/run micro", description=__doc__)
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument(
        "--markdown", metavar="FILE", help="a page with the lines <!-- micro: begin/end -->"
    )
    parser.add_argument("--rounds", type=int, default=against.ROUNDS, help="with --against")
    against.add_options(parser.add_argument)
    options, rest = parser.parse_known_args()
    if options.against:
        return compare(options, rest)
    results = {}
    for layer in LAYERS:
        print(f"---- {layer}", flush=True)
        results[layer] = run(built_program(f"netcore_{layer}_benchmarks"), rest)
        if results[layer] is None:
            return 1
    command = "benchmarks/run micro " + " ".join(sys.argv[1:])
    machine = describe(LIBRARIES)
    if options.json:
        write_json(options.json, {"machine": machine, "command": command, "results": results})
    if options.markdown:
        rows = [
            (layer, result["name"], f"{item_nanoseconds(result):.1f}")
            for layer in LAYERS
            for result in results[layer]
        ]
        text = f"{machine_lines(machine)}\n`{command}`\n\n"
        text += table(["layer", "benchmark", "ns an item"], rows)
        write_markdown(options.markdown, "micro", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
