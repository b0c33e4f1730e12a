"""A server whose stderr is a full pipe: its clients are answered, it ends, and no line is lost
without being counted."""

import os
import re
import signal
import socket
import subprocess
import time

WHAT = "a full stderr pipe: clients answered, time to end, lines written or told as dropped"
TARGETS = ("log_program",)

COUNT = 100_000
LIMIT = 30  # seconds that anything may take


def full_pipe():
    """A pipe that takes no byte more: (what reads it, what writes to it)."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    try:
        while True:
            os.write(writer, b"\n" * 4096)
    except BlockingIOError:
        pass
    try:
        while True:
            os.write(writer, b"\n")
    except BlockingIOError:
        os.set_blocking(writer, True)
    return reader, writer


def is_answered(client):
    try:
        client.sendall(b"ping")
        return client.recv(4) == b"ping"
    except OSError:
        return False


def serve_with_full_pipe(context):
    reader, writer = full_pipe()
    server = subprocess.Popen(
        [str(context.bin / "log_program"), "serve", "0"], stdout=subprocess.PIPE, stderr=writer
    )
    try:
        os.close(writer)
        host, port = server.stdout.readline().decode().strip().rsplit(":", 1)
        clients = [socket.create_connection((host, int(port)), timeout=3) for _ in range(6)]
        for client in clients[:2]:  # each makes the server log an exception
            client.sendall(b"!")
        answered = sum(is_answered(client) for client in clients[2:])
        context.figure("clients answered of 4, stderr full", answered, "clients", at_least=4)
        begin = time.monotonic()
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(LIMIT)
        except subprocess.TimeoutExpired:
            pass
        # It may wait 1 s for its sessions and 1 s for its lines.
        took = time.monotonic() - begin
        context.figure("SIGTERM to the end, stderr full", round(took, 2), "s", at_most=3)
    finally:
        server.kill()
        server.wait()
        server.stdout.close()
        os.close(reader)
        for client in clients:
            client.close()


def write_without_a_reader(context):
    process = subprocess.Popen(
        [str(context.bin / "log_program"), "wait", str(COUNT)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        begin = time.monotonic()
        assert process.stdout.readline().strip() == b"written"
        took = time.monotonic() - begin
        process.stdin.close()
        lines = process.stderr.read().decode().splitlines()
        pattern = re.compile(r"netcore: warning: (\d+) log lines? .* not read")
        told = [pattern.fullmatch(line) for line in lines]
        dropped = sum(int(match.group(1)) for match in told if match)
        written = sum(1 for match in told if not match)
        context.figure("100,000 lines, nobody reads: time", round(took * 1000), "ms", at_most=5_000)
        context.figure("of them dropped and told", dropped, "lines", at_least=1)
        missing = abs(COUNT + 1 - written - dropped)  # one came after the reading began
        context.figure("of them neither written nor told", missing, "lines", at_most=0)
    finally:
        process.kill()
        process.wait()


def prove(context):
    serve_with_full_pipe(context)
    write_without_a_reader(context)
