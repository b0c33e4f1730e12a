"""How long stops take on real clocks; tests/service judges the rest of what they do."""

WHAT = "a stop ends at its deadline, and also while sessions reconnect"
TARGETS = ("netcore_service_tests",)

CASES = {
    "how long a stop with a deadline of 200 ms takes": 1_000,
    "how long a core's stop takes while its sessions reconnect": 5_000,
}


def prove(context):
    for case, most_ms in CASES.items():
        for name, value, unit in context.run_cases("netcore_service_tests", case, timeout_s=60):
            context.figure(name, value, unit, at_most=most_ms)
