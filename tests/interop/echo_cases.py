"""What every echo_server must do, whatever its backend and its system."""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

from programs import TIMEOUT, Server, wait_until
from traffic import SEED, Writer, connect, echo, payload, read_exactly, read_to_end, reset

SMALL, MEGABYTE, HUGE = 11, 1_000_000, 100_000_000


class EchoCase(unittest.TestCase):
    """One server for all cases of a class; a case that kills it fails all that follow."""

    programs = None
    arguments = ()
    backend = None

    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(Server(cls.programs, *cls.arguments))

    def assert_same(self, received, sent):
        if received != sent:
            same = next(
                (at for at, (a, b) in enumerate(zip(received, sent)) if a != b),
                min(len(received), len(sent)),
            )
            self.fail(
                f"{len(received)} bytes came back of {len(sent)}, the first {same} right (seed {SEED})"
            )


class CommonCases(EchoCase):
    def test_the_backend_is_the_one_that_was_asked_for(self):
        self.assertEqual(self.server.backend, self.backend)

    def test_python_gets_a_few_bytes_back(self):
        self.assert_same(echo(self.server, payload(SMALL)), payload(SMALL))

    def test_a_client_that_says_nothing_gets_nothing_but_the_end(self):
        self.assert_same(echo(self.server, b""), b"")

    def test_an_answer_comes_while_the_client_goes_on(self):
        with connect(self.server) as connection:
            for size in (1, SMALL, 1000):
                connection.sendall(payload(size))
                self.assert_same(read_exactly(connection, size), payload(size))

    def test_python_gets_ten_megabytes_back(self):
        self.assert_same(echo(self.server, payload(10 * MEGABYTE)), payload(10 * MEGABYTE))


