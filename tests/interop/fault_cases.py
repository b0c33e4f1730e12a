"""What clients do to a server on purpose or by dying. After each case a client that had nothing to
do with it has lost nothing, every session has ended once with a reason, and sockets, memory and CPU
are back where they were."""

import contextlib
import json
import pathlib
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

from programs import TIMEOUT, FaultServer, wait_until
from traffic import SEED, Canary, Flood, Writer, connect, echo, payload, port_of, read_to_end, reset

KILOBYTE, MEGABYTE = 1_000, 1_000_000

# What all sessions share and an allocator keeps. Most of it: 4 MiB of spare send buffers a worker,
# and 4 MiB to receive into a ring, which cost nothing before they were used.
SLACK = 20 * MEGABYTE


class MemoryWatch:
    """The most that a server takes, against what it took when this began."""

    def __init__(self, server):
        self._server = server
        self._before = server.resident_bytes()
        self.grown = 0

    def report(self, case, what, most):
        case.programs.figures.at_most(case, f"{what}: memory", self.grown, "bytes", most)

    def sample(self):
        self.grown = max(self.grown, self._server.resident_bytes() - self._before)


class FaultCase(unittest.TestCase):
    programs = None
    backend = None
    is_native = True  # what a process under Wine has open says little

    def serve(self, *arguments, **keywords):
        return self.enterContext(
            FaultServer(
                self.programs, "--backend", self.backend, "--threads", "2", *arguments, **keywords
            )
        )

    @contextlib.contextmanager
    def undisturbed(self, server, canaries=2):
        """What is done inside must leave no trace. One canary for each worker."""
        descriptors = server.descriptors() if self.is_native else None
        with contextlib.ExitStack() as stack:
            watching = [stack.enter_context(Canary(server)) for _ in range(canaries)]
            yield
        self.assertEqual([canary.failure for canary in watching], [None] * canaries)
        wait_until(lambda: server.stats()["alive"] == 0, "the last session's end")
        if self.is_native:
            wait_until(lambda: server.descriptors() == descriptors, "the last socket's end")
            self.programs.figures.idle_cpu(self, "a server after a fault", server, 0.05)
        status, stats = server.end()
        self.assertEqual((status, stats["violations"], stats["sessions"]), (0, 0, 0), stats)
        self.assertEqual(sum(stats["ended"].values()), stats["total"])
        # All lines that are no end and no stats are the log's.
        self.assertFalse([line for line in server.printed if " [error]" in line], server.printed)

    def wait_ended(self, server, ports, reasons):
        """Every session with a peer at `ports` ends once, for one of `reasons`."""
        wait_until(lambda: all(server.ended[port] for port in ports), f"{len(ports)} ends")
        for port in ports:
            self.assertEqual(len(server.ended[port]), 1)
            self.assertIn(server.ended[port][0][0], reasons)


class ResetCases(FaultCase):
    """SO_LINGER 0 at every moment of a connection's life."""

    COUNT = 20

    def test_resets_in_the_backlog_do_not_stop_the_accepting(self):
        server = self.serve()
        with self.undisturbed(server, canaries=0):
            server.process.send_signal(signal.SIGSTOP)
            # More than the accepts that are posted, which Wine serves for a process that stands.
            doomed = [connect(server) for _ in range(150)]
            for connection in doomed:
                reset(connection)
            with contextlib.ExitStack() as stack:
                healthy = [stack.enter_context(connect(server)) for _ in range(self.COUNT)]
                server.process.send_signal(signal.SIGCONT)
                for connection in healthy:
                    connection.sendall(b"healthy")
                for connection in healthy:
                    self.assertEqual(connection.recv(7, socket.MSG_WAITALL), b"healthy")
            wait_until(lambda: server.stats()["alive"] == 0, "the last session's end")
            stats = server.stats()
            resets = stats["ended"].get("peer reset", 0)
            gone = resets + stats["accepts_aborted"] + stats["accept_failures"]
            self.assertEqual(gone, len(doomed), stats)
            if server.backend != "iocp":  # Wine's AcceptEx has many ways to fail
                self.assertEqual(stats["accept_failures"], 0, stats)
            self.assertEqual(stats["ended"]["peer closed"], self.COUNT, stats)

    def test_resets_of_idle_connections_end_each_session_once(self):
        server = self.serve()
        with self.undisturbed(server):
            connections = [connect(server) for _ in range(self.COUNT)]
            for connection in connections:
                connection.sendall(b"x")
                self.assertEqual(connection.recv(1), b"x")
            ports = [port_of(connection) for connection in connections]
            for connection in connections:
                reset(connection)
            self.wait_ended(server, ports, ["peer reset"])

    def test_resets_right_behind_bytes_end_each_session_once(self):
        server = self.serve()
        with self.undisturbed(server):
            ports = []
            for _ in range(self.COUNT):
                connection = connect(server)
                ports.append(port_of(connection))
                connection.sendall(b"x")
                self.assertEqual(connection.recv(1), b"x")
                connection.sendall(payload(200 * KILOBYTE))
                reset(connection)
            self.wait_ended(server, ports, ["peer reset"])

    def test_resets_while_sends_are_pending_end_each_session_once(self):
        server = self.serve("--buffers", "16384")
        with self.undisturbed(server):
            connections = [connect(server) for _ in range(self.COUNT)]
            ports = [port_of(connection) for connection in connections]
            Flood(connections).until_stuck()
            for connection in connections:
                reset(connection)
            self.wait_ended(server, ports, ["peer reset"])
            for port in ports:
                self.assertGreater(server.ended[port][0][1], 0, "no send was pending")


