"""How a second process is started, and what it is given."""

import logging
import os
import socket
import subprocess
import sys
from collections.abc import Collection
from multiprocessing.connection import Connection

from checkfirst.vault.failpoint import VARIABLE

_log = logging.getLogger(__name__)


def launched_blocking() -> tuple[Connection, subprocess.Popen[bytes]]:
    """The process, and the pipe to it.

    The kernel ends it with the thread that this is called in. Raises OSError.
    """
    ours, theirs = socket.socketpair()
    with ours, theirs:
        number = theirs.fileno()
        # -P: no module is taken from the folder we happen to be in, which may be Downloads.
        command = [sys.executable, "-P", "-m", "checkfirst.service.hands_process"]
        process = subprocess.Popen(  # noqa: S603  (ourselves)
            [*command, str(os.getpid()), str(number)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            # What goes wrong in an errand is told through the pipe; this is of the start.
            stderr=None if _log.isEnabledFor(logging.DEBUG) else subprocess.DEVNULL,
            env=_without_secrets(os.environ.items()),
            pass_fds=[number],
        )
        return Connection(ours.detach()), process


def _without_secrets(environment: Collection[tuple[str, str]]) -> dict[str, str]:
    """Settings may stand there, under names in letters of either case."""
    return {
        name: text
        for name, text in environment
        if name == VARIABLE or not name.upper().startswith("CHECKFIRST_")
    }
