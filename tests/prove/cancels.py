"""Sends that are aborted while their peer makes room, at the port and at the session."""

WHAT = "a million aborted sends and a hundred thousand aborted sessions: all of them end"
TARGETS = ("netcore_port_tests", "netcore_session_tests")
TIMEOUT_S = 1800


def prove(context):
    cases = (
        ("netcore_port_tests", "a million aborted sends complete"),
        ("netcore_session_tests", "a hundred thousand aborted sessions end"),
    )
    for program, case in cases:
        for name, value, unit in context.run_cases(program, case, timeout_s=900):
            at_least = None if "cancelled" in name else value
            context.figure(name, value, unit, at_least=at_least)
