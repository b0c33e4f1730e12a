"""What the rounds of `benchmarks/run echo` come to: medians, ratios, tables."""

import statistics

from support.echo_contenders import BASE, CONTENDERS, OURS, most_system_calls, required
from support.report import machine_lines, table


def summarize(rounds, counted):
    """Medians of one contender's rounds in one workload; `counted` is what its counting run found.
    What could not be counted is None."""
    summary = {
        "messages_per_cpu_second": median(r["messages"] / r["server_cpu_seconds"] for r in rounds),
        "messages_per_second": median(r["messages"] / r["seconds"] for r in rounds),
        "cpu_us_per_message": median(1e6 * r["server_cpu_seconds"] / r["messages"] for r in rounds),
        "system_calls_per_message": counted,
    }
    for what in ("cycles", "instructions"):
        known = all(r[what] is not None for r in rounds)
        summary[what + "_per_message"] = (
            median(r[what] / r["messages"] for r in rounds) if known else None
        )
    return summary


def median(values):
    return statistics.median(list(values))


def ratio(result, contender):
    """Echoes a CPU second, as a multiple of the raw epoll loop's: the median of the rounds, in each
    of which both took turns."""
    if contender not in result["rounds"] or BASE not in result["rounds"]:
        return None
    return median(ratios(result, contender))


def spread(result, contender):
    """The least and the most that the same ratio was in any one round."""
    return min(ratios(result, contender)), max(ratios(result, contender))


def ratios(result, contender):
    both = zip(result["rounds"][contender], result["rounds"][BASE])
    return [
        (r["messages"] / r["server_cpu_seconds"]) / (b["messages"] / b["server_cpu_seconds"])
        for r, b in both
    ]


def show(value, digits=2):
    return "" if value is None else f"{value:.{digits}f}"


def measured(reached, least):
    """The ratio, with a third digit, cut off, where two would hide that it is too small."""
    if reached < least and f"{reached:.2f}" == f"{least:.2f}":
        return f"{int(reached * 1000) / 1000:.3f} x"
    return f"{reached:.2f} x"


def duties(results):
    """Yields (what, measured, wanted, whether it holds) for each figure that is asked for."""
    for result in results:
        workload = result["workload"]
        for contender in OURS:
            if contender not in result["summaries"]:
                continue
            name = f"{CONTENDERS[contender][0]}: {workload.title()}"
            least, reached = required(contender, workload), ratio(result, contender)
            if least is not None and reached is not None:
                yield name, measured(reached, least), f"at least {least:.2f} x", reached >= least
            most = most_system_calls(contender, workload)
            calls = result["summaries"][contender]["system_calls_per_message"]
            if most is not None and calls is not None:
                what = f"{name}, system calls a message"
                yield what, f"{calls:.3f}", f"under {most:.0f}", calls < most


def duty_table(results):
    rows = [(*duty[:3], "yes" if duty[3] else "**no**") for duty in duties(results)]
    return table(["what must hold", "measured", "asked for", "holds"], rows) if rows else ""


def ratio_table(results):
    """Each contender's echoes a CPU second against the raw epoll loop's."""
    names = [name for name in CONTENDERS if name in results[0]["summaries"]]
    header = ["connections, message, pipeline"]
    for name in names:
        header.append(CONTENDERS[name][0])
    rows = []
    for result in results:
        row = [result["workload"].title()]
        for name in names:
            own = result["summaries"][name]["messages_per_cpu_second"]
            times = ratio(result, name)
            if name == BASE or times is None:
                row.append(f"{own:,.0f}")
            else:
                least, most = spread(result, name)
                row.append(f"{times:.2f} ({least:.2f}-{most:.2f})")
        rows.append(row)
    return table(header, rows)


def cost_table(results):
    """What one message costs the server."""
    has_cycles = any(
        s["cycles_per_message"] is not None for r in results for s in r["summaries"].values()
    )
    header = ["connections, message, pipeline", "server", "echoes a second", "CPU us", "system calls"]
    if has_cycles:
        header += ["cycles", "instructions"]
    rows = []
    for result in results:
        for name, summary in result["summaries"].items():
            row = [
                result["workload"].title(),
                CONTENDERS[name][0],
                f"{summary['messages_per_second']:,.0f}",
                show(summary["cpu_us_per_message"]),
                show(summary["system_calls_per_message"], 3),
            ]
            if has_cycles:
                row += [show(summary[w + "_per_message"], 0) for w in ("cycles", "instructions")]
            rows.append(row)
    return table(header, rows), has_cycles


def markdown(report, results, plot_name):
    costs, has_cycles = cost_table(results)
    counted = {
        "tracepoint": "counted by the kernel's tracepoint raw_syscalls:sys_enter",
        "strace": "counted by strace, accepts and all",
        None: "not counted in this run",
    }[report["system_calls_by"]]
    cycles = "" if has_cycles else " Cycles and instructions: not available on this machine."
    parts = [
        machine_lines(report["machine"]),
        f"`{report['command']}`\n",
        f"Medians of {report['rounds']} rounds of {report['seconds']:g} s each, in"
        f" {report['turns']} turns.\n",
        duty_table(results),
        "Echoes a second of server CPU time: the raw epoll loop's own, and the others' as multiples"
        " of it (in brackets the least and the most in any one round).\n",
        ratio_table(results),
    ]
    if plot_name:
        parts.append(f"![echoes a CPU second]({plot_name})\n")
    parts += [f"What one message costs the server. System calls: {counted}.{cycles}\n", costs]
    return "\n".join(part for part in parts if part)
