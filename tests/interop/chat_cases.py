"""What every chat_server must do, whatever its backend and its system."""

import pathlib
import random
import socket
import struct
import tempfile
import time
import unittest

from chat_client import (
    EARLIER,
    JOIN,
    LEAVE,
    LIST,
    MAX_REQUEST,
    NAME,
    NOTICE,
    PING,
    PRIVATE,
    SAY,
    WHO,
    ChatClient,
    packet,
    private,
)
from chat_churn import churn
from programs import TIMEOUT, Server, wait_until
from traffic import SEED


class ChatCase(unittest.TestCase):
    """One server for all cases of a class; each case uses names and rooms of its own."""

    programs = None
    arguments = ()
    options = ("--idle-timeout", "0")
    churners, churn_actions = 20, 1000

    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(cls.start_server(*cls.options))

    @classmethod
    def start_server(cls, *options, port=0):
        return Server(cls.programs, *cls.arguments, *options, program="chat_server", port=port)

    def client(self, name=None, server=None):
        return self.enterContext(ChatClient(server or self.server, name))

    def clients(self, *names, room=None, server=None):
        """Several, in a room of their own; what they hear of each other's coming is read."""
        clients = [self.client(name, server) for name in names]
        for at, client in enumerate(clients):
            self.assertEqual(client.join(room or self.id()[-30:]), [])
            for other in clients[:at]:
                other.expect(NOTICE, f"* {client.name} joined")
        return clients


