"""A small chat server that does to some packets what a chat server must not, to see that the load
bot notices. It knows what the bot uses of docs/chat-protocol.md: say, ping, join."""

import struct
import threading

from bad_servers import ThreadedServer

SAY, PING, NOTICE, JOIN = 1, 4, 8, 16


def packet(kind, payload):
    return struct.pack(">BI", kind, len(payload)) + payload


class BadChatServer(ThreadedServer):
    """`tamper(number, packet) -> packets` says what a receiver gets in the place of a packet of
    type 1; `number` counts what this receiver should have got, from 0. With `leak` what is said in
    one room is told in another one too, once."""

    def __init__(self, tamper, leak=False, refuse_joins=False):
        self._tamper = tamper
        self._leak = leak
        self._refuse_joins = refuse_joins
        self._lock = threading.Lock()
        self._guests = []  # under _lock
        super().__init__()

    def _serve(self, connection):
        guest = Guest(connection)
        with self._lock:
            self._guests.append(guest)
        try:
            with guest.connection, guest.stream:  # both hold the socket
                while (got := guest.receive()) is not None:
                    with self._lock:
                        self._answer(guest, *got)
        except OSError:
            pass
        with self._lock:
            self._guests.remove(guest)

    def _answer(self, guest, kind, payload):
        if kind == JOIN and self._refuse_joins:
            guest.send(packet(NOTICE, b"too-many-rooms: no room left"))
        elif kind == JOIN:
            guest.room = payload
            guest.send(packet(JOIN, payload))
        elif kind == PING and payload:
            guest.send(packet(PING, payload))
        elif kind == SAY:
            self._say(guest, packet(SAY, b"guest : " + payload))

    def _say(self, speaker, said):
        # Who is stuck in a send would hold up all others: none of the bots is.
        for guest in self._guests:
            if guest.room == speaker.room:
                for one in self._tamper(guest.heard, said):
                    guest.send(one)
                guest.heard += 1
            elif self._leak:
                self._leak = False
                guest.send(said)


class Guest:
    def __init__(self, connection):
        self.connection = connection
        self.room = b"lobby"
        self.heard = 0
        self.stream = connection.makefile("rb")

    def receive(self):
        """Type and payload of the next packet, or None at the end."""
        header = self.stream.read(5)
        if len(header) < 5:
            return None
        kind, length = struct.unpack(">BI", header)
        return kind, self.stream.read(length)

    def send(self, data):
        try:
            self.connection.sendall(data)
        except OSError:
            pass  # its own thread will see that it is gone


def honest(number, said):
    return [said]


def loses_one(number, said):
    return [] if number == 7 else [said]


def says_one_twice(number, said):
    return [said, said] if number == 7 else [said]


def flips_a_letter(number, said):
    """In the last byte, which is filler."""
    return [said[:-1] + bytes([said[-1] ^ 1])] if number == 7 else [said]


def changes_the_sequence(number, said):
    """From ...7 to ...6 or so: a digit that only the checksum tells from a good one."""
    at = said.index(b" says ") + len(b" says ") + 9
    return [said[:at] + bytes([said[at] ^ 1]) + said[at + 1 :]] if number == 7 else [said]


def cuts_one_short(number, said):
    return [packet(SAY, said[5:-1])] if number == 7 else [said]


def swaps_two():
    """Two packets of one sender change places, on each connection once: the first that is held back
    waits for the next one. Of one speaker alone, whose messages are all that comes."""
    kept = []

    def tamper(number, said):
        if number == 7:
            kept.append(said)
            return []
        return [said, kept.pop()] if number == 8 and kept else [said]

    return tamper


def hangs_up_in_a_packet(number, said):
    """Announces more than there is room for; the bot ends the connection."""
    return [struct.pack(">BI", SAY, 1 << 31)] if number == 7 else [said]
