"""What the checks share: finding source files and reading their preprocessor lines."""

import pathlib
import re
import sys

SOURCE_FOLDERS = ("netcore", "tests", "samples", "benchmarks")
SUFFIXES = (".h", ".cpp")

_DIRECTIVE = re.compile(r"^\s*#\s*(\w+)\s*(.*)$")
_INCLUDE = re.compile(r'^(<[^>]+>|"[^"]+")')
_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)


def repository_root():
    return pathlib.Path(__file__).resolve().parents[2]


def source_files(root, folders=SOURCE_FOLDERS):
    """All sources below `folders`, in a stable order."""
    for folder in folders:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in SUFFIXES and path.is_file():
                yield path


def code(path):
    """The file's text without comments, each line at its number."""
    blank = lambda match: "\n" * match.group().count("\n") + " "
    return _COMMENT.sub(blank, path.read_text(encoding="utf-8"))


def directives(path):
    """Yields (line number, keyword, rest) of each preprocessor line; comments are gone, and a line
    that goes on after a backslash is one line."""
    text = re.sub(r"\\\n", "", code(path))
    for number, line in enumerate(text.split("\n"), start=1):
        match = _DIRECTIVE.match(line)
        if match:
            yield number, match.group(1), match.group(2).strip()


def includes(path):
    """Yields (line number, name) of each #include; <a/b.h> and "a/b.h" both name a/b.h."""
    for number, keyword, rest in directives(path):
        match = _INCLUDE.match(rest) if keyword == "include" else None
        if match:
            yield number, match.group(1)[1:-1]


def run(check):
    """Runs `check(root)`, which yields complaints, and exits with 1 if there are any."""
    root = pathlib.Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else repository_root()
    complaints = list(check(root))
    for complaint in complaints:
        print(complaint)
    sys.exit(1 if complaints else 0)