class CommonChatCases(ChatCase):
    def test_two_clients_that_know_types_1_and_2_only_talk(self):
        with self.start_server() as server:
            one, other = self.client(server=server), self.client(server=server)
            one.send(NAME, "one")
            one.expect(NAME, "one")
            other.send(NAME, "other")
            other.expect(NAME, "other")
            one.send(SAY, "hello")
            one.expect(SAY, "one : hello")
            other.expect(SAY, "one : hello")
            other.send(SAY, "hello yourself")
            other.expect(SAY, "other : hello yourself")
            one.expect(SAY, "other : hello yourself")

    def test_a_client_that_sets_no_name_talks_as_a_guest(self):
        guest, other = self.client(), self.client()
        for client in (guest, other):
            client.send(JOIN, "guests")
            client.entered("guests")
        self.assertRegex(guest.expect(NOTICE).decode(), r"\A\* guest-[0-9]+ joined\Z")
        names = guest.who()
        self.assertEqual(len(set(names)), 2)
        for name in names:
            self.assertRegex(name, r"\Aguest-[0-9]+\Z")
        guest.say("hello")
        line = guest.expect(SAY).decode()
        self.assertRegex(line, r"\Aguest-[0-9]+ : hello\Z")
        other.expect(SAY, line)

    def test_after_connecting_nothing_comes_unasked(self):
        silent = self.client()
        silent.send(PING, "x")
        silent.expect(PING, "x")

    def test_everybody_in_the_room_gets_a_message_once_and_nobody_else(self):
        room = self.clients("in1", "in2", "in3")
        outside = self.client("outside")
        for number in range(50):
            room[number % 3].say(f"message {number}")
        for client in room:
            heard = [client.expect(SAY).decode() for _ in range(50)]
            self.assertEqual(len(set(heard)), 50)
            for speaker in range(3):
                said = [line for line in heard if line.startswith(f"in{speaker + 1} : ")]
                expected = [f"in{speaker + 1} : message {n}" for n in range(speaker, 50, 3)]
                self.assertEqual(said, expected)
        self.assertEqual(room[0].who(), ["in1", "in2", "in3"])
        outside.expect_nothing()

    def test_a_name_is_one_persons_until_he_goes(self):
        first, second = self.client("unique"), self.client("second")
        second.send(NAME, "unique")
        second.expect_error("name-taken")
        self.assertEqual(second.set_name("second"), "second")
        self.assertEqual(first.set_name("unique"), "unique")
        first.close()

        def taken_over():
            second.send(NAME, "unique")
            return second.receive().type == NAME

        wait_until(taken_over, "the name to become free")

    def test_a_new_name_frees_the_old_one_and_is_told_to_the_room(self):
        one, other = self.clients("renames1", "renames2")
        one.set_name("renames3")
        other.expect(NOTICE, "* renames1 is now called renames3")
        other.set_name("renames1")
        one.expect(NOTICE, "* renames2 is now called renames1")
        self.assertEqual(one.who(), ["renames1", "renames3"])
        one.say("x")
        other.expect_line("renames3", "x")

    def test_names_of_32_characters_and_texts_of_4096_bytes_pass_and_no_more(self):
        one, other = self.client("limits1"), self.client("limits2")
        for character in ("x", "\u00e4", "\u6f22", "\U0001f600"):
            name = room = character * 32
            one.set_name(name)
            one.send(NAME, character * 33)
            one.expect_error("name-too-long")
            self.assertEqual(other.join(room), [])
            self.assertEqual(one.join(room), [])
            other.expect(NOTICE, f"* {name} joined")
            one.send(JOIN, character * 33)
            one.expect_error("name-too-long")
            text = character * (4096 // len(character.encode()))
            text += "x" * (4096 - len(text.encode()))
            one.say(text)
            one.expect_line(name, text)
            other.expect_line(name, text)
            one.say(text + "x")
            one.expect_error("text-too-long")
            other.send(PRIVATE, private(name, text))
            other.expect(NOTICE, f"* sent to {name}")
            one.expect(PRIVATE, private("limits2", text))
            one.leave()
            other.expect(NOTICE, f"* {name} left")
            other.leave()
        other.expect_nothing()

    def test_whatever_is_wrong_is_answered_by_its_code_and_never_broadcast(self):
        wrong, other = self.clients("wrong", "witness")
        cases = [
            (SAY, b"", "text-empty"),
            (SAY, b"x" * 4097, "text-too-long"),
            (SAY, b"x" * MAX_REQUEST, "text-too-long"),
            (NAME, b"", "name-empty"),
            (NAME, b"x" * 33, "name-too-long"),
            (NAME, b"x" * MAX_REQUEST, "name-too-long"),
            (NAME, b"witness", "name-taken"),
            (JOIN, b"", "name-empty"),
            (JOIN, b"x" * 33, "name-too-long"),
            (LEAVE, b"x", "bad-request"),
            (LIST, b"x", "bad-request"),
            (WHO, b"x", "bad-request"),
            (PRIVATE, b"", "bad-request"),
            (PRIVATE, b"\5bob", "bad-request"),
            (PRIVATE, b"\0text", "name-empty"),
            (PRIVATE, private("witness", ""), "text-empty"),
            (PRIVATE, private("witness", "x" * 4097), "text-too-long"),
            (PRIVATE, private("nobody here", "x"), "unknown-name"),
        ]
        for bad in (b" x", b"x ", b"x : y", b"x :y", b" "):
            cases += [(NAME, bad, "name-not-allowed"), (JOIN, bad, "name-not-allowed")]
        for bad in (b"\xff", b"a\x80", b"\xc3", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80"):
            cases += [(kind, bad, "bad-utf8") for kind in (SAY, NAME, JOIN)]
            cases += [(PRIVATE, b"\7witness" + bad, "bad-utf8")]
        for bad in (b"\0", b"a\n", b"\x1b[2J", b"\x7f", b"\xc2\x85"):
            cases += [(kind, bad, "control-character") for kind in (SAY, NAME, JOIN)]
            cases += [(PRIVATE, b"\7witness" + bad, "control-character")]
        known = {SAY, NAME, PING, JOIN, LEAVE, LIST, WHO, PRIVATE}
        cases += [(kind, b"hello", "unknown-type") for kind in range(256) if kind not in known]
        for kind, payload, code in cases:
            with self.subTest(kind=kind, payload=payload[:20]):
                wrong.send(kind, payload)
                wrong.expect_error(code)
        wrong.say("still here")
        wrong.expect_line("wrong", "still here")
        other.expect_line("wrong", "still here")
        other.expect_nothing()

    def test_a_length_beyond_the_maximum_ends_the_connection_before_its_body_comes(self):
        for length in (MAX_REQUEST + 1, 1 << 20, (1 << 31) - 1, 1 << 31, (1 << 32) - 1):
            client = self.client()
            client.send_bytes(packet(PING, "before") + struct.pack(">BI", SAY, length))
            client.expect(PING, "before")
            client.expect_end()

    def test_rooms_are_joined_listed_and_left(self):
        one, two = self.client("rooms1"), self.client("rooms2")
        self.assertEqual(one.join("den"), [])
        self.assertEqual(one.who(), ["rooms1"])
        self.assertEqual(two.join("den"), [])
        one.expect(NOTICE, "* rooms2 joined")
        self.assertEqual(two.who(), ["rooms1", "rooms2"])
        rooms = two.rooms()
        self.assertEqual(rooms["den"], 2)
        self.assertIn("lobby", rooms)
        self.assertEqual(list(rooms), sorted(rooms))
        self.assertEqual(two.leave(), two.join("lobby"))
        one.expect(NOTICE, "* rooms2 left")
        self.assertEqual(one.rooms()["den"], 1)
        self.assertIn("rooms2", two.who())
        one.close()
        wait_until(lambda: "den" not in two.rooms(), "an empty room to vanish")

    def test_who_joins_gets_the_last_messages_in_order_and_a_new_room_has_none(self):
        one = self.client("history1")
        self.assertEqual(one.join("old room"), [])
        said = [f"history1 : message {number}" for number in range(30)]
        for number in range(30):
            one.say(f"message {number}")
        two = self.client("history2")
        heard = two.join("old room")
        while len(heard) < 30 and not heard[-1:] == said[-1:]:
            heard.append(two.expect(SAY).decode())  # if not all were said by then
        self.assertEqual(heard[-20:], said[-20:])
        self.assertEqual(two.join("old room"), said[-20:])
        two.leave()
        lines = [one.receive() for _ in range(32)]
        self.assertEqual([got.payload.decode() for got in lines if got.type == SAY], said)
        one.leave()
        wait_until(lambda: "old room" not in two.rooms(), "an empty room to vanish")
        self.assertEqual(two.join("old room"), [])

    def test_the_lobby_is_told_of_nobody(self):
        with self.start_server() as server:
            one = self.client("lobby1", server)
            two = self.client("lobby2", server)
            two.join("elsewhere")
            two.leave()
            two.set_name("lobby3")
            two.close()
            wait_until(lambda: one.who() == ["lobby1"], "the other to be gone")

    def test_a_private_message_reaches_its_receiver_alone_in_whatever_room(self):
        one, two, three = self.client("private1"), self.client("private2"), self.client("private3")
        two.join("private room")
        three.join("private room")
        two.expect(NOTICE)
        one.send(PRIVATE, private("private2", "psst : \u00e4"))
        one.expect(NOTICE, "* sent to private2")
        two.expect(PRIVATE, private("private1", "psst : \u00e4"))
        two.send(PRIVATE, private("private2", "to myself"))
        got = [two.receive(), two.receive()]
        self.assertEqual([one.type for one in got], [PRIVATE, NOTICE])
        three.expect_nothing()
        two.close()

        def unknown():
            one.send(PRIVATE, private("private2", "there"))
            return one.expect(NOTICE).startswith(b"unknown-name: ")

        wait_until(unknown, "the receiver to be gone")

    def test_a_ping_comes_back_as_it_was(self):
        client = self.client()
        for payload in (b"x", b"\0\xff\n", b"p" * MAX_REQUEST):
            client.send(PING, payload)
            client.expect(PING, payload)
        client.send(PING)  # a pong nobody asked for
        client.send(PING, "still here")
        client.expect(PING, "still here")

    def test_what_is_sent_right_behind_a_join_happens_in_the_new_room(self):
        witness, = self.clients("behind1", room="behind 9")
        client = self.client("behind2")
        data = b"".join(
            packet(JOIN, f"behind {number}") + packet(WHO) + packet(SAY, f"in {number}")
            for number in range(10)
        )
        client.send_bytes(data)
        for number in range(10):
            client.expect(JOIN, f"behind {number}")
            names = client.expect(WHO).decode().split("\n")
            self.assertEqual(names, ["behind1", "behind2"] if number == 9 else ["behind2"])
            client.expect_line("behind2", f"in {number}")
        witness.expect(NOTICE, "* behind2 joined")
        witness.expect_line("behind2", "in 9")
        # A room that was left is gone a little later.
        wait_until(
            lambda: len([room for room in client.rooms() if room.startswith("behind ")]) == 1,
            "the rooms that were left are gone",
        )

    def test_bytes_that_come_one_by_one_are_the_same_packets(self):
        one, two = self.clients("split1", "split2")
        for byte in packet(SAY, "slowly") + packet(NAME, "split3") + packet(PRIVATE, private("split2", "x")):
            one.send_bytes(bytes([byte]))
            time.sleep(0.001)
        one.expect_line("split1", "slowly")
        one.expect(NAME, "split3")
        one.expect(NOTICE, "* sent to split2")
        two.expect_line("split1", "slowly")
        two.expect(NOTICE, "* split1 is now called split3")
        two.expect(PRIVATE, private("split3", "x"))

    def test_a_client_that_half_closes_gets_all_answers_and_then_the_end(self):
        for client in (self.client("half1"), self.client("half2")):
            data = b"".join(packet(SAY, f"message {number}") for number in range(500))
            client.send_bytes(packet(JOIN, client.name + " room") + data)
            client.socket.shutdown(socket.SHUT_WR)
            client.entered(client.name + " room")
            lines = [got.payload.decode() for got in client.drain()]
            self.assertEqual(lines, [f"{client.name} : message {n}" for n in range(500)])

    def test_garbage_harms_nobody_else(self):
        canary = self.client("canary")
        canary.join("mine")
        rng = random.Random(SEED)
        kinds = [SAY, NAME, PING, JOIN, LEAVE, LIST, WHO, PRIVATE, EARLIER, 0, 255]
        for round_ in range(40):
            client = self.client()
            data = bytearray()
            for _ in range(rng.randrange(1, 60)):
                data += packet(rng.choice(kinds), rng.randbytes(rng.choice((0, 1, 5, 40, 300))))
            if rng.random() < 0.5:
                data += rng.randbytes(rng.randrange(200))
            client.send_bytes(data)
            if rng.random() < 0.5:
                client.socket.setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
                )
            client.close()
            canary.say(f"round {round_}")
            canary.expect_line("canary", f"round {round_}")
        canary.expect_nothing()


    def test_who_churns_between_rooms_hears_each_of_them_whole_and_in_order(self):
        churn(self.server, self.churners, 8, self.churn_actions)


class LinuxChatCases(CommonChatCases):
    churners, churn_actions = 200, 8000


class OwnServerCases(ChatCase):
    """Each case has a server of its own."""

    @classmethod
    def setUpClass(cls):
        pass

    def start(self, *options):
        return self.enterContext(self.start_server(*options))

    def test_a_silent_client_is_pinged_and_then_ended_and_one_that_answers_or_talks_stays(self):
        server = self.start("--idle-timeout", "3")
        silent, talking, ponging = (self.client(name, server) for name in "stp")
        began = time.monotonic()  # before the silent one speaks for the last time
        for client in (silent, talking, ponging):
            client.join(client.name)
        pings = {silent: 0, talking: 0, ponging: 0}
        ended = None
        while (ended is None or pings[ponging] <= 3) and time.monotonic() - began < TIMEOUT:
            talking.say("x")
            talking.expect_line("t", "x")
            for client in pings:
                if client is silent and ended:
                    continue
                try:
                    while True:
                        self.assertEqual(client.receive(timeout=0.05), (PING, b""))
                        pings[client] += 1
                        if client is ponging:
                            client.send(PING)
                except TimeoutError:
                    pass
                except (EOFError, ConnectionError):
                    self.assertIs(client, silent)
                    ended = time.monotonic() - began
        self.assertIsNotNone(ended, "the silent one was not ended")
        self.assertGreater(ended, 2.5)
        self.programs.figures.at_most(self, "a silent chat client: its end", ended, "s", 5)
        self.assertGreater(pings[silent], 0)
        self.assertGreater(pings[ponging], 3)
        self.assertEqual(pings[talking], 0)

    def test_without_an_idle_time_nobody_is_pinged(self):
        server = self.start("--idle-timeout", "0")
        client = self.client(server=server)
        with self.assertRaises(TimeoutError):
            client.receive(timeout=1.5)

    def test_one_room_more_than_there_may_be_is_refused_until_one_vanishes(self):
        server = self.start("--max-rooms", "2")
        one, two = self.client("one", server), self.client("two", server)
        one.join("first")
        two.send(JOIN, "second")
        two.expect_error("too-many-rooms")
        self.assertEqual(two.rooms(), {"first": 1, "lobby": 1})
        two.join("first")
        one.expect(NOTICE, "* two joined")
        one.leave()
        two.expect(NOTICE, "* one left")
        two.leave()
        wait_until(lambda: "first" not in one.rooms(), "a room to vanish")
        self.assertEqual(one.join("second"), [])

    def test_options_may_come_from_a_file(self):
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        config = folder / "chat.toml"
        config.write_text("history = 2\nmax-rooms = 2\nannounce-limit = 1\n")
        server = self.start("--config", str(config), "--history", "3")
        one, two = self.client("one", server), self.client("two", server)
        one.join("first")
        for number in range(5):
            one.say(str(number))
        for number in range(5):
            one.expect_line("one", str(number))
        self.assertEqual(two.join("first"), [f"one : {number}" for number in (2, 3, 4)])
        one.expect_nothing()
        two.send(JOIN, "second")
        two.expect_error("too-many-rooms")

    def test_a_client_that_does_not_read_is_hung_up_on_at_the_bound_and_the_others_notice_nothing(self):
        server = self.start("--send-queue-bytes", "65536")
        talker, reader, stopped = (
            self.clients("talker", "reader", "stopped", room="room", server=server)
        )
        text = "x" * 4000
        left = dict.fromkeys((talker, reader), False)
        for _ in range(20_000):
            talker.say(text)
            for client in (talker, reader):
                got = client.receive()
                if got == (NOTICE, b"* stopped left"):
                    left[client] = True
                    got = client.receive()
                self.assertEqual(got, (SAY, f"talker : {text}".encode()))
            if all(left.values()):
                break
        self.assertTrue(all(left.values()), "the one that does not read was never hung up on")
        self.assertEqual(talker.who(), ["reader", "talker"])

    def test_sigterm_under_load_ends_it_cleanly(self):
        server = self.start("--idle-timeout", "0")
        clients = [self.client(f"load{number}", server) for number in range(20)]
        data = b"".join(packet(SAY, f"message {number}") for number in range(2000))
        for client in clients:
            client.socket.setblocking(False)
            try:
                client.socket.send(data)
            except BlockingIOError:
                pass
        clients[0].socket.setblocking(True)
        clients[0].receive()
        status, printed = server.end()
        self.assertEqual(status, 0, printed)
        self.assertRegex(printed, r"served 20 sessions")
        self.assertRegex(printed, r"said \d+ messages; refused 0 requests")

    def test_one_client_more_than_max_sessions_is_sent_away(self):
        server = self.start("--max-sessions", "1")
        self.client("only", server)
        with self.assertRaises((EOFError, ConnectionError)):
            self.client("another", server)