class LinuxCases(CommonCases):
    """With the tools that a Linux user has at hand."""

    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def through(self, *command, size):
        """Sends `size` bytes through a command's stdin; what comes out must be the same."""
        self.assertIsNotNone(shutil.which(command[0]), f"{command[0]} is not installed")
        sent, received = self.folder / "sent", self.folder / "received"
        sent.write_bytes(payload(size))
        with sent.open("rb") as stdin, received.open("wb") as stdout:
            result = subprocess.run(
                command, stdin=stdin, stdout=stdout, stderr=subprocess.PIPE, timeout=TIMEOUT
            )
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assert_same(received.read_bytes(), payload(size))

    def nc(self, size):
        self.through("nc", "-N", self.server.host, str(self.server.port), size=size)

    def ncat(self, size):
        self.through("ncat", self.server.host, str(self.server.port), size=size)

    def socat(self, size):
        address = f"TCP:{self.server.host}:{self.server.port}"
        self.through("socat", "-t", str(TIMEOUT), "-", address, size=size)

    def test_nc_gets_a_few_bytes_back(self):
        self.nc(SMALL)

    def test_nc_gets_a_megabyte_back(self):
        self.nc(MEGABYTE)

    def test_nc_gets_a_hundred_megabytes_back(self):
        self.nc(HUGE)

    def test_ncat_gets_a_few_bytes_back(self):
        self.ncat(SMALL)

    def test_ncat_gets_a_megabyte_back(self):
        self.ncat(MEGABYTE)

    def test_socat_gets_a_few_bytes_back(self):
        self.socat(SMALL)

    def test_socat_gets_a_megabyte_back(self):
        self.socat(MEGABYTE)

    def test_python_gets_a_hundred_megabytes_back(self):
        self.assert_same(echo(self.server, payload(HUGE)), payload(HUGE))

    def test_a_client_that_writes_and_does_not_read_costs_bounded_memory_and_loses_nothing(self):
        data = payload(50 * MEGABYTE)
        before = self.server.resident_bytes()
        peak = before

        def sample():
            nonlocal peak
            peak = max(peak, self.server.resident_bytes())

        with connect(self.server) as connection:
            writer = Writer(connection, data)
            writer.start()
            writer.wait_stuck(sample)
            self.assertLess(writer.written, len(data), "nothing pushed back")
            self.programs.figures.idle_cpu(self, "a paused session", self.server, 0.3)
            sample()
            received = read_to_end(connection)
            writer.join(TIMEOUT)
        self.programs.figures.at_most(
            self, "a client that does not read: memory", peak - before, "bytes", 8 * MEGABYTE
        )
        self.assert_same(received, data)

    def test_clients_that_half_close_and_read_late_get_everything_and_cost_no_cpu(self):
        # About as much as the system takes off everybody's hands, so that some of these ends reach
        # the server while it still has something to send that nobody takes.
        with contextlib.ExitStack() as stack:
            late = []
            for size in range(3 * MEGABYTE, 6 * MEGABYTE, MEGABYTE // 5):
                connection = stack.enter_context(connect(self.server))
                writer = Writer(connection, payload(size))
                writer.start()
                late.append((connection, writer, size))
            for _, writer, _ in late:
                writer.wait_stuck(lambda: None)
            self.programs.figures.idle_cpu(self, "clients that read late", self.server, 0.3)
            for connection, writer, size in late:
                self.assert_same(read_to_end(connection), payload(size))
                writer.join(TIMEOUT)
                self.assertIsNone(writer.failure)

    def test_urgent_data_stops_no_stream_and_costs_no_cpu(self):
        # An urgent byte is none of the stream's (SO_OOBINLINE is off), and a recv stops before it.
        part = payload(1000)
        with connect(self.server) as connection:
            for turn in range(200):
                connection.sendall(part[:turn])
                connection.send(b"!", socket.MSG_OOB)
                connection.sendall(part[turn:])
                self.assert_same(read_exactly(connection, len(part)), part)
            connection.send(b"!", socket.MSG_OOB)
            self.programs.figures.idle_cpu(self, "an urgent byte", self.server, 0.1, seconds=0.5)
            connection.sendall(part)
            connection.shutdown(socket.SHUT_WR)
            self.assert_same(read_to_end(connection), part)

    def test_a_client_that_resets_leaves_the_server_well(self):
        for _ in range(20):
            connection = connect(self.server)
            connection.sendall(payload(MEGABYTE // 10))
            reset(connection)
        self.assert_same(echo(self.server, payload(SMALL)), payload(SMALL))

    def test_echo_client_gives_back_what_was_piped(self):
        for size in (0, SMALL, MEGABYTE):
            result = self.client(input=payload(size))
            self.assertEqual((result.returncode, result.stderr), (0, b""))
            self.assert_same(result.stdout, payload(size))

    def test_echo_client_answers_what_is_typed_before_the_input_ends(self):
        command = self.programs.command("echo_client", *self.client_arguments())
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as client:
            self.addCleanup(client.kill)
            for line in (b"hello\n", b"again\n"):
                client.stdin.write(line)
                client.stdin.flush()
                self.assertEqual(client.stdout.readline(), line)
            client.stdin.close()
            self.assertEqual(client.wait(TIMEOUT), 0)

    def test_the_load_bot_loses_nothing(self):
        result = self.programs.run(
            "load_bot", "--mode", "echo", "--port", self.server.port, "--clients", 50,
            "--pipeline", 4, "--duration", 1, "--backend", self.backend, "--json", self.folder / "json",
        )  # fmt: skip
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertRegex(result.stdout, rb"(?m)^ +connections +50$")
        self.assertRegex(result.stdout, rb"(?m)^ +lost +0$")
        self.assertIn('"lost": 0', (self.folder / "json").read_text())

    def client_arguments(self):
        return ("--port", self.server.port, "--backend", self.backend)

    def client(self, input):
        return self.programs.run("echo_client", *self.client_arguments(), input=input)


def socket_count(pid):
    folder = f"/proc/{pid}/fd"
    count = 0
    for descriptor in os.listdir(folder):
        with contextlib.suppress(FileNotFoundError):  # closed since it was listed
            count += os.readlink(f"{folder}/{descriptor}").startswith("socket:")
    return count


class EndCases(EchoCase):
    """How a server ends; each case has one of its own."""

    @classmethod
    def setUpClass(cls):
        pass

    def start(self):
        server = Server(self.programs, *self.arguments)
        self.addCleanup(server.__exit__)
        return server

    def ends_gracefully(self, how):
        server = self.start()
        with connect(server) as one, connect(server) as other:
            for connection in (one, other):
                connection.sendall(payload(1000))
                self.assert_same(connection.recv(1000, socket.MSG_WAITALL), payload(1000))
            server.process.send_signal(how)
            for connection in (one, other):
                self.assertEqual(connection.recv(1), b"", "an end without FIN")
        status, printed = server.end(how)
        self.assertEqual(status, 0, printed)
        self.assertRegex(printed, r"served 2 sessions, 2 at most at once; 2000 bytes in, 2000 bytes out")
        self.assertRegex(printed, r"ended: 2 service stopping")
        self.assertRegex(printed, r"stopped in \d+ ms: 2 sessions ended, 0 of them cut short")

    def test_sigterm_ends_it_gracefully_while_clients_are_connected(self):
        self.ends_gracefully(signal.SIGTERM)

    def test_sigint_ends_it_gracefully_while_clients_are_connected(self):
        self.ends_gracefully(signal.SIGINT)

    def test_sigterm_ends_it_soon_while_a_client_reads_nothing(self):
        server = self.start()
        with connect(server) as connection:
            writer = Writer(connection, payload(50 * MEGABYTE))
            writer.start()
            writer.wait_stuck(lambda: None)
            status, printed = server.end()
        self.assertEqual(status, 0, printed)
        cut = re.search(r"1 sessions ended, 1 of them cut short with (\d+) bytes unsent", printed)
        self.assertTrue(cut, printed)
        self.assertGreater(int(cut.group(1)), 0)

    def test_echo_client_says_that_the_connection_broke(self):
        server = self.start()
        command = self.programs.command("echo_client", "--port", server.port)
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as client:
            self.addCleanup(client.kill)
            client.stdin.write(b"hello\n")
            client.stdin.flush()
            self.assertEqual(client.stdout.readline(), b"hello\n")
            connected = socket_count(client.pid)
            server.kill()
            # What it sends before it sees the end may count as sent: nobody can tell.
            wait_until(lambda: socket_count(client.pid) < connected, "the client to see the end")
            client.stdin.write(b"is somebody there\n")
            printed, errors = client.communicate(timeout=TIMEOUT)
        self.assertEqual((client.returncode, printed), (1, b""))
        self.assertRegex(errors, rb"\Aecho_client: the connection broke: .+\n\Z")

    def test_one_client_more_than_max_sessions_is_sent_away_and_the_place_is_used_again(self):
        server = Server(self.programs, *self.arguments, "--max-sessions", "1")
        self.addCleanup(server.__exit__)
        with connect(server) as first:
            first.sendall(b"x")
            self.assertEqual(first.recv(1), b"x")
            with connect(server) as second:
                self.assertEqual(second.recv(1), b"")

        def served_again():
            try:
                return echo(server, b"y") == b"y"
            except ConnectionError:
                return False

        wait_until(served_again, "the place to become free")
        _, printed = server.end()
        self.assertRegex(printed, r"; refused [1-9]")
