"""What connections cost that only stay: benchmarks/run idle, in one round."""

import json
import pathlib
import tempfile

WHAT = "15,000 idle sessions: memory and CPU of the process"
TARGETS = ("echo_server", "netcore_echo_load")

CONNECTIONS = 15_000
MOST_BYTES = 1280  # a session, of the process
MOST_CPU = 0.2  # per cent of a core


def prove(context):
    with tempfile.TemporaryDirectory() as folder:
        output = pathlib.Path(folder) / "idle.json"
        program = context.root / "benchmarks" / "idle.py"
        options = ["--connections", CONNECTIONS, "--steps", 1, "--rounds", 1, "--bin", context.bin]
        context.run(["/usr/bin/python3", program, *options, "--json", output], timeout_s=300)
        results = json.loads(output.read_text(encoding="utf-8"))["results"]
    for backend, result in results.items():
        what = f"{backend}, an idle session of {CONNECTIONS:,}"
        context.figure(what, result["session_bytes"], "bytes", at_most=MOST_BYTES)
        what = f"{backend}, CPU while all are idle"
        context.figure(what, 100 * result["idle_cpu"], "% of a core", at_most=MOST_CPU)
