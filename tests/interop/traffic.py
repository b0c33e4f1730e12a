"""Bytes to send, and a client that sends them while it reads what comes back."""

import errno
import random
import socket
import threading
import time

from programs import TIMEOUT

SEED = random.SystemRandom().randrange(1 << 32)


def payload(size):
    """Bytes in which a lost, doubled or moved piece shows. The same ones in each run with SEED."""
    return random.Random(SEED + size).randbytes(size)


def connect(server):
    return socket.create_connection((server.host, server.port), timeout=TIMEOUT)


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
