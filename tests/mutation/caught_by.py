"""Which test case caught each planted bug last, as tests/mutation/caught_by.tsv remembers it. It
says only what to try first: a bug is caught by what fails now, whatever is written here."""

from typing import NamedTuple

_HEADER = "bug\tprogram\ttest case"


class CaughtBy(NamedTuple):
    program: str
    case: str  # "" if it is not known which one of the program's


def read(path):
    """What the file says, by the name of the bug; lines that are broken say nothing."""
    known = {}
    if path.is_file():
        for line in path.read_text(encoding="utf-8").splitlines()[1:]:
            fields = line.split("\t")
            if len(fields) == 3:
                known[fields[0]] = CaughtBy(fields[1], fields[2])
    return known


def write(path, known):
    lines = [f"{name}\t{by.program}\t{by.case}" for name, by in sorted(known.items())]
    path.write_text("\n".join([_HEADER, *lines]) + "\n", encoding="utf-8")
