"""A peer that connects and resets, thousands of times, beside clients that want to be served."""

import pathlib
import re
import socket
import statistics
import struct
import subprocess
import sys
import threading
import time

WHAT = "a flood of resets: how long an honest client's connect and echo take"
TARGETS = ("echo_server",)
TIMEOUT_S = 300

BURST = 6_000
RATE, SECONDS = 2_000, 30
MEDIAN_MS = 20
WORST_MS = 250
WORST_WITH_DROPS_MS = 1_300  # a dropped SYN is sent again after a second
BACKLOG = 4_096

_RESET = struct.pack("ii", 1, 0)


def flood(port, count, rate):
    """Connects and resets; `rate` a second, or as fast as it goes for 0. The attacker's process."""
    began = time.monotonic()
    for number in range(count):
        if rate:
            wait = began + number / rate - time.monotonic()
            if wait > 0:
                time.sleep(wait)
        with socket.socket() as attacker:
            attacker.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            attacker.settimeout(5)
            try:
                attacker.connect(("127.0.0.1", port))
            except OSError:
                pass


def listen_drops():
    lines = pathlib.Path("/proc/net/netstat").read_text(encoding="ascii").splitlines()
    for names, values in zip(lines, lines[1:]):
        if names.startswith("TcpExt:") and "ListenDrops" in names:
            return int(values.split()[names.split().index("ListenDrops")])
    raise RuntimeError("the kernel counts no ListenDrops")


def exchange_ms(port):
    """Milliseconds from connect to the echo; raises after 30 s."""
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), timeout=30) as honest:
        honest.sendall(b"x")
        if honest.recv(1) != b"x":
            raise RuntimeError("no echo")
    return 1000 * (time.monotonic() - began)


class Attack:
    """Attackers in processes of their own, two at a time as a burst needs both cores."""

    def __init__(self, port, count, rate, processes):
        command = [sys.executable, __file__, str(port), str(count // processes),
                   str(rate // processes)]  # fmt: skip
        self._processes = [subprocess.Popen(command) for _ in range(processes)]

    def goes_on(self):
        return any(process.poll() is None for process in self._processes)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self._processes:
            if process.poll() is None:
                process.kill()
            process.wait()


def attack(server, count, rate, processes):
    """The honest clients' times during the attack and a second more, the most descriptors that the
    server held, and by how many the kernel's drops grew."""
    drops = listen_drops()
    times, descriptors = [], [server.descriptors()]
    with Attack(server.port, count, rate, processes) as attackers:
        over = threading.Event()

        def watch():
            while not over.wait(0.01):
                descriptors.append(server.descriptors())

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            end = None
            while end is None or time.monotonic() < end:
                times.append(exchange_ms(server.port))
                time.sleep(0.005)
                if end is None and not attackers.goes_on():
                    end = time.monotonic() + 1
        finally:
            over.set()
            watcher.join()
    return times, max(descriptors), listen_drops() - drops


def prove(context):
    sys.path.insert(0, str(context.root / "tests" / "interop"))
    from programs import Programs, Server, wait_until  # pylint: disable=import-outside-toplevel

    programs = Programs(context.bin)
    for backend in ("io_uring", "epoll"):
        with Server(programs, "--backend", backend, "--threads", "1") as server:
            exchange_ms(server.port)
            before = server.descriptors()
            for name, count, rate, processes in (
                (f"{BURST} in a burst", BURST, 0, 2),
                (f"{RATE} a second for {SECONDS} s", RATE * SECONDS, RATE, 1),
            ):
                times, most, drops = attack(server, count, rate, processes)
                what = f"{backend}, {name}"
                context.figure(f"{what}: honest clients", len(times), "clients")
                context.figure(f"{what}: median", statistics.median(times), "ms", at_most=MEDIAN_MS)
                worst = WORST_WITH_DROPS_MS if drops else WORST_MS
                context.figure(f"{what}: worst", max(times), "ms", at_most=worst)
                context.figure(f"{what}: growth of ListenDrops", drops, "drops")
                context.figure(
                    f"{what}: descriptors", most - before, "descriptors", at_most=BACKLOG
                )
                wait_until(lambda: server.descriptors() <= before, "descriptors are given back")
            status, printed = server.end()
            warnings = len(re.findall("warning", printed))
            context.figure(f"{backend}: exit status", status, "", at_most=0)
            context.figure(f"{backend}: warnings in the log", warnings, "lines", at_most=0)


if __name__ == "__main__":
    flood(*map(int, sys.argv[1:]))
