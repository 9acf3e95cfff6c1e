"""The one safe move out of a private folder: released, quarantined and restored files all take it.

What arrives is, byte for byte, what the grip was judged by. With a lease on a file of one name a
rename keeps that promise; in all other cases only a fresh inode does, whose bytes were hashed
while they were copied.
"""

import contextlib
import errno
import os
from collections.abc import Callable
from typing import NamedTuple, NoReturn

from checkfirst.model import Stamp
from checkfirst.vault.failpoint import failpoint
from checkfirst.vault.folder import sync_folder_blocking
from checkfirst.vault.fresh import KEPT_MODE, fresh_copy_blocking
from checkfirst.vault.grip import Grip, stamp_of
from checkfirst.vault.problems import BusyError, ChangedError, GoneError
from checkfirst.vault.rename import (
    is_there,
    put_under_free_name,
    rename_noreplace,
    unlink_if_same,
)


class Target(NamedTuple):
    """Where a file goes and what it must be."""

    step: str
    """`release`, `quarantine` or `restore`: the family of the failpoints passed."""
    folder: int
    """A descriptor of the folder."""
    candidate: Callable[[int], bytes]
    """The n-th name to try; FileExistsError when there are no more."""
    sha256: str
    mode: int
    """Permission bits there; set-id bits are taken off."""
    mtime_ns: int | None = None
    """None keeps what the file has."""
    alone: Callable[[], contextlib.AbstractContextManager[object]] = contextlib.nullcontext
    """Keeps others of us from changing the file's mode while it is given its own and renamed."""


class Moved(NamedTuple):
    """How a file arrived."""

    name: bytes
    fresh: bool
    """It was copied into a fresh inode."""
    other_names: int
    """Other hard links of the old inode that remain, wherever they are."""


def move_blocking(
    grip: Grip, source: bytes, target: Target, stopped: Callable[[], bool] | None = None
) -> Moved:
    """Move the file that `grip` holds and `source` names; nothing is ever replaced.

    The grip's stamp must be that of the bytes with hash `target.sha256`. Raises ChangedError,
    GoneError, BusyError (a writer still has it: its later bytes would be lost), StoppedError, and
    OSError; then the file is where it was, once.
    """
    if grip.lease is False:
        raise BusyError(source)
    try:
        seen = os.lstat(source)
    except FileNotFoundError as error:
        raise GoneError(source) from error
    if not grip.vouches_for(seen):
        raise ChangedError(source)
    now = stamp_of(seen)
    if grip.leased and now.nlink == 1:
        with target.alone():
            name = _renamed_blocking(grip, source, target, now)
        if name is not None:
            return Moved(name, fresh=False, other_names=0)
    return _copied_blocking(grip, source, target, now, stopped)


def _renamed_blocking(grip: Grip, source: bytes, target: Target, now: Stamp) -> bytes | None:
    """The new name; None when it cannot be done by renaming, as on another mount."""
    before, wanted = now.mode & 0o7777, target.mode & KEPT_MODE
    if before != wanted and not _is_prepared_blocking(grip, target, now, wanted):
        return None
    try:
        if target.mtime_ns is not None and target.mtime_ns != now.mtime_ns:
            os.utime(grip.descriptor, ns=(target.mtime_ns, target.mtime_ns))
        name = put_under_free_name(
            target.candidate,
            lambda name: rename_noreplace(source, name, target_fd=target.folder),
            target.folder,
        )
        if not is_there(name, now, target.folder):
            _put_back_blocking(name, source, target)
    except (OSError, ChangedError) as error:
        if before != wanted:
            with contextlib.suppress(OSError):
                os.fchmod(grip.descriptor, before)
        grip.stamp = stamp_of(os.fstat(grip.descriptor))
        if isinstance(error, OSError) and error.errno == errno.EXDEV:
            return None
        raise
    failpoint(target.step + ".moved")
    return name


def _put_back_blocking(name: bytes, source: bytes, target: Target) -> NoReturn:
    """Another file lay under the name at the last moment: it is to be judged for itself."""
    rename_noreplace(name, source, source_fd=target.folder)
    raise ChangedError(source)


def _is_prepared_blocking(grip: Grip, target: Target, now: Stamp, mode: int) -> bool:
    """Give the file its mode before it is moved, unless it has to be copied anyhow."""
    if os.fstat(target.folder).st_dev != now.dev:
        return False
    try:
        os.fchmod(grip.descriptor, mode)
    except PermissionError:  # not ours
        return False
    failpoint(target.step + ".chmodded")
    return True


def _copied_blocking(
    grip: Grip,
    source: bytes,
    target: Target,
    now: Stamp,
    stopped: Callable[[], bool] | None,
) -> Moved:
    with fresh_copy_blocking(
        grip,
        target.folder,
        sha256=target.sha256,
        mode=target.mode,
        mtime_ns=target.mtime_ns,
        stopped=stopped,
    ) as fresh:
        failpoint(target.step + ".copied")
        if not grip.unchanged_blocking():  # where no lease stops writers, the last look
            raise ChangedError(source)
        name = put_under_free_name(target.candidate, fresh.put_blocking, target.folder)
        failpoint(target.step + ".linked")
        try:
            sync_folder_blocking(target.folder)
            failpoint(target.step + ".synced")
            unlink_if_same(source, now)
        except OSError:
            unlink_if_same(name, stamp_of(os.fstat(fresh.descriptor)), target.folder)
            raise
    failpoint(target.step + ".unlinked")
    return Moved(name, fresh=True, other_names=now.nlink - 1)
