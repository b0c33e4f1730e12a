"""The network of a benchmark: loopback in a network namespace of its own, with TCP's congestion
control set to cubic, so that all programs of a run have the same one on every machine."""

import ctypes
import os
import socket
import subprocess
import sys

WANTED = "cubic"
CLONE_NEWNET = 0x40000000
NAME_BYTES = 16  # TCP_CA_NAME_MAX
# A congestion control of a route is allowed where one of the namespace is not: a namespace takes
# only what net.ipv4.tcp_allowed_congestion_control names.
LOOPBACK = ("table", "local", "dev", "lo", "proto", "kernel", "scope", "host", "src", "127.0.0.1")
COMMANDS = (
    ("ip", "link", "set", "lo", "up"),
    ("ip", "route", "replace", "local", "127.0.0.0/8", *LOOPBACK, "congctl", WANTED),
    ("ip", "route", "replace", "local", "127.0.0.1", *LOOPBACK, "congctl", WANTED),
)


def enter():
    """Moves this process, and with it all that it starts, to a network of its own. Call before any
    socket is made. Returns the congestion control in force, for people to read. Where the system
    does not allow a namespace (it takes root), its own default stays in force, and the text says
    so."""
    why = _unshare() or _set_up()
    in_force = " and ".join(in_force_on_loopback())
    where = f"the system's default: {why}" if why else "in a network namespace of its own"
    told = f"{in_force} ({where})"
    print(f"TCP congestion control: {told}", file=sys.stderr, flush=True)
    return told


def _unshare():
    """Returns why it failed, or None."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) == 0:
        return None
    return f"no namespace: {os.strerror(ctypes.get_errno())}"


def _set_up():
    """Returns why the congestion control could not be set, or None. Raises OSError if the new
    namespace has no loopback, without which nothing works."""
    for command in COMMANDS:
        try:
            result = subprocess.run(command, capture_output=True, text=True, check=False)
        except FileNotFoundError as error:
            raise OSError("ip is missing (Debian's package iproute2)") from error
        if result.returncode != 0 and "route" in command:
            return result.stderr.strip() or "ip failed"
        if result.returncode != 0:
            raise OSError(f"{' '.join(command)}: {result.stderr.strip()}")
    return None


def in_force_on_loopback():
    """The names that the two ends of a connection really have; one name if they are the same."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        with socket.create_connection(listener.getsockname()) as client:
            accepted, _ = listener.accept()
            with accepted:
                names = [end.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, NAME_BYTES)
                         for end in (client, accepted)]  # fmt: skip
    return sorted({name.split(b"\0")[0].decode() for name in names})
