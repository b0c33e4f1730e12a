"""Shares out the machine's cores and the build trees among the suites, each of which runs in a thread
of its own. It does not know what a step does."""

import contextlib
import threading

PARTS = 4  # the machine is shared out in quarters
COMPUTES = 2  # parts of a step that computes all the time: two such steps run at once
WAITS = 1  # parts of a step that mostly waits, for sockets, timers or programs that start


class Machine:
    """Grants steps in the order of the suites: the first one that fits gets its parts, so a small step
    may overtake a large one that has to wait. Nothing is granted before all suites have asked."""

    def __init__(self, cores, suites):
        self.cores = cores
        self._changed = threading.Condition()
        self._free = PARTS
        self._trees = set()  # build trees that a step is writing
        self._asking = {}  # by the suite's place: parts, tree
        self._suites = suites
        self._finished = 0
        self._is_open = False

    @contextlib.contextmanager
    def share(self, place, parts, tree=None):
        """Waits for `parts` of the machine, and for `tree` if the step writes one. `place` is the
        suite's, and lower ones are served first. Gives the number of jobs that the step may run."""
        with self._changed:
            self._asking[place] = (parts, tree)
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._is_next(place))
            del self._asking[place]
            self._free -= parts
            self._trees.add(tree)
            jobs = self._jobs(parts)
            self._changed.notify_all()
        try:
            yield jobs
        finally:
            with self._changed:
                self._free += parts
                self._trees.discard(tree)
                self._changed.notify_all()

    def open(self):
        """Waits until each suite asks or has ended, and begins to grant."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._asking) + self._finished == self._suites)
            self._is_open = True
            self._changed.notify_all()

    def finish(self):
        """A suite has ended."""
        with self._changed:
            self._finished += 1
            self._changed.notify_all()

    def _jobs(self, parts):
        if self._finished == self._suites - 1:  # nobody is left to share with
            return self.cores
        return max(1, self.cores * parts // PARTS)

    def _is_next(self, place):
        if not self._is_open:
            return False
        fitting = (each for each in sorted(self._asking) if self._fits(*self._asking[each]))
        return next(fitting, None) == place

    def _fits(self, parts, tree):
        return parts <= self._free and (tree is None or tree not in self._trees)
