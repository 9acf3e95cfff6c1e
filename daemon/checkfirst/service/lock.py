"""One daemon per state folder, by a lock that dies with its process."""

import fcntl
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from checkfirst.errors import AlreadyRunningError, Problem
from checkfirst.policy.names import show

NAME = "daemon.lock"


@contextmanager
def only_one(state: Path) -> Iterator[int]:
    """Hold the lock of this state folder, and give its descriptor.

    Raises AlreadyRunningError with the other one's pid, and Problem when the folder cannot be
    written to.

    flock(2): the kernel drops the lock with the process, so a killed daemon blocks nobody. The
    file is never unlinked, since a lock on an unlinked file would guard nothing.
    """
    try:
        descriptor = os.open(state / NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Problem(
            f"The state folder cannot be written to ({error.strerror})",
            "See that it belongs to you, and that its disk is neither full nor read-only.",
            about=show(os.fsencode(state)),
        ) from error
    try:
        if not _lock(descriptor):
            pid = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
            raise AlreadyRunningError(
                "checkfirst is already running",
                "Two daemons on one state folder would fight over the same files. Stop that one "
                "first, or give this one another `state` folder.",
                about=f"process {pid}, state folder {state}",
            )
        os.ftruncate(descriptor, 0)
        with suppress(OSError):  # a full disk; who runs is then told without a number
            os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield descriptor
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> bool:
    for _ in range(10):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            # `running_pid` holds it shared for some microseconds; only a daemon holds it longer.
            time.sleep(0.02)
        else:
            return True
    return False


def running_pid(state: Path) -> int | None:
    """The pid of the daemon that holds the lock, or None when nobody does."""
    try:
        descriptor = os.open(state / NAME, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        text = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
        return int(text) if text.isdigit() else 0
    else:
        return None
    finally:
        os.close(descriptor)


def hang_up(state: Path) -> bool:
    """Ask the daemon of this state folder to read its settings and key again; whether one runs.

    The number in the file may be of another world (a container's), so it is believed only of a
    process that has this very file open.
    """
    pid = running_pid(state)
    if not pid:
        return False
    try:
        wanted = os.stat(state / NAME)
        descriptors = Path(f"/proc/{pid}/fd")
        if not any(_is_same(each, wanted) for each in descriptors.iterdir()):
            return False
        os.kill(pid, signal.SIGHUP)
    except OSError:
        return False
    return True


def _is_same(path: Path, wanted: os.stat_result) -> bool:
    try:
        return os.path.samestat(os.stat(path), wanted)
    except OSError:
        return False
