"""The load bot finds what is wrong with a server, and nothing where nothing is."""

import json
import pathlib
import socket
import tempfile
import unittest

import bad_chat_servers as chat
from bad_chat_servers import BadChatServer
from bad_servers import (
    BadServer,
    adds_a_byte,
    drops_a_byte,
    falls_silent,
    flips_a_bit,
    hangs_up,
    honest,
)
from programs import Server

FOUR = ("lost", "duplicated", "reordered", "corrupted")

# Seconds that the bot waits for what is on its way: to the last of it, which a busy machine may bring
# late; or in vain, where some is lost.
DRAIN = 20
DRAIN_IN_VAIN = 2


def text_of(stream):
    return stream.decode().replace("\r\n", "\n")


class LoadBotCase(unittest.TestCase):
    programs = None

    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def load(self, port, *arguments, status):
        """Runs the bot; returns its table, and its JSON as a dictionary."""
        path = self.folder / "json"
        result = self.programs.run(
            "load_bot", "--port", port, "--threads", 2, "--json", path, *arguments
        )
        table = text_of(result.stdout)
        self.assertEqual((result.returncode, result.stderr), (status, b""), table)
        found = json.loads(path.read_text())
        self.assertEqual(found["good"], status == 0)
        return table, found

    def finds_nothing(self, load):
        self.assertEqual([load[what] for what in FOUR], [0, 0, 0, 0], load)
        self.assertEqual(load["deliveries"], load["expected"])
        self.assertEqual(load["of_others"], 0)

    def speaks_by_the_clock(self, load, expected, most):
        """Without a clock there are hundreds of times as many messages; with one that a busy machine
        stops and delays, some more or fewer. How far off they are is a figure."""
        self.assertGreater(load["messages"], 0)
        self.assertLess(load["messages"], 10 * expected)
        off = abs(load["messages"] - expected)
        what = f"{expected} messages by the clock: so many more or fewer"
        self.programs.figures.at_most(self, what, off, "", most)

    def finds(self, row, table, load):
        """This of the four is wrong, and nothing else."""
        self.assertRegex(table, rf"(?m)^ +{row} +[1-9]\d*$")
        self.assertEqual([what for what in FOUR if load[what] > 0], [row], load)


