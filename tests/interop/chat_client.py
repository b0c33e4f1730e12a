"""A chat client, written from docs/chat-protocol.md alone, and the raw packets under it."""

import collections
import socket
import struct
import time

from programs import TIMEOUT

SAY, NAME, PING, NOTICE = 1, 2, 4, 8
JOIN, LEAVE, LIST, WHO, PRIVATE, EARLIER = 16, 17, 18, 19, 20, 21

MAX_REQUEST = 8192
MAX_ANSWER = 65536

Packet = collections.namedtuple("Packet", "type payload")


def packet(kind, payload=b""):
    """The bytes of one packet; the payload may be text."""
    if isinstance(payload, str):
        payload = payload.encode()
    return struct.pack(">BI", kind, len(payload)) + payload


def private(name, text):
    """The payload of a private message."""
    name = name.encode()
    return bytes([len(name)]) + name + text.encode()


class ChatClient:
    """One connection. What comes is kept in order until somebody asks for it."""

    def __init__(self, server, name=None, source=None):
        self.socket = socket.create_connection(
            (server.host, server.port), timeout=TIMEOUT, source_address=source
        )
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._bytes = bytearray()
        self._packets = collections.deque()
        self.name = None
        if name is not None:
            self.name = self.set_name(name)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def fileno(self):
        return self.socket.fileno()

    # Sending.

    def send_bytes(self, data):
        self.socket.sendall(data)

    def send(self, kind, payload=b""):
        self.send_bytes(packet(kind, payload))

    def say(self, text):
        self.send(SAY, text)

    # Receiving.

    def receive(self, timeout=TIMEOUT):
        """The next packet of any type; raises EOFError at the end and TimeoutError without one."""
        deadline = time.monotonic() + timeout
        while not self._packets:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"no packet for {timeout} s")
            self.socket.settimeout(left)
            self.feed()
        return self._packets.popleft()

    def feed(self):
        """Takes what has arrived; waits if nothing has."""
        data = self.socket.recv(1 << 18)
        if not data:
            raise EOFError("the server closed" + (" inside a packet" if self._bytes else ""))
        self._bytes += data
        at = 0
        while len(self._bytes) - at >= 5:
            kind, length = struct.unpack_from(">BI", self._bytes, at)
            if length > MAX_ANSWER:
                raise ValueError(f"a packet of {length} bytes")
            if len(self._bytes) - at - 5 < length:
                break
            self._packets.append(Packet(kind, bytes(self._bytes[at + 5 : at + 5 + length])))
            at += 5 + length
        del self._bytes[:at]

    def expect(self, kind, payload=None):
        """The next packet, which must be of this type and, if it is given, have this payload."""
        got = self.receive()
        if isinstance(payload, str):
            payload = payload.encode()
        if got.type != kind or (payload is not None and got.payload != payload):
            raise AssertionError(f"expected type {kind} {payload!r}, got {got}")
        return got.payload

    def expect_line(self, name, text, kind=SAY):
        self.expect(kind, f"{name} : {text}")

    def expect_error(self, code):
        notice = self.expect(NOTICE).decode()
        if not notice.startswith(code + ": "):
            raise AssertionError(f"expected the error {code}, got {notice!r}")

    def expect_nothing(self):
        """Everything that was sent to this client before now has been received."""
        token = f"mark {time.monotonic_ns()}"
        self.send(NAME, self.name)  # answered behind all that comes from the room
        self.expect(NAME, self.name)
        self.send(PING, token)
        self.expect(PING, token)

    def expect_end(self):
        """The server closes, or resets, before it sends anything more."""
        try:
            got = self.receive()
        except (EOFError, ConnectionError):
            return
        raise AssertionError(f"expected the end, got {got}")

    def drain(self):
        """Reads until the end and returns all packets."""
        packets = []
        try:
            while True:
                packets.append(self.receive())
        except EOFError:
            return packets

    # Asking.

    def set_name(self, name):
        self.send(NAME, name)
        self.name = self.expect(NAME, name).decode()
        return self.name

    def join(self, room):
        """Returns what was said earlier."""
        self.send(JOIN, room)
        return self.entered(room)

    def leave(self):
        self.send(LEAVE)
        return self.entered("lobby")

    def entered(self, room):
        earlier = []
        while (got := self.receive()).type == EARLIER:
            earlier.append(got.payload.decode())
        if got != Packet(JOIN, room.encode()):
            raise AssertionError(f"expected to be in {room}, got {got}")
        return earlier

    def rooms(self):
        self.send(LIST)
        lines = self.expect(LIST).decode().split("\n")
        return {name: int(members) for name, members in (line.split("\t") for line in lines)}

    def who(self):
        self.send(WHO)
        return self.expect(WHO).decode().split("\n")
