"""A user who may lock too little memory for the n-th ring: `auto` serves with epoll, and a named
io_uring says why not."""

import os
import re
import signal
import socket
import subprocess

WHAT = "ulimit -l without CAP_IPC_LOCK: auto falls back to epoll for all workers, io_uring refuses"
TARGETS = ("echo_server",)

LOCKED_BYTES = 8192 * 1024
WORKERS = 64  # a ring takes some 180 KiB of it


def limited(context, backend):
    """An echo_server without CAP_IPC_LOCK, under the limit. prlimit and setpriv are util-linux."""
    drop = ["--bounding-set=-ipc_lock", "--inh-caps=-ipc_lock"]
    return [
        "prlimit", f"--memlock={LOCKED_BYTES}:{LOCKED_BYTES}",
        *(["setpriv", *drop] if os.geteuid() == 0 else []),
        str(context.bin / "echo_server"), "--address", "127.0.0.1", "--port", "0",
        "--backend", backend, "--threads", str(WORKERS),
    ]  # fmt: skip


def prove(context):
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(limited(context, "auto"), **pipes) as server:
        try:
            ready = server.stdout.readline()
            match = re.match(r"listening on \S+:(\d+) \(backend (\w+)", ready)
            served = False
            if match:
                with socket.create_connection(("127.0.0.1", int(match[1])), timeout=30) as client:
                    client.sendall(b"x")
                    served = client.recv(1) == b"x"
            server.send_signal(signal.SIGTERM)
            _, told = server.communicate(timeout=30)
        finally:
            server.kill()
    print(told.strip(), flush=True)
    context.figure("auto: fell back to epoll", bool(match) and match[2] == "epoll", "", at_least=1)
    context.figure("auto: a client was served", served, "", at_least=1)
    context.figure("auto: exit status", server.returncode, "", at_most=0)
    says_why = "backend io_uring refused (worker " in told and "ulimit -l" in told
    context.figure("auto: the log says why", says_why, "", at_least=1)

    named = subprocess.run(
        limited(context, "io_uring"), capture_output=True, text=True, timeout=60, check=False
    )
    print(named.stderr.strip(), flush=True)
    context.figure("io_uring by name: exit status", named.returncode, "", at_least=1)
    context.figure("io_uring by name: says why", "ulimit -l" in named.stderr, "", at_least=1)
