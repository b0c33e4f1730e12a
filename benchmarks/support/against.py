"""`benchmarks/run X --against REF`: old and new are contenders of one run, in turns, and a rule says
whether the new one is slower. Knows nothing of what is measured."""

import dataclasses
import functools
import math
import shlex
import statistics
import sys
import time
import typing

from support.machine import describe
from support.processes import Failure
from support.report import write_json

ROUNDS, ROUNDS_AGAIN = 15, 31
LEAST_MEAN, LEAST_ROW, LEAST_GAIN = 0.99, 0.96, 1.05
SIDES = ("old", "new")


@dataclasses.dataclass(frozen=True)
class Row:
    """One comparison; with `less`, less is better."""

    title: str
    unit: str
    less: bool = False


@dataclasses.dataclass(frozen=True)
class Group:
    """Rows that are measured together. `measure(sides)` runs one round with the sides in this order
    and returns a value a Row, by side: {"old": {row: value}, "new": {row: value}}. `seconds` is
    about what it takes."""

    title: str
    seconds: float
    measure: typing.Callable


def add_options(add):
    add("--against", metavar="REF", help="compare the server of this commit with the tree's")
    add("--must-gain", action="store_true",
        help=f"with --against: the geometric mean has to be {LEAST_GAIN} at least")
    add("--rounds-again", type=int, default=ROUNDS_AGAIN, metavar="N",
        help=f"with --against: of the rows whose median is under {LEAST_ROW} (%(default)s)")


def parse(parser, defaults):
    """Parses; with --against the rounds and `defaults` take the place of the parser's own ones."""
    options = parser.parse_args()
    if options.against:
        parser.set_defaults(rounds=ROUNDS, **defaults)
        options = parser.parse_args()
    if options.rounds < 1 or options.rounds_again < 1:
        parser.error("at least one round")
    if not options.against and options.must_gain:
        parser.error("--must-gain belongs to --against")
    return options


def run_rounds(groups, rounds):
    """Returns, for each group, what its rounds found: a list of (old, new) a row. In a round each
    group is measured once; the order of the sides changes from round to round. A row that one of
    the sides does not have is left out."""
    found = [{} for _ in groups]
    for number in range(rounds):
        sides = SIDES if number % 2 == 0 else SIDES[::-1]
        for group, pairs in zip(groups, found):
            measured = group.measure(sides)
            for row in measured["old"].keys() & measured["new"].keys():
                pairs.setdefault(row, []).append((measured["old"][row], measured["new"][row]))
            for row in measured["old"].keys() ^ measured["new"].keys():
                tell_once(f"{row.title}: one of the two does not have it")
        tell_progress(f"round {number + 1} of {rounds}")
    return found


def tell_progress(text):
    print(text, file=sys.stderr, flush=True)


tell_once = functools.cache(tell_progress)


def ratio_of(row, old, new):
    """How many times as good the new one is."""
    return old / new if row.less else new / old


def summarize(row, pairs):
    ratios = [ratio_of(row, old, new) for old, new in pairs]
    return {
        "title": row.title,
        "unit": row.unit,
        "less_is_better": row.less,
        "rounds": len(pairs),
        "old": statistics.median(old for old, _ in pairs),
        "new": statistics.median(new for _, new in pairs),
        "ratio": statistics.median(ratios),
        "least": min(ratios),
        "most": max(ratios),
        "pairs": pairs,
    }


def verdict(summaries, must_gain=False):
    """Returns (geometric mean of the ratios, rows that are too slow, whether the rule holds)."""
    if not summaries:
        return math.nan, [], False
    mean = math.exp(statistics.fmean(math.log(summary["ratio"]) for summary in summaries))
    slow = [summary for summary in summaries if summary["ratio"] < LEAST_ROW]
    return mean, slow, mean >= (LEAST_GAIN if must_gain else LEAST_MEAN) and not slow


