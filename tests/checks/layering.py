#!/usr/bin/env python3
"""The folders are the layers: a folder of netcore/ includes only folders below it.

Usage: layering.py [ROOT]
"""

from source_tree import includes, run, source_files

# From the bottom up.
LAYERS = ("base", "buffer", "port", "logic", "core", "session", "service", "sim")
EXCEPTIONS = {"logic": {"base"}}
PLATFORMS = ("port/windows", "port/linux")


def allowed_below(layer):
    return EXCEPTIONS.get(layer, set(LAYERS[: LAYERS.index(layer)])) | {layer}


def platform_of(name):
    """The platform folder that `name`, relative to netcore/, lies in, or None."""
    return next((folder for folder in PLATFORMS if name.startswith(folder + "/")), None)


def complaint_about(file, included):
    """What is wrong with `file`, relative to netcore/, including `included`, or None."""
    if not included.startswith("netcore/"):
        for folder in ("tests/", "samples/", "benchmarks/"):
            if included.startswith(folder):
                return "the library knows nothing of what stands on it"
        return None
    target = included.removeprefix("netcore/")
    if platform_of(target) and platform_of(target) != platform_of(file):
        return f"only {platform_of(target)} itself knows what lies in it"
    if "/" not in file:  # netcore.h brings everything, for users
        return None
    if "/" not in target:
        return "netcore.h is for users; name the header that is needed"
    layer, target_layer = file.split("/")[0], target.split("/")[0]
    if layer not in LAYERS:
        return f"{layer} is no known layer; give it a place in {__file__}"
    if target_layer not in allowed_below(layer):
        return f"{layer} does not stand above {target_layer}"
    return None


def check(root):
    for path in source_files(root, ("netcore",)):
        file = path.relative_to(root / "netcore").as_posix()
        for line, included in includes(path):
            complaint = complaint_about(file, included)
            if complaint:
                yield f"netcore/{file}:{line}: includes {included}: {complaint}"


if __name__ == "__main__":
    run(check)
