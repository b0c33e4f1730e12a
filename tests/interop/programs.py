"""The programs under test: how to find, start, watch and end them. Ends only what it started."""

import os
import pathlib
import re
import signal
import subprocess
import time

TIMEOUT = 60  # seconds that anything may take

_READY = re.compile(
    r"^listening on (\S+):(\d+) \(backend (\w+), (\d+) threads?(?:, \d+ logic threads?)?\)$"
)


class Programs:
    """The folder with the built programs, and what runs them (scripts/wine-run, or nothing)."""

    def __init__(self, folder, wrapper=None):
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
    """A server on a free port of 127.0.0.1; leaving the `with` kills it if it still runs."""

    def __init__(self, programs, *arguments, env=None, program="echo_server"):
        self.process = subprocess.Popen(
            programs.command(program, "--address", "127.0.0.1", "--port", "0", *arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, **(env or {})},
        )
        line = self.process.stdout.readline().rstrip()
        ready = _READY.match(line)
        if not ready:
            self.kill()
            raise RuntimeError(f"{program} did not say that it listens, but: {line!r}")
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

    def resident_bytes(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return 1024 * int(re.search(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE).group(1))

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wait_until(condition, what, timeout=TIMEOUT):
    """Waits for `condition` to become true; raises if it does not in time."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {timeout} s in vain: {what}")
        time.sleep(0.01)
