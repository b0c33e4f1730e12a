#!/usr/bin/env python3
# summary: one message to 5,002 clients: chat_server against a raw loop of sends
# targets: chat_server load_bot netcore_raw_chat
# packages: util-linux iproute2
"""One of many clients speaks, and again when the last one has heard it: how long until the last one
has it, and how long until the speaker itself has it. chat_server with one worker and with two
against a loop on one thread that sends to one socket after the other. The load bot is the same for
all, and has a core to itself but for chat_server with two workers, which may use both."""

import sys

from support.against import Row
from support.chat import CONTENDERS, compare, measure, median, parse_options, report

NAMES = ("raw", "chat", "chat_2")
SECONDS = 4  # of a run, connects and all


def extend(add):
    add("--clients", type=int, default=5002)
    add("--messages", type=int, default=20)


def last(result):
    return result["last_receiver_us"]["p50"] / 1000


def own(result):
    return result["round_trip_us"]["p50"] / 1000


def rows_and_duties(options, rounds):
    medians = {name: (median(rounds[name], last), median(rounds[name], own)) for name in rounds}
    raw = medians.get("raw")
    rows, duties = [], []
    for name, (until_last, until_own) in medians.items():
        title = CONTENDERS[name].title
        times = f"{until_last / raw[0]:.2f}" if raw else ""
        worst = max(result["last_receiver_us"]["max"] for result in rounds[name]) / 1000
        rows.append((title, f"{until_last:.2f}", times, f"{worst:.2f}", f"{until_own:.3f}"))
        if name != "raw" and raw:
            most = until_last / raw[0]
            duties.append((f"{title}: time to the last receiver", f"{most:.2f} x the raw loop's",
                           "1.30 x at most", most <= 1.3))  # fmt: skip
        if name == "chat":
            duties.append((f"{title}: the speaker's own round trip", f"{until_own:.3f} ms",
                           "under 5 ms", until_own < 5))  # fmt: skip
    return rows, duties


def main():
    options = parse_options("broadcast", __doc__, NAMES, extend)
    arguments = ["--mode", "broadcast", "--clients", options.clients, "--messages", options.messages]
    if options.against:
        title = "ms until the last has it"
        return compare("broadcast", options, arguments, 120, SECONDS,
                       lambda contender: (Row(contender, title, less=True), last))
    rounds = measure("broadcast", options, arguments, limit=120)
    if rounds is None:
        return 1
    rows, duties = rows_and_duties(options, rounds)
    header = ["ms", "until the last has it", "raw loop = 1", "the worst", "until the speaker has it"]
    words = (
        f"{options.clients:,} clients, one speaks {options.messages} times; medians of"
        f" {options.rounds} rounds, each the median of its messages.\n"
    )
    return report("broadcast", options, rounds, rows, header, duties, words)


if __name__ == "__main__":
    sys.exit(main())
