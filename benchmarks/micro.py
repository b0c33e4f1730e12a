#!/usr/bin/env python3
# summary: buffers, queues, mailbox, timers and jobs alone (Google Benchmark)
# targets: netcore_base_benchmarks netcore_buffer_benchmarks netcore_logic_benchmarks netcore_session_benchmarks
"""Runs the programs of Google Benchmark, one after the other, on one core each thread.

Usage: micro.py [OPTION...], the options being Google Benchmark's own, such as
--benchmark_filter=Mailbox or --benchmark_min_time=0.1.
"""

import subprocess
import sys

from support.machine import built_program

LAYERS = ("base", "buffer", "logic", "session")
LIMIT_SECONDS = 900


def main():
    if {"-h", "--help"} & set(sys.argv[1:]):
        print(__doc__.strip())
        return 0
    for layer in LAYERS:
        program = built_program(f"netcore_{layer}_benchmarks")
        print(f"---- {layer}", flush=True)
        status = subprocess.run(
            [program, *sys.argv[1:]], timeout=LIMIT_SECONDS, check=False
        ).returncode
        if status != 0:
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
