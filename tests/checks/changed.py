"""Which sources a check that takes long has to look at again: those that differ from an older commit.

A fresh clone has no record of what passed, so the older commit is one that is sure to have been
checked: NETCORE_TIDY_BASE, or the 40th before HEAD. Without it (no git, a shallow clone) all count."""

import os
import subprocess

from source_tree import includes, source_files

BASE = "HEAD~40"


def changed_files(root):
    """Names below `root` of the files that differ from the older commit; None if all count."""
    base = os.environ.get("NETCORE_TIDY_BASE") or BASE
    differing = _git(root, "diff", "--name-only", "--relative", "--end-of-options", base)
    untracked = _git(root, "ls-files", "--others", "--exclude-standard")
    if differing is None or untracked is None:
        return None
    return {*differing, *untracked}


def to_look_at(root, sources, changed, folders):
    """Those of `sources` (names below `root`) that are not in `folders`, that changed, or that bring a
    changed header with them: one for each header, as its names are the same in all."""
    chosen = {
        name for name in sources if not name.startswith(folders) or name in changed
    }
    files = {path.relative_to(root).as_posix(): path for path in source_files(root)}
    includers = {}
    for name, path in files.items():
        for _, included in includes(path):
            includers.setdefault(included, []).append(name)
    for header in sorted(changed & files.keys()):
        if header.startswith(folders) and header.endswith(".h"):
            with_it = _sources_with(header, includers) & set(sources)
            if with_it and not with_it & chosen:
                chosen.add(min(with_it))
    return chosen


def _sources_with(header, includers):
    """All files that include `header`, also by way of others."""
    found, open_names = set(), [header]
    while open_names:
        name = open_names.pop()
        # An include names a path below the root, or below a folder of it.
        parts = name.split("/")
        for start in range(len(parts)):
            for includer in includers.get("/".join(parts[start:]), ()):
                if includer not in found:
                    found.add(includer)
                    open_names.append(includer)
    return found


def _git(root, *arguments):
    """The lines that git prints; None if it fails."""
    try:
        result = subprocess.run(
            ["git", "-C", str(root), *arguments],
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=False,
        )
    except FileNotFoundError:
        return None
    return result.stdout.splitlines() if result.returncode == 0 else None
