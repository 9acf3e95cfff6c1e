"""A person at a real terminal, for commands that ask."""

import contextlib
import os
import pty
import select
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

LONGEST = 30.0


class Terminal:
    """Runs a command on a pseudo-terminal; the screen is what a person would see."""

    def __init__(self, command: list[str], folder: Path, environment: Mapping[str, str]) -> None:
        self.screen = ""
        self._read_to = 0
        self._master, slave = pty.openpty()
        try:
            self.process = subprocess.Popen(
                command,
                cwd=folder,
                env=dict(environment),
                stdin=slave,
                stdout=slave,
                stderr=slave,
                preexec_fn=_take_terminal,  # noqa: PLW1509  (a few system calls, and no locks)
            )
        finally:
            os.close(slave)

    def wait_for(self, text: str) -> None:
        """After what was waited for before."""
        end = time.monotonic() + LONGEST
        while (at := self.screen.find(text, self._read_to)) < 0:
            assert time.monotonic() < end, self.screen
            assert self._read(0.1) or self.process.poll() is None, self.screen
        self._read_to = at + len(text)

    def answer(self, question: str, line: str) -> None:
        """Wait for the question, then type."""
        self.wait_for(question)
        os.write(self._master, line.encode() + b"\n")

    def insist(self, key: bytes) -> int:
        """Press a key until it has ended the program; the exit code.

        Once is not always enough: a SIGINT that comes between Python's last look for signals and
        its read(2) is noticed only when that read is over.
        """
        end = time.monotonic() + LONGEST
        while self.process.poll() is None:
            assert time.monotonic() < end, self.screen
            os.write(self._master, key)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(1)
        return self.ended()

    def ended(self) -> int:
        """The exit code, once everything is read."""
        code = self.process.wait(LONGEST)
        while self._read(0.1):
            pass
        return code

    def close(self) -> None:
        """Leave nothing running."""
        self.process.kill()
        self.process.wait()
        os.close(self._master)

    def _read(self, seconds: float) -> bool:
        if not select.select([self._master], [], [], seconds)[0]:
            return False
        with contextlib.suppress(OSError):  # EIO: everybody on the other side has gone
            piece = os.read(self._master, 4096).decode()
            self.screen += piece.replace("\r\n", "\n")
            return bool(piece)
        return False


def _take_terminal() -> None:
    """Make it the controlling terminal, so that Ctrl-C becomes SIGINT."""
    os.setsid()
    os.close(os.open(os.ttyname(0), os.O_RDWR))
