"""The echo server of samples/ as a process that can be asked what it takes, and clients that do
nothing but stay connected to it."""

import os
import pathlib
import re
import socket
import struct
import subprocess
import time

from support.processes import START_SECONDS, Failure

WAIT_SECONDS = 60
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close with RST, which leaves no TIME_WAIT


class IdleServer:
    """Leaving the `with` ends it as a user would; what it said then is in `printed`."""

    def __init__(self, place, program, backend):
        command = [program, "--address", "127.0.0.1", "--port", "0", "--threads", "1"]
        command += ["--backend", backend, "--max-sessions", "0"]
        self.process = subprocess.Popen(
            place.run(command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
        )
        self.printed = ""
        ready = re.match(r"listening on \S+:(\d+) \(", self.process.stdout.readline())
        if not ready:
            self.process.kill()
            raise Failure(f"{program} did not say where it listens")
        self.address = ("127.0.0.1", int(ready.group(1)))
        # The kernel's number of the clock that counts what a process uses (CPUCLOCK_SCHED).
        self._clock = (~self.process.pid << 3) | 2
        self.descriptors_alone = self.descriptors()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.printed, _ = self.process.communicate(timeout=START_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def cpu_seconds(self):
        return time.clock_gettime(self._clock)

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def memory_bytes(self):
        """What of the machine's memory is this process's (PSS); the kernel's sockets are not."""
        text = pathlib.Path(f"/proc/{self.process.pid}/smaps_rollup").read_text(encoding="ascii")
        return 1024 * int(re.search(r"^Pss:\s+(\d+) kB$", text, re.MULTILINE).group(1))

    def wait_for(self, connections):
        """Until it holds so many, no more and no fewer."""
        deadline = time.monotonic() + WAIT_SECONDS
        while (held := self.descriptors() - self.descriptors_alone) != connections:
            if time.monotonic() > deadline:
                raise Failure(f"the server holds {held} connections instead of {connections}")
            time.sleep(0.001)


class IdleClients:
    """Connections that are echoed once and then silent."""

    def __init__(self, server):
        self._server = server
        self._connections = []

    def grow_to(self, count):
        """Connects as fast as one thread can, and returns the seconds until all were accepted and
        the server's CPU seconds for it."""
        begin, cpu = time.monotonic(), self._server.cpu_seconds()
        new = [socket.create_connection(self._server.address, WAIT_SECONDS)
               for _ in range(count - len(self._connections))]  # fmt: skip
        self._connections += new
        self._server.wait_for(len(self._connections))
        taken = time.monotonic() - begin, self._server.cpu_seconds() - cpu
        for number, connection in enumerate(new):
            connection.sendall(number.to_bytes(8, "big"))
        for number, connection in enumerate(new):
            if int.from_bytes(connection.recv(8), "big") != number:
                raise Failure("what came back is not what was sent")
        return taken

    def close(self):
        for connection in self._connections:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            connection.close()
        self._connections = []
        self._server.wait_for(0)
