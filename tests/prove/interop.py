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
        for line in output.read_text(encoding="utf-8").splitlines():
            found = json.loads(line)
            name, value, unit = found["name"], found["value"], found["unit"]
            context.figure(name, value, unit, at_most=found["at_most"])
