"""Large answers of one thread and small messages of others, to a peer with a small buffer."""

WHAT = "10,000 large answers are whole while 1, 2 and 4 other threads send, and end sessions"
TARGETS = ("netcore_session_tests",)
TIMEOUT_S = 1800


def prove(context):
    case = "ten thousand large answers are whole while other threads send and end"
    for name, value, unit in context.run_cases("netcore_session_tests", case, timeout_s=1700):
        context.figure(name, value, unit, at_least=value)
