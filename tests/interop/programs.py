"""The programs under test: how to find, start, watch and end them. Ends only what it started."""

import collections
import json
import os
import pathlib
import queue
import re
import signal
import subprocess
import threading
import time

from figures import Figures

TIMEOUT = 300  # seconds that anything may take: only what hangs does, however busy the machine

_READY = re.compile(
    r"^listening on (\S+):(\d+) \(backend (\w+), (\d+) threads?(?:, \d+ logic threads?)?\)$"
)


class Programs:
    """The folder with the built programs, and what runs them (scripts/wine-run, or nothing).
    `figures` takes what the cases measure."""

    def __init__(self, folder, wrapper=None, figures=None):
        self.figures = figures or Figures()
        self.folder = pathlib.Path(folder).resolve()
        self.wrapper = [str(pathlib.Path(wrapper).resolve())] if wrapper else []

    def path(self, name):
        for candidate in (self.folder / name, self.folder / f"{name}.exe"):
            if candidate.is_file():
                return candidate
        raise FileNotFoundError(f"{name} is not in {self.folder}")

    def command(self, name, *arguments):
        return [*self.wrapper, str(self.path(name)), *map(str, arguments)]

    def run(self, name, *arguments, input=b"", env=None):
        """Runs a program to its end."""
        return subprocess.run(
            self.command(name, *arguments),
            input=input,
            capture_output=True,
            timeout=TIMEOUT,
            env={**os.environ, **(env or {})},
        )


class Server:
    """A server on a free port of 127.0.0.1, or on `port`; leaving the `with` kills it if it
    still runs."""

    program = "echo_server"
    stdin = subprocess.DEVNULL

    def __init__(self, programs, *arguments, env=None, descriptors=None, program=None, port=0):
        self.program = program or self.program
        command = programs.command(
            self.program, "--address", "127.0.0.1", "--port", str(port), *arguments
        )
        if descriptors is not None:
            command = ["sh", "-c", f'ulimit -n {descriptors} && exec "$@"', "sh", *command]
        self.process = subprocess.Popen(
            command,
            stdin=self.stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, **(env or {})},
        )
        line = self.process.stdout.readline().rstrip()
        ready = _READY.match(line)
        if not ready:
            self.kill()
            raise RuntimeError(f"{self.program} did not say that it listens, but: {line!r}")
        self.host, self.backend = ready.group(1), ready.group(3)
        self.port, self.threads = int(ready.group(2)), int(ready.group(4))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(TIMEOUT)
        self.process.stdout.close()

    def end(self, how=signal.SIGTERM):
        """Ends it as a user would. Returns its status and what it printed since it was ready."""
        self.process.send_signal(how)
        printed, _ = self.process.communicate(timeout=TIMEOUT)
        return self.process.returncode, printed

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def resident_bytes(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return 1024 * int(re.search(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE).group(1))

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class FaultServer(Server):
    """A fault_server, which tells what became of each session and how things stand."""

    program = "fault_server"
    stdin = subprocess.PIPE

    def __init__(self, programs, *arguments, **keywords):
        super().__init__(programs, *arguments, **keywords)
        self.ended = collections.defaultdict(list)  # by the peer's port: (reason, bytes unsent)
        self.printed = []  # what is neither an end nor stats
        self._stats = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            word, _, rest = line.rstrip().partition(" ")
            if word == "ended":
                port, unsent, reason = rest.split(" ", 2)
                self.ended[int(port)].append((reason, int(unsent)))
            elif word == "stats":
                self._stats.put(json.loads(rest))
            else:
                self.printed.append(line)

    def stats(self):
        self.process.stdin.write("stats\n")
        self.process.stdin.flush()
        return self._stats.get(timeout=TIMEOUT)

    def end(self):
        """Ends it by the end of its input. Returns its status and its last stats."""
        self.process.stdin.close()
        status = self.process.wait(TIMEOUT)
        self._reader.join(TIMEOUT)
        return status, self._stats.get(timeout=TIMEOUT)

    def kill(self):
        super().kill()
        self.process.stdin.close()


def wait_until(condition, what, timeout=TIMEOUT):
    """Waits for `condition` to become true; raises if it does not in time."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {timeout} s in vain: {what}")
        time.sleep(0.01)
