#!/usr/bin/env python3
# summary: a room of 100 where all talk: chat_server against raw loops, with and without joining
# targets: chat_server load_bot netcore_raw_chat
# packages: util-linux iproute2
"""A room where everybody talks as fast as it is answered: deliveries a second of the server's CPU
time. chat_server against a loop that sends each message to each receiver by itself, and one that
sends each receiver all that came in one round. Server and load bot have a core each."""

import sys

from support.against import Row
from support.chat import CONTENDERS, compare, measure, median, parse_options, report

NAMES = ("raw", "raw_join", "chat")


def extend(add):
    add("--clients", type=int, default=100)
    add("--seconds", type=int, default=3)
    add("--size", type=int, default=64, help="bytes of a message")


def per_cpu_second(result):
    return result["deliveries"] / result["server_cpu_seconds"]


def per_second(result):
    return result["deliveries_per_second"]


def own(result):
    return result["round_trip_us"]["p50"] / 1000


def rows_and_duties(rounds):
    rate = {name: median(rounds[name], per_cpu_second) for name in rounds}
    rows, duties = [], []
    for name, per_cpu in rate.items():
        rows.append((
            CONTENDERS[name].title,
            f"{per_cpu:,.0f}",
            f"{per_cpu / rate['raw']:.1f}" if "raw" in rate else "",
            f"{1e9 / per_cpu:,.0f}",
            f"{median(rounds[name], per_second):,.0f}",
            f"{median(rounds[name], own):.2f}",
        ))  # fmt: skip
    for name, least, than in (("raw", 20, "that sends each by itself"), ("raw_join", 0.5, "that joins")):
        if "chat" in rate and name in rate:
            times = rate["chat"] / rate[name]
            duties.append((f"chat_server against the raw loop {than}", f"{times:.2f} x",
                           f"{least:g} x at least", times >= least))  # fmt: skip
    return rows, duties


def main():
    options = parse_options("room", __doc__, NAMES, extend)
    arguments = ["--mode", "chat", "--clients", options.clients, "--duration", options.seconds]
    arguments += ["--size", options.size]
    if options.against:
        return compare("room", options, arguments, options.seconds + 60, options.seconds + 1,
                       lambda title: (Row(title, "deliveries a CPU second"), per_cpu_second))
    rounds = measure("room", options, arguments, limit=options.seconds + 60)
    if rounds is None:
        return 1
    rows, duties = rows_and_duties(rounds)
    header = ["", "deliveries a CPU second", "a send each = 1", "CPU ns a delivery",
              "deliveries a second", "round trip, ms"]  # fmt: skip
    words = (
        f"{options.clients} clients in the lobby, {options.size} bytes a message; medians of"
        f" {options.rounds} rounds of {options.seconds} s.\n"
    )
    return report("room", options, rounds, rows, header, duties, words)


if __name__ == "__main__":
    sys.exit(main())