def judge(groups, rounds, rounds_again, measure=run_rounds):
    """All groups; those with a row that is too slow are measured anew, in more rounds, and only
    these count."""
    found = [summaries_of(pairs) for pairs in measure(groups, rounds)]
    slow = [place for place, summaries in enumerate(found) if verdict(summaries)[1]]
    if slow and rounds < rounds_again:
        for place in slow:
            for summary in verdict(found[place])[1]:
                print(f"{summary['title']}: {summary['ratio']:.3f}, under {LEAST_ROW};"
                      f" {rounds_again} more rounds of it count", flush=True)  # fmt: skip
        again = measure([groups[place] for place in slow], rounds_again)
        for place, pairs in zip(slow, again):
            found[place] = summaries_of(pairs)
    return [summary for summaries in found for summary in summaries]


def summaries_of(pairs):
    return [summarize(row, values) for row, values in sorted(pairs.items(), key=lambda p: p[0].title)]


def minutes(seconds):
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"


def compare(name, options, old, groups, libraries, tcp=None):
    """Measures, tells, writes and judges. Returns the exit status. `tcp`: what network.enter
    returned, where there are sockets."""
    machine = describe(libraries, tcp)
    seconds = sum(group.seconds for group in groups)
    print(f"old: {old.commit} ({old.ref}); new: {machine['commit']}. Load generator and raw loops are"
          " of the new tree; only netcore's programs are of both.")  # fmt: skip
    print(f"{len(groups)} groups of rows, {options.rounds} rounds: about"
          f" {minutes(seconds * options.rounds)}; a group with a row under {LEAST_ROW} gets"
          f" {options.rounds_again} rounds more, so that it is"
          f" {minutes(seconds * (options.rounds + options.rounds_again))} at the most",
          flush=True)  # fmt: skip
    began = time.monotonic()
    try:
        summaries = judge(groups, options.rounds, options.rounds_again)
    except Failure as failure:
        print(f"benchmarks/run {name}: {failure}", file=sys.stderr)
        return 1
    if not summaries:
        print(f"benchmarks/run {name}: nothing could be compared", file=sys.stderr)
        return 1
    mean, slow, holds = verdict(summaries, options.must_gain)
    tell(summaries, mean, slow, holds, options)
    print(f"took {minutes(time.monotonic() - began)}")
    if options.json:
        write_json(options.json, {
            "machine": machine,
            "command": f"benchmarks/run {name} " + shlex.join(sys.argv[1:]),
            "old": {"ref": old.ref, "commit": old.commit},
            "rows": summaries,
            "geometric_mean": mean,
            "worst_row": min(summary["ratio"] for summary in summaries),
            "must_gain": options.must_gain,
            "holds": holds,
        })  # fmt: skip
    return 0 if holds else 1


def show(value):
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"


def tell(summaries, mean, slow, holds, options):
    width = max(len(summary["title"]) for summary in summaries)
    print(f"{'':{width}} {'old':>14} {'new':>14} {'new/old':>8}  least-most   rounds")
    for summary in summaries:
        print(f"{summary['title']:{width}} {show(summary['old']):>14} {show(summary['new']):>14}"
              f" {summary['ratio']:8.3f}  {summary['least']:.2f}-{summary['most']:.2f}"
              f" {summary['rounds']:9}  {summary['unit']}")  # fmt: skip
    for summary in slow:
        print(f"too slow: {summary['title']}: {summary['ratio']:.3f}, {LEAST_ROW} is asked for")
    least = LEAST_GAIN if options.must_gain else LEAST_MEAN
    print(f"geometric mean {mean:.3f} (at least {least})")
    if options.rounds < ROUNDS:
        print(f"{options.rounds} rounds are too few for the rule, which takes {ROUNDS}")
    rule = "must gain" if options.must_gain else "no slower"
    print(f"{rule}: {'holds' if holds else 'MISSED'}")