class LinuxFaultCases(ResetCases):
    """What takes signals, limits and figures of a Linux process."""

    def test_a_killed_and_a_stopped_client_do_not_keep_broadcasts_from_the_others(self):
        bound, tick = MEGABYTE, 10_000
        server = self.serve(
            "--answer", "ticks", "--tick-ms", 5, "--tick-bytes", tick, "--max-queue", bound,
            "--buffers", 65536,
        )  # fmt: skip
        with self.undisturbed(server, canaries=0):
            memory = MemoryWatch(server)
            clients = [self.listener(server, tick) for _ in range(8)]
            (killed, killed_port), (stopped, stopped_port), *others = clients
            wait_until(lambda: server.stats()["sessions"] == len(clients), "all clients")
            killed.kill()
            stopped.send_signal(signal.SIGSTOP)
            self.wait_ended(server, [killed_port], ["peer closed", "peer reset"])
            self.wait_ended(server, [stopped_port], ["send queue full"])
            self.assertGreater(server.ended[stopped_port][0][1], 0)
            self.assertLessEqual(server.ended[stopped_port][0][1], bound)
            memory.sample()
            memory.report(self, "a stopped client", bound + SLACK)
            time.sleep(0.5)  # for the others, who would be late now
            stopped.send_signal(signal.SIGCONT)
            self.assertEqual(json.loads(stopped.stdout.readline())["end"], "reset")
            for other, _ in others:
                told = self.told(other)
                self.assertEqual(told["end"], "stdin")
                self.assertGreater(told["ticks"], 100)
                self.programs.figures.at_most(
                    self, "a stopped client: the latest tick of another one",
                    told["latest_seconds"], "s", 1,
                )  # fmt: skip

    def listener(self, server, tick):
        """A process of its own, and its port."""
        program = pathlib.Path(__file__).with_name("tick_client.py")
        process = self.enterContext(
            subprocess.Popen(
                [sys.executable, program, server.host, str(server.port), str(tick), "65536"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        )
        self.addCleanup(process.kill)
        return process, int(process.stdout.readline())

    def told(self, listener):
        printed, _ = listener.communicate(timeout=TIMEOUT)
        return json.loads(printed)

    def test_a_megabyte_comes_back_through_the_smallest_buffers(self):
        server = self.serve("--buffers", 1)
        with self.undisturbed(server), socket.socket() as connection:
            for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
                connection.setsockopt(socket.SOL_SOCKET, option, 1)
            connection.settimeout(TIMEOUT)
            connection.connect((server.host, server.port))
            writer = Writer(connection, payload(MEGABYTE))
            writer.start()
            self.assertEqual(read_to_end(connection), payload(MEGABYTE), f"seed {SEED}")
            self.wait_ended(server, [port_of(connection)], ["peer closed"])

    def test_clients_that_flood_and_never_read_are_held_back(self):
        server = self.serve()
        with self.undisturbed(server):
            memory = MemoryWatch(server)
            connections = [connect(server) for _ in range(100)]
            ports = [port_of(connection) for connection in connections]
            flood = Flood(connections)
            flood.until_stuck(memory.sample)
            self.assertEqual((flood.broken, server.stats()["sessions"]), ([], 102))
            # A session pauses above 256 KiB, and what one completion brings comes on top; with
            # io_uring also what the kernel received before it heard of the pause (docs/ports.md).
            most = (320 << 10) + (1536 << 10 if self.backend == "io_uring" else 0)
            stats = server.stats()
            held = stats["bytes_in"] - stats["bytes_out"]
            self.assertLessEqual(held, len(connections) * most, stats)
            memory.report(self, "clients that flood", len(connections) * most + SLACK)
            for connection in connections:
                reset(connection)
            self.wait_ended(server, ports, ["peer reset"])

    def test_clients_that_flood_and_never_read_are_ended_at_the_bound(self):
        bound = 256 << 10
        server = self.serve("--answer", "echo-always", "--max-queue", bound)
        with self.undisturbed(server):
            memory = MemoryWatch(server)
            connections = [connect(server) for _ in range(100)]
            ports = [port_of(connection) for connection in connections]
            Flood(connections).until_broken(memory.sample)
            memory.report(self, "clients ended at the bound", len(connections) * bound + SLACK)
            self.wait_ended(server, ports, ["send queue full"])
            for port in ports:
                self.assertLessEqual(server.ended[port][0][1], bound)
            for connection in connections:
                connection.close()

    def test_without_descriptors_sessions_go_on_and_accepting_recovers_within_a_second(self):
        server = self.serve(descriptors=64)
        with self.undisturbed(server), contextlib.ExitStack() as stack:
            clients = [stack.enter_context(connect(server)) for _ in range(100)]
            for client in clients:
                client.sendall(b"x")
            wait_until(lambda: server.stats()["accept_failures"] > 0, "an accept without descriptor")
            served = self.answered(clients)
            waiting = [client for client in clients if client not in served]
            self.assertGreater(len(served), 20)
            self.assertGreater(len(waiting), 20)
            figures, failures = self.programs.figures, server.stats()["accept_failures"]
            # The canaries are at work, 300 turns a second each.
            figures.idle_cpu(self, "no descriptors", server, 0.3)
            failures = server.stats()["accept_failures"] - failures
            figures.at_most(self, "no descriptors: failed accepts in 1 s", failures, "", 9)
            for client in served:
                client.sendall(b"still here")
                self.assertEqual(client.recv(10, socket.MSG_WAITALL), b"still here")

            freed = waiting[:20]
            begin = time.monotonic()
            for client in served[:20]:
                client.close()
            for client in freed:
                self.assertEqual(client.recv(1), b"x")
            took = time.monotonic() - begin
            figures.at_most(self, "no descriptors: time until 20 more are served", took, "s", 1)
            for client in served[20:] + freed:
                client.close()
            for client in waiting[20:]:
                self.assertEqual(client.recv(1), b"x")

    def answered(self, clients):
        """Those that get their byte back within half a second."""
        deadline = time.monotonic() + 0.5
        found = []
        while (left := deadline - time.monotonic()) > 0:
            waiting = [client for client in clients if client not in found]
            for client in select.select(waiting, [], [], left)[0]:
                self.assertEqual(client.recv(1), b"x")
                found.append(client)
        return found

    def test_interrupted_system_calls_are_made_again(self):
        server = self.serve()
        with self.undisturbed(server), self.interrupting(server) as interrupted:
            for _ in range(20):
                connection = connect(server)
                connection.sendall(b"x")
                self.assertEqual(connection.recv(1), b"x")
                reset(connection)
            self.assertEqual(echo(server, payload(MEGABYTE)), payload(MEGABYTE), f"seed {SEED}")
            calls = {
                "epoll": {"accept4", "recvfrom", "sendto"},
                "io_uring": {"io_uring_enter"},
            }[self.backend]
            wait_until(lambda: calls <= interrupted(), f"interruptions of {calls}")

    @contextlib.contextmanager
    def interrupting(self, server):
        """Inside, each third of the port's system calls is not made and says EINTR. Yields what
        tells the names of those that were interrupted so far."""
        calls = "accept4,recvfrom,sendto,sendmsg,epoll_wait,epoll_pwait2,io_uring_enter"
        log = self.enterContext(tempfile.NamedTemporaryFile("r", encoding="utf-8"))
        strace = subprocess.Popen(
            ["strace", "-f", "-qq", "-o", log.name, "-p", str(server.process.pid),
             "-e", f"trace={calls}", "-e", f"inject={calls}:error=EINTR:when=3+3"],
            stdin=subprocess.DEVNULL,
        )  # fmt: skip

        def interrupted():
            text = pathlib.Path(log.name).read_text(encoding="utf-8")
            return set(re.findall(r"(\w+)(?:\(| resumed>).*\(INJECTED\)$", text, re.MULTILINE))

        try:
            wait_until(interrupted, "the first interruption")
            yield interrupted
        finally:
            strace.send_signal(signal.SIGINT)  # it lets go of the server
            strace.wait(TIMEOUT)

    def test_thousands_of_connects_and_closes_leave_nothing(self):
        most = 50_000 if self.programs.figures.is_on() else 10_000
        server = self.serve("--quiet")
        address = (server.host, server.port)
        with self.undisturbed(server):
            self.churn(server, address, most // 5)
            wait_until(lambda: server.stats()["alive"] == 2, "the sessions' ends")
            memory = MemoryWatch(server)
            self.churn(server, address, most - most // 5)
            wait_until(lambda: server.stats()["alive"] == 2, "the sessions' ends")
            memory.sample()
            memory.report(self, f"{most} connects and closes", MEGABYTE)

    def churn(self, server, address, count):
        """By turns closes at once, resets at once, and closes behind some bytes."""
        for number in range(count):
            connection = socket.create_connection(address, TIMEOUT)
            if number % 3 == 0:
                connection.close()
            elif number % 3 == 1:
                reset(connection)
            else:
                connection.send(b"good bye")
                connection.close()
