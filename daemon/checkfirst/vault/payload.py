"""The payload of a folder of the quarantine: opened for one reader, and sealed at once.

Its mode is 0000, so an owner without privileges must make it readable to open it. That lasts for
two system calls, made by one process at a time; what a kill between them leaves readable is sealed
by the next look, and by the next start. Its ctime therefore tells nothing; its bytes are known by
their hash.
"""

import contextlib
import fcntl
import os
import stat
from collections.abc import Callable, Iterator
from typing import Final

from checkfirst.errors import FileProblem
from checkfirst.vault.digest import digest_blocking
from checkfirst.vault.grip import Grip, change_mode_blocking, grasp_blocking
from checkfirst.vault.problems import StoppedError

PAYLOAD: Final = b"payload.quarantined"

_LOCKABLE: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def grasp_payload_blocking(
    folder: bytes, *, lease: bool = False, dir_fd: int | None = None
) -> Grip:
    """Open the payload in this folder of the quarantine; nobody else can read it for that.

    Raises as `grasp_blocking` does, and OSError for the folder.
    """
    with alone_blocking(folder, dir_fd) as there:
        try:
            grip = grasp_blocking(PAYLOAD, lease=lease, dir_fd=there, insist=True)
        finally:
            with contextlib.suppress(OSError):  # a read-only disk: it was never opened up
                change_mode_blocking(PAYLOAD, _sealed, there)
    grip.path = os.path.join(folder, PAYLOAD)
    grip.ctime_tells = False
    return grip


def payload_hash_blocking(folder: bytes, stopped: Callable[[], bool] | None = None) -> str | None:
    """SHA-256 of the payload, None when it cannot be had; StoppedError as for all long reads."""
    try:
        with grasp_payload_blocking(folder) as grip:
            return digest_blocking(grip, stopped)
    except StoppedError:
        raise
    except (FileProblem, OSError):
        return None


def is_sealed_blocking(folder: bytes) -> bool:
    """Whether its mode is 0000 at this moment. Raises OSError."""
    return not stat.S_IMODE(os.lstat(os.path.join(folder, PAYLOAD)).st_mode)


def seal_blocking(folder: bytes) -> None:
    """Make the payload unreadable, if it is not. Raises OSError."""
    with alone_blocking(folder) as there:
        change_mode_blocking(PAYLOAD, _sealed, there)


@contextlib.contextmanager
def alone_blocking(folder: bytes, dir_fd: int | None = None) -> Iterator[int]:
    """The folder; nobody else of us changes the mode of its payload meanwhile. For moments only.

    Some network filesystems have no locks for folders (flock(2)); there, chance must do.
    """
    descriptor = os.open(folder, _LOCKABLE, dir_fd=dir_fd)
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def _sealed(mode: int) -> int:
    del mode
    return 0
