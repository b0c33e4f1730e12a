"""Times, memory and CPU that the cases of tests/interop measure and that scripts/test does not judge."""

import json
import pathlib
import sys
import tempfile

WHAT = "servers under real clients: CPU while nothing is to be done, bounded memory, recovery"
PACKAGES = ("netcat-openbsd", "ncat", "socat", "strace")
TARGETS = ("echo_server", "echo_client", "load_bot", "chat_server", "chat_client", "fault_server")


def prove(context):
    with tempfile.TemporaryDirectory() as folder:
        output = pathlib.Path(folder) / "figures"
        program = context.root / "tests" / "interop" / "run_interop.py"
        context.run([sys.executable, program, context.bin, "--figures", output], timeout_s=800)
        lines = output.read_text(encoding="utf-8").splitlines()
    worst = {}  # of each name, as some are measured several times
    for found in map(json.loads, lines):
        name = found["name"]
        if name not in worst or found["value"] > worst[name]["value"]:
            worst[name] = found
    for name, found in worst.items():
        context.figure(name, found["value"], found["unit"], at_most=found["at_most"])
