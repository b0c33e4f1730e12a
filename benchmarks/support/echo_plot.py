"""The plot of `benchmarks/run echo`."""

import pathlib

from support.echo_contenders import BASE, CONTENDERS
from support.echo_table import ratio

COLOURS = {"io_uring": "#1b6ca8", "epoll": "#7fb7d9", "raw_io_uring": "#c9a66b"}


def write_plot(path, results):
    """Bars: each contender's echoes a CPU second over the raw epoll loop's, which is the line."""
    import matplotlib  # here, as only this needs it

    matplotlib.use("svg")
    from matplotlib import pyplot

    # The same bytes for the same figures.
    matplotlib.rcParams["svg.hashsalt"] = "netcore"
    results = [result for result in results if BASE in result["summaries"]]
    names = [name for name in COLOURS if any(name in result["summaries"] for result in results)]
    height = 0.8 / max(len(names), 1)
    figure, axes = pyplot.subplots(figsize=(9, 1.2 + 0.42 * len(results)))
    for index, name in enumerate(names):
        places = [i + height * (index - (len(names) - 1) / 2) for i in range(len(results))]
        values = [ratio(result, name) or 0 for result in results]
        axes.barh(places, values, height, color=COLOURS[name], label=CONTENDERS[name][0])
        for place, value in zip(places, values):
            axes.text(value * 1.01, place, f"{value:.2f}", va="center", fontsize=6)
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_xscale("log")
    axes.set_xticks([0.5, 1, 2, 4, 8, 16])
    axes.set_xticklabels(["0.5", "1", "2", "4", "8", "16"])
    axes.set_yticks(range(len(results)))
    axes.set_yticklabels([result["workload"].title() for result in results], fontsize=7)
    axes.invert_yaxis()
    axes.set_xlabel("echoes a second of server CPU time; 1 is the raw epoll loop")
    axes.legend(loc="lower right", fontsize=7)
    figure.tight_layout()
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="svg", metadata={"Date": None})
