"""Echo servers that do what an echo server must not, to see that the load bot notices."""

import socket
import threading

from programs import TIMEOUT


class ThreadedServer:
    """Listens, and gives each connection a thread of its own in `_serve`; leaving the `with` ends
    the listening."""

    def __init__(self, port=0):
        self._listener = socket.create_server(("127.0.0.1", port), backlog=128)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # A thread in accept would keep the socket: shutdown sends it home first.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self):
        try:
            while True:
                connection, _ = self._listener.accept()
                connection.settimeout(TIMEOUT)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()
        except OSError:
            return

    def _serve(self, connection):
        raise NotImplementedError


class BadServer(ThreadedServer):
    """Serves every connection with `misbehave(served, chunk) -> bytes to send back`, or None to
    close it."""

    def __init__(self, misbehave, port=0):
        self._misbehave = misbehave
        super().__init__(port)

    def _serve(self, connection):
        served = 0
        try:
            with connection:
                while chunk := connection.recv(1 << 16):
                    answer = self._misbehave(served, chunk)
                    if answer is None:
                        return
                    connection.sendall(answer)
                    served += len(chunk)
        except OSError:
            return


def honest(served, chunk):
    return chunk


def flips_a_bit(served, chunk):
    if served < 5000 <= served + len(chunk):
        changed = bytearray(chunk)
        changed[5000 - served - 1] ^= 1
        return bytes(changed)
    return chunk


def drops_a_byte(served, chunk):
    return chunk[1:] if served >= 5000 and served - len(chunk) < 5000 else chunk


def adds_a_byte(served, chunk):
    return chunk + b"x" if served == 0 else chunk


def falls_silent(served, chunk):
    return chunk if served < 5000 else b""


def hangs_up(served, chunk):
    return chunk if served < 5000 else None
