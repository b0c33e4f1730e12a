"""The program chat_client: piped, and on a terminal that a person could sit at."""

import itertools
import os
import signal
import socket
import subprocess
import threading

from chat_cases import ChatCase
from chat_client import NAME, NOTICE, PING, SAY, packet
from programs import TIMEOUT
from pseudo_terminal import PseudoTerminal

NUMBERS = itertools.count(1)


class ChatClientCase(ChatCase):
    def command(self, *arguments, server=None):
        server = server or self.server
        return self.programs.command(
            "chat_client", "--port", server.port, "--backend", self.backend, *arguments
        )

    def script(self, *lines, arguments=(), server=None):
        """Runs a script to its end; returns what it printed, line by line."""
        result = subprocess.run(
            self.command(*arguments, server=server),
            input="".join(f"{line}\n" for line in lines).encode(),
            capture_output=True,
            timeout=TIMEOUT,
        )
        self.assertEqual((result.returncode, result.stderr), (0, b""), result.stdout)
        return result.stdout.decode().replace("\r\n", "\n").splitlines()

    def start(self, *arguments):
        """A piped client, to be written to and read from."""
        process = subprocess.Popen(
            self.command(*arguments),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.addCleanup(self.reap, process)
        return process

    @staticmethod
    def reap(process):
        process.kill()
        process.wait(TIMEOUT)
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                stream.close()

    def expect_line(self, process, line):
        self.assertEqual(process.stdout.readline().decode().rstrip("\r\n"), line)


class CommonChatClientCases(ChatClientCase):
    def test_a_script_gets_all_its_answers_in_order(self):
        printed = self.script(
            "hello",
            "//slash",
            "",
            "/who",
            "/msg scripter psst",
            "/msg nobody psst",
            "/name scripter2",
            "/join script2",
            "last",
            arguments=("--name", "scripter", "--room", "script"),
        )
        self.assertEqual(
            printed,
            [
                "-- you are scripter",
                "-- you are in script",
                "<scripter> hello",
                "<scripter> /slash",
                "-- here: scripter",
                "[private] <scripter> psst",
                "* sent to scripter",
                '! unknown-name: the name "nobody" is nobody\'s',
                "-- you are scripter2",
                "-- you are in script2",
                "<scripter2> last",
            ],
        )

    def test_what_is_no_command_or_too_long_is_answered_and_the_rest_goes_on(self):
        printed = self.script("/bogus", "x" * 5000, "/name " + "x" * 200, "x" * 100_000, "end")
        self.assertEqual(len([line for line in printed if line.startswith("! ")]), 4)
        self.assertRegex(printed[-1], r"\A<guest-[0-9]+> end\Z")

    def test_what_follows_a_quit_is_not_said(self):
        printed = self.script("before", "/quit", "behind", arguments=("--name", "quitter"))
        self.assertIn("<quitter> before", printed)
        self.assertNotIn("<quitter> behind", printed)

    def test_thousands_of_lines_all_come_back(self):
        lines = [f"line {number}" for number in range(5000)]
        printed = self.script(*lines, arguments=("--name", "many", "--room", "many"))
        self.assertEqual(printed[2:], [f"<many> {line}" for line in lines])

    def test_who_comes_later_is_told_what_was_said_before(self):
        client = self.client("historian")
        client.join("history")
        for number in range(3):
            client.say(f"line {number}")
        printed = self.script(arguments=("--room", "history"))
        self.assertEqual(printed[:3], [f"(earlier) <historian> line {n}" for n in range(3)])

    def test_two_clients_talk(self):
        one = self.start("--name", "one", "--room", "two clients")
        self.expect_line(one, "-- you are one")
        self.expect_line(one, "-- you are in two clients")
        other = self.start("--name", "other", "--room", "two clients")
        self.expect_line(other, "-- you are other")
        self.expect_line(other, "-- you are in two clients")
        self.expect_line(one, "* other joined")
        for speaker, name in ((one, "one"), (other, "other")):
            speaker.stdin.write(f"hello from {name}\n".encode())
            speaker.stdin.flush()
            for process in (one, other):
                self.expect_line(process, f"<{name}> hello from {name}")
        one.stdin.close()
        self.assertEqual(one.wait(TIMEOUT), 0)
        self.expect_line(other, "* one left")

    def test_where_nobody_listens_is_told_in_one_line(self):
        with socket.socket() as holder:
            holder.bind(("127.0.0.1", 0))
            port = holder.getsockname()[1]
            result = self.programs.run("chat_client", "--port", port, "--backend", self.backend)
        self.assertEqual((result.returncode, result.stdout), (1, b""))
        self.assertEqual(
            result.stderr.decode().replace("\r\n", "\n"),
            f"chat_client: connect 127.0.0.1:{port}: connection refused\n",
        )


class LinuxChatClientCases(CommonChatClientCases):
    def terminal(self, *arguments, columns=80, server=None, env=None):
        command = self.command(*arguments, server=server)
        return self.enterContext(PseudoTerminal(command, columns, env))

    def room(self, *arguments, **keywords):
        """A terminal in a room of its own with one other, who has the room's name. The terminal's
        name too is used once: the server may not have seen yet that an earlier case's has left."""
        number = next(NUMBERS)
        room, me = f"room{number}", f"me{number}"
        other = self.client(room)
        self.assertEqual(other.join(room), [])
        terminal = self.terminal("--name", me, "--room", room, *arguments, **keywords)
        terminal.expect(f"^-- you are in {room}$")
        other.expect(NOTICE, f"* {me} joined")
        return terminal, me, other, f"{room}> "

    def test_a_script_whose_server_dies_ends_with_status_1(self):
        with self.start_server() as server:
            process = subprocess.Popen(
                self.command("--name", "victim", server=server),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            self.addCleanup(self.reap, process)
            self.expect_line(process, "-- you are victim")
            self.expect_line(process, "-- you are in lobby")
            server.kill()
            _, told = process.communicate(timeout=TIMEOUT)
        self.assertEqual(process.returncode, 1)
        self.assertRegex(told.decode(), r"\Achat_client: the connection broke: peer .*\n\Z")

    def test_a_server_that_closes_before_it_has_answered_is_no_good_end(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            def serve():
                connection, _ = listener.accept()
                with connection:
                    while connection.recv(65536):
                        pass

            thread = threading.Thread(target=serve, daemon=True)
            thread.start()
            result = self.programs.run(
                "chat_client", "--port", listener.getsockname()[1], input=b"hello\n"
            )
            thread.join(TIMEOUT)
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stderr, b"chat_client: the connection broke: peer closed\n")

    def test_control_characters_of_a_bad_server_are_not_shown_and_its_ping_is_answered(self):
        heard = []
        with socket.create_server(("127.0.0.1", 0)) as listener:
            def serve():
                connection, _ = listener.accept()
                with connection:
                    connection.sendall(packet(SAY, "a\x1b[2J : \x9b1mhi\r\n") + packet(PING))
                    connection.sendall(packet(99, "unknown") + packet(NAME, b"\xff\x07"))
                    while chunk := connection.recv(65536):
                        heard.append(chunk)

            thread = threading.Thread(target=serve, daemon=True)
            thread.start()
            client = subprocess.Popen(
                self.programs.command("chat_client", "--port", listener.getsockname()[1]),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            self.addCleanup(self.reap, client)
            self.expect_line(client, "<a\ufffd[2J> \ufffd1mhi\ufffd\ufffd")
            self.expect_line(client, "-- you are \ufffd\ufffd")
            client.communicate(timeout=TIMEOUT)
            thread.join(TIMEOUT)
        self.assertIn(packet(PING), b"".join(heard))

    def test_a_message_stands_above_the_line_that_is_being_typed(self):
        terminal, me, other, prompt = self.room()
        terminal.type("half a l\u00e4ne \u6f22")
        terminal.expect_line(f"{prompt}half a l\u00e4ne \u6f22", len(prompt) + 14)
        for number in range(10):
            other.say(f"message {number}")
        terminal.expect(rf"^<{other.name}> message 9$")
        terminal.expect_line(f"{prompt}half a l\u00e4ne \u6f22", len(prompt) + 14)
        terminal.type("\x01whole \x05!\x1b[D\x7f\u5b57\r")
        terminal.expect(f"^<{me}> whole half a l\u00e4ne \u5b57!$")
        terminal.expect_line(prompt)
        rows = terminal.screen.text().splitlines()
        said = [row for row in rows if row.startswith("<")]
        expected = [f"<{other.name}> message {number}" for number in range(10)]
        self.assertEqual(said, [*expected, f"<{me}> whole half a l\u00e4ne \u5b57!"])
        self.assertEqual(len([row for row in rows if "half" in row]), 1)

    def test_a_line_longer_than_the_terminal_stays_in_one_row(self):
        terminal, me, other, _ = self.room(columns=20)
        text = "0123456789" * 10
        terminal.type(text)
        terminal.expect_line("> " + text[-17:], 19)
        rows = len(terminal.screen.rows)
        terminal.type("\x1b[H")
        terminal.expect_line("> " + text[:17], 2)
        self.assertEqual(len(terminal.screen.rows), rows)
        terminal.type("\r")
        other.expect_line(me, text)

    def test_commands_history_and_a_paste(self):
        terminal, me, other, prompt = self.room()
        terminal.type("/bogus\r")
        terminal.expect("^! there is no command /bogus")
        terminal.type("/who\r")
        terminal.expect(rf"^-- here: .*{other.name}")
        terminal.type(f"/msg {other.name} psst\r")
        terminal.expect(rf"^\[private\] to <{other.name}> psst$")
        terminal.expect(rf"^\* sent to {other.name}$")
        terminal.type("\x1b[A\x1b[A")
        terminal.expect_line(f"{prompt}/who")
        terminal.type("\x15\x1b[200~one\ntwo\x03\nthree\x1b[201~")
        terminal.expect_line(f"{prompt}three")
        terminal.expect(f"^<{me}> one\n<{me}> two$")
        terminal.type("\x0c")
        terminal.expect_that(
            lambda: terminal.screen.text() == f"{prompt}three", "nothing but the line"
        )

    def test_every_end_leaves_the_terminal_as_it_was(self):
        for how in ("\x03", "half a line\x03", "\x04", "/quit\r", signal.SIGTERM):
            with self.subTest(how):
                terminal = self.terminal("--room", "ends")
                terminal.expect("^-- you are in ends$")
                self.assertFalse(terminal.is_restored())
                if isinstance(how, str):
                    terminal.type(how)
                    self.assertEqual(terminal.end(), (0, ""))
                else:
                    self.assertEqual(terminal.end(how), (0, ""))
                self.assertTrue(terminal.is_restored())
                self.assertTrue(terminal.raw.endswith(b"\x1b[?2004l"), terminal.raw[-40:])

    def test_colours_are_there_unless_they_are_not_wanted(self):
        with_colours = self.terminal("--name", "colours", env={"NO_COLOR": ""})
        with_colours.expect("^-- you are in lobby$")
        self.assertIn(b"\x1b[2m-- you are in lobby\x1b[0m", with_colours.raw)
        without = self.terminal("--name", "no colours")
        without.expect("^-- you are in lobby$")
        self.assertNotIn(b"m--", without.raw)

    def test_a_server_that_comes_back_finds_name_and_room_again(self):
        with self.start_server() as first:
            terminal = self.terminal("--name", "before", server=first, columns=120)
            terminal.expect("^-- you are in lobby$")
            terminal.type("/name after\r/join place\r")
            terminal.expect("^-- you are in place$")
            terminal.type("half")
            first.kill()
            terminal.expect(r"^-- connection lost: peer .*; trying again in 0\.5 s$")
            terminal.type(" a line\r")
            terminal.expect("^! not connected: nothing was sent$")
            terminal.expect_line("place> half a line")
            terminal.expect(r"^-- connection lost: .*: connection refused; trying again in 1 s$")
        with self.start_server(port=first.port) as second:
            terminal.expect("^-- connected again\n-- you are after\n-- you are in place$")
            terminal.expect_line("place> half a line")
            other = self.client("other", second)
            other.join("place")
            terminal.type("\r")
            other.expect_line("after", "half a line")

    def test_while_it_is_not_connected_it_ends_at_once(self):
        for how in ("\x03", "/quit\r", signal.SIGTERM):
            with self.subTest(how), self.start_server() as server:
                terminal = self.terminal(server=server)
                terminal.expect("^-- you are in lobby$")
                server.kill()
                terminal.expect("^-- connection lost")
                if isinstance(how, str):
                    terminal.type(how)
                    self.assertEqual(terminal.end(), (0, ""))
                else:
                    self.assertEqual(terminal.end(how), (0, ""))
                self.assertTrue(terminal.is_restored())

    def test_a_refused_first_connect_leaves_the_terminal_alone(self):
        with socket.socket() as holder:
            holder.bind(("127.0.0.1", 0))
            port = holder.getsockname()[1]
            command = self.programs.command("chat_client", "--port", port)
            terminal = self.enterContext(PseudoTerminal(command))
            status, told = terminal.end()
        self.assertEqual(
            (status, told),
            (1, f"chat_client: connect 127.0.0.1:{port}: connection refused\n"),
        )
        self.assertEqual(terminal.raw, b"")
        self.assertTrue(terminal.is_restored())

    def test_a_stop_while_nobody_reads_what_it_writes(self):
        talker = self.client("talker")
        talker.join("stuck")
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        process = subprocess.Popen(
            self.command("--name", "stuck", "--room", "stuck"),
            stdin=subprocess.PIPE,
            stdout=writer,
            stderr=subprocess.PIPE,
        )
        os.close(writer)
        self.addCleanup(self.reap, process)
        talker.expect(NOTICE, "* stuck joined")
        # More than the pipe holds.
        for number in range(200):
            talker.say("x" * 4000)
            talker.expect_line("talker", "x" * 4000)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=TIMEOUT)
        self.assertEqual(process.returncode, 0)
