#!/usr/bin/env python3
"""Listens to a fault_server that answers with ticks.

Usage: tick_client.py HOST PORT BYTES [RECV_BUFFER_BYTES]

Prints its own port once it is connected, and at the end one line of JSON: how many ticks came, how
late the latest one was, and what ended it. Reads until stdin ends, or the connection does; a tick
out of its turn is an error.
"""

import json
import select
import socket
import struct
import sys
import time

HEADER = struct.Struct("=Qq")


class Ticks:
    """Cuts a stream into ticks and checks that none is missing."""

    def __init__(self, size):
        self._size = size
        self._stream = bytearray()
        self._next = None
        self.count = 0
        self.latest_seconds = 0

    def take(self, chunk):
        self._stream += chunk
        whole = len(self._stream) // self._size * self._size
        for at in range(0, whole, self._size):
            number, sent_ns = HEADER.unpack_from(self._stream, at)
            if self._next is not None and number != self._next:
                raise ValueError(f"tick {number} came instead of {self._next}")
            self._next = number + 1
            self.count += 1
            late = (time.monotonic_ns() - sent_ns) / 1e9
            self.latest_seconds = max(self.latest_seconds, late)
        del self._stream[:whole]


def listen(connection, ticks):
    """Returns why it ended."""
    try:
        while True:
            readable, _, _ = select.select([connection, sys.stdin], [], [])
            if sys.stdin in readable:
                return "stdin"
            chunk = connection.recv(1 << 16)
            if not chunk:
                return "closed"
            ticks.take(chunk)
    except ConnectionResetError:
        return "reset"
    except ValueError as error:
        return str(error)


def main():
    host, port, size, *buffer = sys.argv[1:]
    connection = socket.socket()
    if buffer:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, int(buffer[0]))
    connection.connect((host, int(port)))
    print(connection.getsockname()[1], flush=True)
    ticks = Ticks(int(size))
    end = listen(connection, ticks)
    print(json.dumps({"end": end, "ticks": ticks.count, "latest_seconds": ticks.latest_seconds}))


if __name__ == "__main__":
    main()
