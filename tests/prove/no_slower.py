"""The tree against an older commit: benchmarks/run echo, room and broadcast --against REF. REF comes
from the environment: NETCORE_AGAINST=HEAD~5 scripts/prove no_slower."""

import json
import os
import pathlib
import tempfile

WHAT = "echo, room and broadcast are no slower than in the commit NETCORE_AGAINST"
TARGETS = ()  # benchmarks/run builds what it needs, of both commits
TIMEOUT_S = 3 * 3600  # half an hour, if no row has to be measured again

LEAST_MEAN, LEAST_ROW = 0.99, 0.96
BENCHMARKS = {
    "echo": (),
    "room": (),
    "broadcast": ("--contenders", "chat,chat_2"),
}


def prove(context):
    ref = os.environ.get("NETCORE_AGAINST")
    if not ref:
        raise ValueError("NETCORE_AGAINST has to name the commit to compare with")
    for name, options in BENCHMARKS.items():
        with tempfile.TemporaryDirectory() as folder:
            output = pathlib.Path(folder) / "result.json"
            program = context.root / "benchmarks" / "run"
            command = [program, name, "--against", ref, *options, "--json", output]
            # A row that is too slow is status 1, and a figure below.
            printed = context.run(command, timeout_s=TIMEOUT_S, allowed=(0, 1))
            print(printed, flush=True)
            result = json.loads(output.read_text(encoding="utf-8"))
        against = f"{name} against {result['old']['commit']}"
        count = len(result["rows"])
        context.figure(f"{against}, geometric mean of {count} rows", result["geometric_mean"], "x",
                       at_least=LEAST_MEAN)  # fmt: skip
        worst = min(result["rows"], key=lambda row: row["ratio"])
        title = " ".join(worst["title"].split())
        context.figure(f"{against}, worst row ({title})", worst["ratio"], "x", at_least=LEAST_ROW)
