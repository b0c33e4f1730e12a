"""Times, memory and CPU that the cases measure. The suite does not judge them, as they depend on
what else the machine does; tests/prove/interop.py does. It runs the cases with --figures FILE, which
gets a line of JSON a figure, and only then is anything measured that takes time."""

import json
import time


class Figures:
    def __init__(self, path=None):
        self._path = path

    def is_on(self):
        return self._path is not None

    def at_most(self, case, what, value, unit, bound):
        """Reports a figure of the test case `case`."""
        if not self.is_on():
            return
        name = f"{type(case).__name__}, {what}"
        entry = {"name": name, "value": value, "unit": unit, "at_most": bound}
        with open(self._path, "a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")

    def idle_cpu(self, case, what, server, bound, seconds=1):
        """Reports the CPU seconds that a server uses while nothing is to be done."""
        if not self.is_on():
            return
        before = server.cpu_seconds()
        time.sleep(seconds)  # the time that is measured
        used = server.cpu_seconds() - before
        self.at_most(case, f"{what}: CPU in {seconds:g} s", used, "s", bound)
