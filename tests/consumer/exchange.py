#!/usr/bin/env python3
"""The server in README.md, built by somebody: it is started, talked to, and ended by Enter.

Usage: exchange.py [--own-network] PROGRAM [ARGUMENT...]

The server's port is fixed, so the best place for it is a network of its own (unshare --net); with
--own-network this process is in one and brings its loopback up. Otherwise it takes its turn with
other runs of this user, and fails when somebody else has the port. Exits with 1 and the reason if
anything is not as it should be.
"""

import argparse
import errno
import fcntl
import os
import pathlib
import socket
import struct
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "interop"))

from programs import TIMEOUT
from traffic import SEED, connect, echo, payload

PORT = 11021
SIZES = (1, 1000, 1 << 16, 1 << 20)


class Failure(Exception):
    """What is wrong, in words."""


class Server:
    """The program, its stdin held open; leaving the `with` kills it if it still runs."""

    host, port = "127.0.0.1", PORT

    def __init__(self, command):
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(TIMEOUT)

    def wait_until_it_accepts(self):
        deadline = time.monotonic() + TIMEOUT
        while True:
            if self._process.poll() is not None:
                raise Failure(f"the server ended at once: {self._outcome()}")
            try:
                connect(self).close()
                return
            except ConnectionRefusedError:
                if time.monotonic() > deadline:
                    raise Failure(f"the server does not accept within {TIMEOUT} s") from None
                time.sleep(0.02)

    def press_enter(self):
        """Must end it with status 0."""
        self._process.stdin.write(b"\n")
        self._process.stdin.flush()
        outcome = self._outcome()
        if self._process.returncode != 0:
            raise Failure(f"the server did not end well: {outcome}")

    def _outcome(self):
        try:
            printed, _ = self._process.communicate(timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            raise Failure(f"the server still runs {TIMEOUT} s after Enter") from None
        return f"status {self._process.returncode}, printed {printed.decode(errors='replace')!r}"


def expect_echo(server, data):
    received = echo(server, data)
    if received != data:
        raise Failure(f"of {len(data)} bytes sent, {len(received)} came back, or others")


def sizes_with_half_close(server):
    for size in SIZES:
        expect_echo(server, payload(size))


def several_at_once(server):
    failures = []

    def one(size):
        try:
            expect_echo(server, payload(size))
        except (Failure, OSError) as failure:
            failures.append(failure)

    threads = [threading.Thread(target=one, args=(50_000 + i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def message_by_message(connection):
    for size in range(1, 200, 7):
        connection.sendall(payload(size))
        received = b""
        while len(received) < size:
            chunk = connection.recv(size - len(received))
            if not chunk:
                raise Failure("the server hung up in the middle of a conversation")
            received += chunk
        if received != payload(size):
            raise Failure(f"a message of {size} bytes came back as another one")


def expect_end(connection):
    try:
        if rest := connection.recv(1):
            raise Failure(f"{rest!r} came after Enter")
    except ConnectionResetError:
        pass


def exchange(command):
    with Server(command) as server:
        server.wait_until_it_accepts()
        sizes_with_half_close(server)
        several_at_once(server)
        with connect(server) as connection:  # which Enter finds open
            message_by_message(connection)
            server.press_enter()
            expect_end(connection)


def bring_loopback_up():
    """What `ip link set lo up` does."""
    set_flags, is_up = 0x8914, 0x1  # SIOCSIFFLAGS, IFF_UP
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, set_flags, struct.pack("16sH14x", b"lo", is_up))


def take_turn():
    """Waits until no other run of this user is here. The file it returns is the turn."""
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    (cache / "netcore").mkdir(parents=True, exist_ok=True)
    turn = open(cache / "netcore" / f"port-{PORT}.lock", "w", encoding="utf-8")
    deadline = time.monotonic() + TIMEOUT
    while True:
        try:
            fcntl.flock(turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return turn
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise Failure(f"{turn.name} was locked by another run for {TIMEOUT} s") from None
            time.sleep(0.1)


def expect_free_port():
    """Else we would talk to somebody else's server."""
    for family, address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
        try:
            socket.create_server((address, PORT), family=family).close()
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise Failure(
                    f"port {PORT}, which the server in README.md has, is taken on this machine; "
                    f"end what listens there (ss -ltnp 'sport = :{PORT}' names it)"
                ) from None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--own-network", action="store_true")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()

    print(f"seed {SEED}", file=sys.stderr)
    try:
        if options.own_network:
            bring_loopback_up()
            exchange(options.command)
        else:
            with take_turn():
                expect_free_port()
                exchange(options.command)
    except (Failure, OSError) as failure:
        sys.exit(f"exchange.py: {failure}")


if __name__ == "__main__":
    main()
