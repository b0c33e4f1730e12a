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

from support.machine import built_program, describe
from support.report import machine_lines, table, write_json, write_markdown

LAYERS = ("base", "buffer", "logic", "session")
LIBRARIES = ("libbenchmark-dev",)
LIMIT_SECONDS = 900
TO_NANOSECONDS = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}


def run(layer, options):
    """One program's results, or None if it failed."""
    with tempfile.TemporaryDirectory() as folder:
        output = pathlib.Path(folder) / "results.json"
        command = [built_program(f"netcore_{layer}_benchmarks"), *options]
        command += [f"--benchmark_out={output}", "--benchmark_out_format=json"]
        status = subprocess.run(command, timeout=LIMIT_SECONDS, check=False).returncode
        if status != 0:
            return None
        text = output.read_text(encoding="utf-8")
        return json.loads(text)["benchmarks"] if text.strip() else []


def item_nanoseconds(result):
    """What one item took, and not one iteration, which is some of them."""
    if "items_per_second" in result:
        return 1e9 / result["items_per_second"]
    return result["cpu_time"] * TO_NANOSECONDS[result["time_unit"]]


def main():
    parser = argparse.ArgumentParser(prog="benchmarks/run micro", description=__doc__)
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument(
        "--markdown", metavar="FILE", help="a page with the lines <!-- micro: begin/end -->"
    )
    options, rest = parser.parse_known_args()
    results = {}
    for layer in LAYERS:
        print(f"---- {layer}", flush=True)
        results[layer] = run(layer, rest)
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