class EchoLoadCases(LoadBotCase):
    def echo(self, misbehave, status, drain=DRAIN):
        with BadServer(misbehave) as server:
            table, found = self.load(
                server.port, "--mode", "echo", "--clients", 3, "--pipeline", 4, "--size", 100,
                "--duration", 1, "--drain-timeout", drain, status=status,
            )  # fmt: skip
        return table, found["loads"][0]

    def test_it_finds_nothing_wrong_with_an_honest_server(self):
        _, load = self.echo(honest, 0)
        self.finds_nothing(load)

    def test_it_finds_a_flipped_bit(self):
        table, _ = self.echo(flips_a_bit, 1)
        self.assertRegex(table, r"(?m)^ +corrupted +[1-9]\d*$")

    def test_it_finds_a_lost_byte(self):
        table, _ = self.echo(drops_a_byte, 1, drain=DRAIN_IN_VAIN)
        self.assertRegex(table, r"(?m)^ +corrupted +[1-9]\d*$")

    def test_it_finds_a_byte_too_many(self):
        table, _ = self.echo(adds_a_byte, 1)
        self.assertRegex(table, r"(?m)^ +corrupted +[1-9]\d*$")

    def test_it_counts_answers_that_never_came_as_lost(self):
        self.finds("lost", *self.echo(falls_silent, 1, drain=DRAIN_IN_VAIN))

    def test_it_counts_connections_that_ended_before_their_time(self):
        table, _ = self.echo(hangs_up, 1)
        self.assertRegex(table, r"(?m)^ +broken +3$")

    def test_it_speaks_by_the_clock(self):
        with BadServer(honest) as server:
            _, found = self.load(
                server.port, "--mode", "echo", "--clients", 10, "--rate", 20, "--duration", 2,
                status=0,
            )  # fmt: skip
        load = found["loads"][0]
        self.finds_nothing(load)
        self.speaks_by_the_clock(load, 10 * 20 * 2, 100)

    def test_it_fails_where_nobody_listens(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        table, found = self.load(port, "--clients", 3, status=1)
        self.assertRegex(table, r"(?m)^ +not connected +3\n.*connection refused")
        self.assertEqual((found["failed"], found["loads"]), (3, []))


class ChatLoadCases(LoadBotCase):
    """Against a server in Python that is wrong on purpose: the right count is not 0, the others
    are."""

    def chat(self, tamper, status, *arguments, clients=3, drain=DRAIN, **faults):
        """One of three clients talks, so that it is known which packet is the eighth."""
        with BadChatServer(tamper, **faults) as server:
            table, found = self.load(
                server.port, "--clients", clients, "--speakers", 1, "--pipeline", 4,
                "--duration", 1, "--drain-timeout", drain, *arguments, status=status,
            )  # fmt: skip
        return table, found["loads"][0]

    def test_it_finds_nothing_wrong_with_an_honest_server(self):
        _, load = self.chat(chat.honest, 0)
        self.finds_nothing(load)
        self.assertGreater(load["messages"], 8)

    def test_it_finds_a_lost_message(self):
        table, load = self.chat(chat.loses_one, 1, drain=DRAIN_IN_VAIN)
        self.finds("lost", table, load)
        self.assertEqual(load["lost"], 3)

    def test_it_finds_a_message_that_comes_twice(self):
        table, load = self.chat(chat.says_one_twice, 1)
        self.finds("duplicated", table, load)
        self.assertEqual(load["duplicated"], 3)

    def test_it_finds_messages_out_of_order(self):
        table, load = self.chat(chat.swaps_two(), 1)
        self.finds("reordered", table, load)
        self.assertEqual(load["reordered"], 3)

    def test_it_finds_a_changed_letter(self):
        table, load = self.chat(chat.flips_a_letter, 1)
        self.finds("corrupted", table, load)
        self.assertEqual(load["corrupted"], 3)

    def test_it_finds_a_message_that_was_cut_short(self):
        table, load = self.chat(chat.cuts_one_short, 1)
        self.finds("corrupted", table, load)

    def test_a_message_with_another_ones_number_is_corrupted_and_its_own_is_lost(self):
        _, load = self.chat(chat.changes_the_sequence, 1, drain=DRAIN_IN_VAIN)
        self.assertEqual([load[what] for what in FOUR], [3, 0, 0, 3])

    def test_it_finds_a_message_that_was_said_in_another_room(self):
        table, load = self.chat(
            chat.honest, 1, "--rooms", 1, "--members", 3, clients=4, leak=True
        )
        self.finds("corrupted", table, load)
        self.assertEqual(load["corrupted"], 1)

    def test_it_finds_each_of_them_in_a_broadcast_too(self):
        for row, tamper in (
            ("lost", chat.loses_one),
            ("duplicated", chat.says_one_twice),
            ("corrupted", chat.flips_a_letter),
        ):
            with self.subTest(row):
                table, load = self.chat(
                    tamper, 1, "--mode", "broadcast", "--messages", 10,
                    drain=DRAIN_IN_VAIN if row == "lost" else DRAIN,
                )  # fmt: skip
                self.finds(row, table, load)

    def test_it_counts_connections_that_ended_before_their_time(self):
        table, load = self.chat(chat.hangs_up_in_a_packet, 1, drain=DRAIN_IN_VAIN)
        self.assertRegex(table, r"(?m)^ +broken +3\n.*first failure: bad length")
        self.assertGreater(load["lost"], 0)

    def test_it_says_what_the_server_complained_about(self):
        with BadChatServer(chat.honest, refuse_joins=True) as server:
            table, found = self.load(
                server.port, "--clients", 3, "--rooms", 1, "--enter-timeout", 3,
                "--drain-timeout", 1, status=1,
            )  # fmt: skip
        self.assertIn("not everybody got in", table)
        self.assertIn("the first one: too-many-rooms: no room left", table)
        self.assertEqual(found["loads"][0]["complaints"], 3)

    def test_modes_that_follow_a_bad_one_are_not_tried(self):
        table, load = self.chat(
            chat.loses_one, 1, "--mode", "broadcast,chat", "--messages", 10, drain=DRAIN_IN_VAIN
        )
        self.assertEqual(load["mode"], "broadcast")
        self.assertNotRegex(table, r"(?m)^chat: ")

    def test_options_that_mean_nothing_together_bring_status_2(self):
        for arguments, named in (
            (("--mode", "echo,chat"), "--mode"),
            (("--mode", "nonsense"), "--mode"),
            (("--size", 62), "--size"),
            (("--size", 4097), "--size"),
            (("--pipeline", 33), "--pipeline"),
            (("--members", 3), "--members"),
            (("--clients", 3, "--rooms", 1, "--members", 4), "--members"),
            (("--clients", 3, "--rooms", 4), "--rooms"),
        ):
            result = self.programs.run("load_bot", *arguments)
            self.assertEqual((result.returncode, result.stdout), (2, b""), arguments)
            self.assertRegex(text_of(result.stderr), rf"\Aload_bot: .*{named}")


class ChatServerLoadCases(LoadBotCase):
    """Against the real chat server: all four are 0."""

    backend = None
    arguments = ()

    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(
            Server(cls.programs, *cls.arguments, "--idle-timeout", "0", program="chat_server")
        )

    def chat(self, *arguments, clients=60):
        table, found = self.load(
            self.server.port, "--backend", self.backend, "--clients", clients, *arguments, status=0
        )
        self.assertEqual(found["connected"], clients)
        for load in found["loads"]:
            self.finds_nothing(load)
        return table, found["loads"]

    def test_one_speaks_to_all_and_then_some_talk_in_a_room_of_their_own(self):
        table, (broadcast, chat_load) = self.chat(
            "--mode", "broadcast,chat", "--messages", 20, "--rooms", 1, "--members", 20,
            "--duration", 1, clients=300,
        )  # fmt: skip
        self.assertEqual((broadcast["messages"], broadcast["deliveries"]), (20, 20 * 300))
        self.assertEqual(chat_load["deliveries"], chat_load["messages"] * 20)
        self.assertLessEqual(broadcast["round_trip_us"]["max"], broadcast["last_receiver_us"]["max"])
        self.assertRegex(table, r"(?m)^ +connections +300$")
        self.assertRegex(table, r"(?m)^ +last receiver( +[0-9.]+){4}  ms$")

    def test_all_talk_in_the_lobby(self):
        self.chat("--duration", 1)

    def test_all_talk_in_many_rooms_with_several_messages_on_their_way(self):
        _, (load,) = self.chat("--rooms", 7, "--pipeline", 8, "--size", 1000, "--duration", 1)
        self.assertGreater(load["messages"], 60 * 8)

    def test_clients_come_one_by_one_and_speak_by_the_clock(self):
        table, (load,) = self.chat(
            "--ramp", 1, "--rooms", 2, "--rate", 10, "--speakers", 5, "--duration", 2
        )
        self.speaks_by_the_clock(load, 2 * 5 * 10 * 2, 60)
        connects = next(line.split()[1] for line in table.split("\n") if "connects/s" in line)
        self.assertLess(int(connects), 120)

    def test_the_smallest_and_the_largest_message_come_whole(self):
        for size in (63, 4096):
            self.chat("--size", size, "--duration", 1, clients=10)

    def test_where_no_terminal_is_it_prints_plain_lines(self):
        table, _ = self.chat("--duration", 4, clients=3)
        self.assertNotIn("\r", table)
        self.assertRegex(table, r"(?m)^chat [0-9.]+ s: \d+ messages, \d+ deliveries$")
