"""A program on a pseudo-terminal, and what its screen shows: the little of a terminal that
chat_client draws with. Anything else that it writes is a failure."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
import unicodedata

from programs import TIMEOUT

_SEQUENCE = re.compile(r"\x1b\[([?0-9;]*)([A-Za-z])")


class Screen:
    """Rows of text without an end; a row that is full wraps."""

    def __init__(self, columns):
        self.columns = columns
        self.rows = [[]]  # of characters; one that is two columns wide has an empty one behind it
        self.column = 0
        self._waiting = ""

    def text(self):
        return "\n".join("".join(row).rstrip() for row in self.rows)

    def feed(self, text):
        text, self._waiting = self._waiting + text, ""
        at = 0
        while at < len(text):
            if text[at] == "\x1b":
                sequence = _SEQUENCE.match(text, at)
                if not sequence:
                    self._waiting = text[at:]
                    assert len(self._waiting) < 16, f"unknown sequence {self._waiting!r}"
                    return
                self._obey(*sequence.groups())
                at = sequence.end()
            else:
                self._put(text[at])
                at += 1

    def _obey(self, number, letter):
        if letter == "K" and number == "":
            del self.rows[-1][self.column :]
        elif letter == "C":
            self.column = min(self.column + int(number), self.columns - 1)
        elif letter == "H" and number == "":
            self.column = 0
        elif letter == "J" and number == "2":
            self.rows = [[]]
        else:
            assert letter == "m" or number == "?2004", f"unknown sequence {number}{letter}"

    def _put(self, character):
        if character == "\r":
            self.column = 0
        elif character == "\n":
            self.rows.append([])
        else:
            assert character.isprintable(), f"raw {character!r}"
            self._draw(character)

    def _draw(self, character):
        row = self.rows[-1]
        if unicodedata.combining(character):
            row[self.column - 1] += character
            return
        width = 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if self.column + width > self.columns:
            self.rows.append([])
            self.column, row = 0, self.rows[-1]
        row.extend(" " * (self.column + width - len(row)))
        row[self.column : self.column + width] = [character, ""][:width]
        self.column += width


class PseudoTerminal:
    """Leaving the `with` kills the program if it still runs."""

    def __init__(self, command, columns=80, env=None):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self.slave = slave  # kept open, so that its settings can be asked for at the end
        self.settings = termios.tcgetattr(slave)
        self.screen = Screen(columns)
        self.raw = b""
        self._decoded = 0
        self.process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=subprocess.PIPE,
            start_new_session=True,
            env={**os.environ, "TERM": "xterm", "NO_COLOR": "1", **(env or {})},
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(TIMEOUT)
        self.process.stderr.close()
        os.close(self.master)
        os.close(self.slave)

    def type(self, text):
        os.write(self.master, text if isinstance(text, bytes) else text.encode())

    def read(self, timeout):
        """Draws what comes within `timeout`; False if nothing does."""
        if not select.select([self.master], [], [], timeout)[0]:
            return False
        self.raw += os.read(self.master, 65536)
        whole = self.raw[self._decoded :]
        text = whole.decode(errors="ignore")  # the beginning of a character at the end may wait
        self._decoded += len(text.encode())
        self.screen.feed(text)
        return True

    def expect(self, pattern):
        """Waits until the screen matches a regular expression, in which ^ and $ are of a row."""
        return self.expect_that(
            lambda: re.search(pattern, self.screen.text(), re.MULTILINE), pattern
        )

    def expect_that(self, condition, what):
        deadline = time.monotonic() + TIMEOUT
        while not (result := condition()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"waited in vain: {what}; the screen:\n{self.screen.text()}")
            self.read(0.1)
        return result

    def expect_line(self, line, column=None):
        """The last row becomes `line`, with the cursor behind it or in `column`."""
        column = len(line) if column is None else column
        self.expect_that(
            lambda: "".join(self.screen.rows[-1]).rstrip() == line.rstrip()
            and self.screen.column == column,
            f"{line!r} with the cursor at {column}",
        )

    def end(self, how=None):
        """Waits for the end, after a signal if there is one. Returns the status and stderr."""
        if how is not None:
            self.process.send_signal(how)
        deadline = time.monotonic() + TIMEOUT
        while self.process.poll() is None:
            if time.monotonic() > deadline:
                raise TimeoutError(f"it does not end; the screen:\n{self.screen.text()}")
            self.read(0.05)
        while self.read(0):
            pass
        return self.process.returncode, self.process.stderr.read().decode()

    def is_restored(self):
        return termios.tcgetattr(self.slave) == self.settings


