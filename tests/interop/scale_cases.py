"""Very many connections at once: each is served, and nothing is left of them."""

import contextlib
import unittest

from programs import FaultServer, wait_until
from traffic import connect

BYTES_A_SESSION = 1536  # of the process, while a session is idle

# Seconds that anything may take. Wine's server is asked some thirty times for each connection, by
# turns with ours, and each turn waits for whoever else wants the machine.
PATIENCE = 600


class ScaleCases(unittest.TestCase):
    """Client and server are processes of their own: each holds a descriptor a connection."""

    programs = None
    backend = None
    count = 0

    def test_each_of_very_many_connections_is_served_and_all_is_given_back(self):
        arguments = ("--backend", self.backend, "--threads", "2", "--quiet")
        with FaultServer(self.programs, *arguments) as server:
            self.hold(server)
            wait_until(lambda: server.stats()["alive"] == 0, "the last session's end", PATIENCE)
            status, stats = server.end()
        total = stats["total"]
        self.assertEqual((status, stats["violations"], stats["sessions"]), (0, 0, 0), stats)
        self.assertEqual(stats["ended"], {"peer closed": total})
        self.assertEqual((stats["bytes_in"], stats["bytes_out"]), (8 * total, 8 * total))

    def hold(self, server):
        with self.connections(server, self.count):
            self.assertEqual(server.stats()["sessions"], self.count)

    @contextlib.contextmanager
    def connections(self, server, count):
        """All at once, and each has got its own bytes back."""
        with contextlib.ExitStack() as stack:
            connections = [stack.enter_context(connect(server)) for _ in range(count)]
            for number, connection in enumerate(connections):
                connection.settimeout(PATIENCE)
                connection.sendall(number.to_bytes(8, "big"))
            for number, connection in enumerate(connections):
                self.assertEqual(int.from_bytes(connection.recv(8), "big"), number)
            yield


class LinuxScaleCases(ScaleCases):
    def hold(self, server):
        descriptors = server.descriptors()

        def all_closed():
            return server.descriptors() == descriptors

        with self.connections(server, 100):
            pass  # what is taken once, and kept
        wait_until(all_closed, "the first sockets' end")
        memory = server.resident_bytes()
        with self.connections(server, self.count):
            self.assertEqual(server.descriptors(), descriptors + self.count)
            figures, grown = self.programs.figures, server.resident_bytes() - memory
            what = f"memory of each of {self.count} idle sessions"
            figures.at_most(self, what, grown / self.count, "bytes", BYTES_A_SESSION)
            figures.idle_cpu(self, "idle sessions", server, 0.05)
        wait_until(all_closed, "the last socket's end")
