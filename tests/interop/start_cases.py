"""Starts that fail, each with the right status and one clear line."""

import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import unittest

from programs import TIMEOUT

NOBODY = "65534"


def text_of(stream):
    return stream.decode().replace("\r\n", "\n")


class CommonStartCases(unittest.TestCase):
    programs = None
    backends = ()

    def fails(self, line, *arguments, program="echo_server", env=None):
        """The program must end with status 1 and print nothing but `line` and its own name."""
        result = self.programs.run(program, *arguments, env=env)
        self.assertEqual(text_of(result.stderr), f"{program}: {line}\n")
        self.assertEqual((result.returncode, result.stdout), (1, b""))

    def does_not_start(self, line, *arguments, program="echo_server"):
        """As `fails`, for the server on each backend."""
        for backend in self.backends:
            with self.subTest(f"{program} {backend}"):
                self.fails(line, "--backend", backend, *arguments, program=program)

    def test_a_port_in_use_is_named_with_the_reason(self):
        with socket.create_server(("127.0.0.1", 0)) as holder:
            port = holder.getsockname()[1]
            for program in ("echo_server", "chat_server"):
                self.does_not_start(
                    f"bind 127.0.0.1:{port}: address already in use",
                    *("--address", "127.0.0.1", "--port", port),
                    program=program,
                )

    def test_what_is_no_address_is_named(self):
        self.does_not_start(
            'listen: address "300.1.1.1": not an IPv4 or IPv6 address: invalid argument',
            *("--address", "300.1.1.1"),
        )

    def test_an_address_of_another_machine_is_named(self):
        self.does_not_start(
            "bind 192.0.2.1:11021: address not available", *("--address", "192.0.2.1")
        )

    def test_an_unknown_option_brings_the_usage_and_status_2(self):
        for program in ("echo_server", "echo_client", "load_bot", "chat_server", "chat_client"):
            result = self.programs.run(program, "--bogus")
            self.assertEqual((result.returncode, result.stdout), (2, b""))
            self.assertRegex(text_of(result.stderr), rf"\A{program}: .*--bogus\n")
            self.assertIn(f"Usage: {program}", text_of(result.stderr))

    def test_help_is_no_error(self):
        for program in ("echo_server", "echo_client", "load_bot", "chat_server", "chat_client"):
            result = self.programs.run(program, "--help")
            self.assertEqual((result.returncode, result.stderr), (0, b""))
            self.assertIn(f"Usage: {program}", text_of(result.stdout))


class LinuxStartCases(CommonStartCases):
    def test_a_port_that_is_none_is_named(self):
        result = self.programs.run("echo_server", "--port", 70000)
        self.assertEqual(result.returncode, 1)
        self.assertRegex(text_of(result.stderr), r"\Aecho_server: .*70000.*\n\Z")

    def test_a_word_where_a_number_belongs_brings_the_usage_and_status_2(self):
        for arguments in (("--port", "x"), ("--threads", "-1"), ("--backend", "kqueue")):
            result = self.programs.run("echo_server", *arguments)
            self.assertEqual(result.returncode, 2)
            self.assertRegex(text_of(result.stderr), rf"\Aecho_server: .*{arguments[0]}")

    def test_a_backend_of_another_system_is_named(self):
        result = self.programs.run("echo_server", "--port", 0, "--backend", "iocp")
        self.assertEqual((result.returncode, result.stdout), (1, b""))
        self.assertRegex(text_of(result.stderr), r"\Aecho_server: .*iocp.*\n\Z")

    def test_nonsense_in_the_environment_is_named(self):
        self.fails(
            'NETCORE_BACKEND: backend "nonsense" is none of auto, iocp, io_uring, epoll: '
            "invalid argument",
            env={"NETCORE_BACKEND": "nonsense"},
        )

    def test_the_environment_chooses_the_backend_where_no_option_does(self):
        command = self.programs.command("echo_server", "--port", "0")
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, env={**os.environ, "NETCORE_BACKEND": "epoll"}
        ) as server:
            self.addCleanup(server.kill)
            self.assertIn(b"(backend epoll, ", server.stdout.readline())
            server.terminate()
            self.assertEqual(server.wait(TIMEOUT), 0)

    def test_a_port_without_the_right_to_it_is_named(self):
        command = self.unprivileged()
        with tempfile.TemporaryDirectory() as folder:
            # Where everybody may read it.
            os.chmod(folder, 0o755)
            program = pathlib.Path(folder) / "echo_server"
            shutil.copy(self.programs.path("echo_server"), program)
            for backend in self.backends:
                result = subprocess.run(
                    [*command, program, "--address", "0.0.0.0", "--port", "80", "--backend", backend],
                    capture_output=True,
                    timeout=TIMEOUT,
                )
                self.assertEqual(
                    text_of(result.stderr), "echo_server: bind 0.0.0.0:80: access denied\n"
                )
                self.assertEqual((result.returncode, result.stdout), (1, b""))

    def unprivileged(self):
        """What runs a program that may not bind port 80; skips where nothing does."""
        first = pathlib.Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
        everybody_may = int(first.read_text()) <= 80
        if os.geteuid() != 0:
            if everybody_may:
                self.skipTest("on this system everybody may bind port 80")
            return []
        drop_rights = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        if not everybody_may:
            return drop_rights
        # A network namespace of its own has the kernel's default.
        own_network = ["unshare", "--net"]
        if subprocess.run([*own_network, "true"], capture_output=True).returncode != 0:
            self.skipTest("everybody may bind port 80, and no network namespace is to be had")
        return own_network + drop_rights

    def test_a_refused_connect_is_named(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        self.fails(
            f"connect 127.0.0.1:{port}: connection refused", "--port", port, program="echo_client"
        )
