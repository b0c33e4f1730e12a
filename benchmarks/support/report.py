"""Writing what a benchmark found: JSON, and Markdown into a page that says more than that."""

import json
import pathlib
import re


def write_json(path, data):
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


def table(header, rows):
    """A Markdown table; all columns but the first are figures."""
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "".join("| " + " | ".join(map(str, line)) + " |\n" for line in lines)


def write_markdown(path, section, text):
    """Puts `text` between the lines <!-- SECTION: begin --> and <!-- SECTION: end --> of a page.
    A page without them becomes one that is nothing else."""
    begin, end = f"<!-- {section}: begin -->", f"<!-- {section}: end -->"
    framed = f"{begin}\n{text.strip()}\n{end}"
    path = pathlib.Path(path)
    page = path.read_text(encoding="utf-8") if path.exists() else ""
    place = re.compile(re.escape(begin) + ".*" + re.escape(end), re.DOTALL)
    page = place.sub(lambda _: framed, page) if place.search(page) else framed + "\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")


def machine_lines(machine):
    """What machine.describe found, as a Markdown list."""
    cores = f"{machine['cores']} cores" + (", virtual" if machine["virtual"] else "")
    tcp = machine["tcp_congestion_control"]
    lines = [
        f"{machine['processor']}, {cores}, {machine['memory_gib']} GiB",
        f"Linux {machine['kernel']}",
        tcp and f"TCP congestion control: {tcp}",
        f"{machine['compiler']}, {machine['flags']}",
    ]
    known = ("processor", "cores", "memory_gib", "virtual", "kernel", "tcp_congestion_control")
    known += ("compiler", "flags")
    versions = {key: value for key, value in machine.items() if key not in known and value}
    date, commit = versions.pop("date"), versions.pop("commit", None)
    lines.append(", ".join(f"{name} {version}" for name, version in versions.items()))
    lines.append(f"{date}, netcore at {commit}")
    return "".join(f"- {line}\n" for line in lines if line)
