"""What the bytes under a grip are: their hashes and their beginning, read in one pass."""

import hashlib
import os
import threading
from collections.abc import Callable, Collection
from typing import Final

from checkfirst.errors import FileProblem
from checkfirst.vault.grip import Grip, grasp_blocking
from checkfirst.vault.problems import ChangedError, StoppedError

HEAD: Final = 4096
"""Bytes of a file's beginning that tell its type."""

CHUNK: Final = 256 * 1024
"""Fits the second-level cache: as fast as 1 MiB and faster than what openssl uses (measured)."""

LOOK_UP_BYTES: Final = 16 * 1024 * 1024
"""After so many bytes a long read asks whether to go on: three seconds on the slowest stick."""

_SMALL: Final = 64 * 1024

_buffers = threading.local()


def digest_blocking(grip: Grip, stopped: Callable[[], bool] | None = None) -> str:
    """SHA-256 of all the bytes, in hex; see `digests_and_head_blocking`."""
    return digests_and_head_blocking(grip, (), stopped)[0][0]


def head_blocking(grip: Grip) -> bytes:
    """The first 4096 bytes."""
    return os.pread(grip.descriptor, HEAD, 0)


def hash_of_blocking(
    path: bytes, *, insist: bool = False, stopped: Callable[[], bool] | None = None
) -> str | None:
    """SHA-256 of a file that may be anything by now; None when it cannot be had. No lease is taken.

    `insist` as in `grasp_blocking`, `stopped` and its StoppedError as for all long reads.
    """
    try:
        with grasp_blocking(path, lease=False, insist=insist) as grip:
            return digest_blocking(grip, stopped)
    except StoppedError:
        raise
    except (FileProblem, OSError):
        return None


def digests_and_head_blocking(
    grip: Grip, others: Collection[str], stopped: Callable[[], bool] | None = None
) -> tuple[tuple[str, ...], bytes]:
    """SHA-256 in hex, the other hashes that are wanted, and the first 4096 bytes.

    `others` are hashlib's names. All comes from one reading; a small file is read by one call.

    What comes back are those of the file's own bytes: ChangedError is raised when the lease broke,
    or the stamp is no longer true. Under a lease a small file's stamp may have aged meanwhile by
    what leaves the bytes alone, such as utime(2); `move_blocking` finds that. `stopped` is asked
    every 16 MiB; StoppedError when it says yes.
    """
    size = grip.stamp.size
    if size <= _SMALL:
        data = os.pread(grip.descriptor, size + 1, 0)
        if len(data) == size:
            if not grip.undisturbed_blocking():
                raise ChangedError(grip.path)
            return tuple(each.hexdigest() for each in _hashers(others, data)), data[:HEAD]
    hashers = _hashers(others)
    buffer = buffer_of_this_thread()
    view = memoryview(buffer)
    offset = 0
    chunks = 0
    head = b""
    while got := os.preadv(grip.descriptor, [buffer], offset):
        for hasher in hashers:
            hasher.update(view[:got])
        if len(head) < HEAD:
            head += view[: HEAD - len(head)].tobytes()[:got]
        offset += got
        chunks += 1
        if chunks % (LOOK_UP_BYTES // CHUNK) == 0:
            look_up_blocking(grip, stopped)
    if offset != size or not grip.unchanged_blocking():
        raise ChangedError(grip.path)
    return tuple(each.hexdigest() for each in hashers), head


def _hashers(others: Collection[str], data: bytes = b"") -> list["hashlib._Hash"]:
    made = [hashlib.sha256(data)]
    if not others:
        return made
    # Not for safety, where both are long broken, but to tell what a list names by them.
    made += [hashlib.new(name, data, usedforsecurity=False) for name in others]
    return made


def look_up_blocking(grip: Grip, stopped: Callable[[], bool] | None) -> None:
    """Give up a long read when it has become pointless: ChangedError, StoppedError.

    A program that wants to write waits up to /proc/sys/fs/lease-break-time (45 s) for us.
    """
    if stopped is not None and stopped():
        raise StoppedError(grip.path)
    if not grip.unchanged_blocking():
        raise ChangedError(grip.path)


def buffer_of_this_thread() -> bytearray:
    """One chunk of memory that each thread uses again and again."""
    try:
        buffer: bytearray = _buffers.buffer
    except AttributeError:
        buffer = _buffers.buffer = bytearray(CHUNK)
    return buffer
