"""Many clients that join, leave and talk at random, and whether everybody heard what he should."""

import random
import select
import socket
import time

from chat_client import EARLIER, JOIN, NAME, NOTICE, SAY, ChatClient
from programs import TIMEOUT
from traffic import SEED

LOBBY = "lobby"


class Stay:
    """What one client heard in one room, from coming in to going out."""

    def __init__(self, room, earlier):
        self.room = room
        self.lines = list(earlier)


class Churner(ChatClient):
    """A client that does as it is told and writes down what it hears; never waits."""

    def __init__(self, server, name):
        super().__init__(server, name)
        self.stays = [Stay(LOBBY, [])]
        self.room = LOBBY  # where it will be once the server has done all that was asked
        self.said = []  # (room, line), in order
        self.earlier = []
        self.done = False

    def move(self, room):
        self.room = room
        self.send(JOIN, room)

    def talk(self, text):
        self.said.append((self.room, f"{self.name} : {text}"))
        self.say(text)

    def hear(self):
        """Takes in what has arrived."""
        self.feed()
        while self._packets:
            kind, payload = self._packets.popleft()
            text = payload.decode()
            if kind == SAY:
                self.stays[-1].lines.append(text)
            elif kind == EARLIER:
                self.earlier.append(text)
            elif kind == JOIN:
                if text != self.stays[-1].room:
                    self.stays.append(Stay(text, self.earlier))
                self.earlier = []
            elif kind == NAME:
                self.done = True
            elif kind != NOTICE or not text.startswith("* "):
                raise AssertionError(f"{self.name} got {kind} {text!r}")


def churn(server, clients, rooms, actions):
    """Runs it all and raises AssertionError where a message was lost, doubled or out of order."""
    rng = random.Random(SEED)
    names = [f"room {number}" for number in range(rooms)] + [LOBBY]
    watchers = {room: Churner(server, f"watcher {room}") for room in names}
    movers = [Churner(server, f"mover {number}") for number in range(clients)]
    everybody = [*watchers.values(), *movers]
    poller = select.poll()
    by_number = {client.fileno(): client for client in everybody}
    for number in by_number:
        poller.register(number, select.POLLIN)

    def listen(timeout_ms):
        for number, _ in poller.poll(timeout_ms):
            by_number[number].hear()

    def listen_until(condition, what):
        deadline = time.monotonic() + TIMEOUT
        while not condition():
            listen(100)
            assert time.monotonic() < deadline, f"waited in vain for {what}"

    try:
        for room, watcher in watchers.items():
            watcher.move(room)
        listen_until(
            lambda: all(watcher.stays[-1].room == room for room, watcher in watchers.items()),
            "the watchers to come in",
        )
        for number in range(actions):
            client = rng.choice(movers)
            if rng.random() < 0.3:
                client.move(rng.choice(names))
            for _ in range(rng.randrange(1, 4)):
                client.talk(f"{number}.{len(client.said)}")
            listen(0)
        # Once all is said, and once more: then everybody has heard the last of it.
        for _ in range(2):
            for client in everybody:
                client.done = False
                client.send(NAME, client.name)
            listen_until(lambda: all(client.done for client in everybody), "the answers")
        check({room: watcher.stays[-1].lines for room, watcher in watchers.items()}, movers)
    finally:
        for client in everybody:
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            client.close()


def check(heard, movers):
    """`heard`: all that was said in each room, by its watcher."""
    places = {room: {line: at for at, line in enumerate(lines)} for room, lines in heard.items()}
    for room, lines in heard.items():
        assert len(places[room]) == len(lines), f"something came twice in {room}"
    said = sum(len(mover.said) for mover in movers)
    assert said == sum(map(len, heard.values())), "something was lost or came to a wrong room"
    for mover in movers:
        last = {}
        for room, line in mover.said:
            at = places[room].get(line)
            assert at is not None, f"{line!r} is not in {room}"
            assert at > last.get(room, -1), f"{line!r} is out of order in {room}"
            last[room] = at
        own = set(line for _, line in mover.said)
        for stay in mover.stays:
            if not stay.lines:
                continue
            first = places[stay.room].get(stay.lines[0])
            assert first is not None, f"{stay.lines[0]!r} is none of {stay.room}"
            expected = heard[stay.room][first : first + len(stay.lines)]
            assert stay.lines == expected, f"{mover.name} missed something in {stay.room}"
        heard_own = [line for stay in mover.stays for line in stay.lines if line in own]
        missing = own.difference(heard_own)
        assert not missing, f"{mover.name} did not hear itself: {sorted(missing)[:3]}"
        end = mover.stays[-1]
        if end.lines:
            assert end.lines[-1] == heard[end.room][-1], f"{mover.name} missed the end"
