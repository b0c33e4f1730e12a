"""Bytes to send, and clients that send them, read what comes back, or behave badly."""

import errno
import random
import socket
import struct
import threading
import time

from programs import TIMEOUT, wait_until

SEED = random.SystemRandom().randrange(1 << 32)


def payload(size):
    """Bytes in which a lost, doubled or moved piece shows. The same ones in each run with SEED."""
    return random.Random(SEED + size).randbytes(size)


def connect(server):
    return socket.create_connection((server.host, server.port), timeout=TIMEOUT)


def reset(connection):
    """Closes with RST: that is what a linger time of zero means."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def port_of(connection):
    return connection.getsockname()[1]


def read_exactly(connection, size):
    """`size` bytes, or fewer where the stream ends before. MSG_WAITALL knows no time-out."""
    received = bytearray()
    while len(received) < size and (some := connection.recv(size - len(received))):
        received += some
    return bytes(received)


def read_to_end(connection):
    """All that comes before the peer's FIN; a reset raises."""
    received = bytearray()
    while chunk := connection.recv(1 << 20):
        received += chunk
    return received


class Writer(threading.Thread):
    """Sends `data` on `connection` and half-closes, and knows how far it is."""

    def __init__(self, connection, data):
        super().__init__(daemon=True)
        self._connection = connection
        self._data = memoryview(data)
        self.written = 0
        self.failure = None

    def run(self):
        try:
            while self.written < len(self._data):
                chunk = self._data[self.written : self.written + (1 << 16)]
                self.written += self._connection.send(chunk)
            self._connection.shutdown(socket.SHUT_WR)
        except OSError as error:
            # What a half-close says of a connection that was reset; Python has no class for it.
            is_reset = error.errno == errno.ENOTCONN
            self.failure = ConnectionResetError(*error.args) if is_reset else error

    def wait_stuck(self, sample):
        """Returns when nothing more could be written for a second; calls `sample` meanwhile."""
        seen, since = -1, time.monotonic()
        while time.monotonic() - since < 1 and self.is_alive():
            if seen != self.written:
                seen, since = self.written, time.monotonic()
            sample()
            time.sleep(0.01)


class Flood:
    """Connections that only write, as much as anybody takes, and never read."""

    _CHUNK = bytes(1 << 16)

    def __init__(self, connections):
        self.writing = list(connections)
        self.broken = []
        for connection in self.writing:
            connection.setblocking(False)

    def turn(self):
        """One try on each. Returns whether anything happened."""
        moved = False
        for connection in list(self.writing):
            try:
                connection.send(self._CHUNK)
                moved = True
            except BlockingIOError:
                pass
            except ConnectionError:
                self.writing.remove(connection)
                self.broken.append(connection)
                moved = True
        return moved

    def until_stuck(self, sample=lambda: None):
        """Until nobody takes anything for half a second; calls `sample` meanwhile."""
        moved = time.monotonic()
        while time.monotonic() - moved < 0.5:
            if self.turn():
                moved = time.monotonic()
            else:
                time.sleep(0.005)
            sample()

    def until_broken(self, sample=lambda: None):
        """Until none is left."""

        def all_broken():
            self.turn()
            sample()
            return not self.writing

        wait_until(all_broken, "the flooding clients' end")


class Canary(threading.Thread):
    """Has to do with nothing that happens to the others. Sends numbers to an echo server for as
    long as its `with` lasts, and must get each of them back, in order; what it found wrong stands
    in `failure`."""

    _IN_FLIGHT = 20

    def __init__(self, server):
        super().__init__(daemon=True)
        self._connection = connect(server)
        self._finished = threading.Event()
        self.failure = None
        self.longest = 0  # seconds that an answer took

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self._finished.set()
        self.join(TIMEOUT)
        self._connection.close()

    def run(self):
        try:
            first = 0
            while not self._finished.wait(0.002):
                self._turn(first)
                first += self._IN_FLIGHT
            self._connection.shutdown(socket.SHUT_WR)
            if rest := read_to_end(self._connection):
                raise ValueError(f"{len(rest)} bytes too many")
        except (OSError, ValueError) as error:
            self.failure = error

    def _turn(self, first):
        sent = struct.pack(f">{self._IN_FLIGHT}Q", *range(first, first + self._IN_FLIGHT))
        begin = time.monotonic()
        self._connection.sendall(sent)
        received = self._connection.recv(len(sent), socket.MSG_WAITALL)
        self.longest = max(self.longest, time.monotonic() - begin)
        if received != sent:
            raise ValueError(f"{received!r} came back instead of the numbers from {first} on")


def echo(server, data):
    """Sends `data`, half-closes, and returns what came before the server's FIN."""
    with connect(server) as connection:
        writer = Writer(connection, data)
        writer.start()
        received = read_to_end(connection)
        writer.join(TIMEOUT)
        if writer.failure:
            raise writer.failure
        return received
