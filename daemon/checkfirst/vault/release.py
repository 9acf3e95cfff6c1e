"""Letting a judged file go: into the released folder, under its own name or the next free one."""

import contextlib
import errno
import os
import stat
from collections.abc import Callable, Container
from functools import partial
from typing import Final

from checkfirst.model import Arrival
from checkfirst.policy.names import given, numbered, show
from checkfirst.vault.digest import hash_of_blocking
from checkfirst.vault.failpoint import failpoint
from checkfirst.vault.folder import (
    Folder,
    Opened,
    among,
    is_plain,
    make_folder_blocking,
    walk_blocking,
)
from checkfirst.vault.grip import Grip
from checkfirst.vault.move import Target, move_blocking
from checkfirst.vault.placed import Placed
from checkfirst.vault.problems import translate

_SEARCHED: Final = 10_000
_IN_THE_WAY: Final = frozenset({errno.ELOOP, errno.ENOTDIR})


def release_blocking(  # noqa: PLR0913  (what, whence, whither, and how it may differ)
    grip: Grip,
    held: bytes,
    folder: bytes,
    relative: bytes,
    sha256: str,
    *,
    link_back: bytes | None = None,
    restore_mode: int | None = None,
    stopped: Callable[[], bool] | None = None,
    opened: Opened | None = None,
) -> Placed:
    """Move the held file to `folder`/`relative`, sub-folders of `relative` included.

    `sha256` is what was judged, and the grip's stamp must be of those bytes. `folder` is made when
    it is missing. `link_back` is the path that gets a symbolic link to the file, if it is free.
    `restore_mode` is the mode as it arrived (None: as it is now); set-id bits are taken off.
    `opened` is shared by the files of a batch.

    Raises ChangedError, GoneError, BusyError, StoppedError or DiskError; the file is then still
    held.
    """
    parent, name = _split(relative)
    mode = grip.stamp.mode if restore_mode is None else restore_mode
    try:
        with among(opened) as folders:
            there = folders.get_blocking(folder, parent, _opened_blocking)
            target = Target("release", there.descriptor, name, sha256, mode)
            moved = move_blocking(grip, held, target, stopped)
    except OSError as error:
        doing = f"move {show(os.path.basename(held))} into the released folder"
        raise translate(error, doing, folder) from error
    path = os.path.join(there.path, moved.name)
    linked = link_back is not None and _linked_back_blocking(path, link_back)
    return Placed(path, moved.fresh, moved.other_names, linked)


def released_before_blocking(
    folder: bytes,
    relative: bytes,
    arrival: Arrival,
    others: Container[bytes] = (),
    stopped: Callable[[], bool] | None = None,
) -> bytes | None:
    """Where a file whose release was cut short has arrived already, if it has.

    A rename keeps its device, inode, size and mtime; a copy keeps size, mtime and SHA-256. Only
    names that the release could have chosen are looked at, and none of `others`, which are known
    to be other arrivals of the same bytes. `stopped` is asked while one is read: StoppedError.
    """
    parent, name = _split(relative)
    for n in range(_SEARCHED):
        path = os.path.join(folder, parent, name(n))
        try:
            seen = os.lstat(path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        is_like = stat.S_ISREG(seen.st_mode) and seen.st_size == arrival.size
        if not is_like or path in others:
            continue
        is_same = (seen.st_dev, seen.st_ino) == (arrival.dev, arrival.ino)
        is_as_old = seen.st_mtime_ns == arrival.mtime_ns
        if is_same and is_as_old:
            return path
        # Of a copy the number of the inode went back to the filesystem, which gives it out anew.
        alike = is_same or is_as_old
        if alike and hash_of_blocking(path, stopped=stopped) == arrival.sha256:
            return path
    return None


def _split(relative: bytes) -> tuple[bytes, Callable[[int], bytes]]:
    """The sub-folder, where our note never lies, and the n-th name to try in it."""
    parent, _, name = relative.rpartition(b"/")
    return parent, partial(numbered if parent else given, name)


def _opened_blocking(folder: bytes, below: bytes) -> Folder:
    """Make and open the folder and the sub-folder.

    Where something else has a sub-folder's name, its numbered sister is used, as for files.
    """
    top = make_folder_blocking(folder)
    if not below:
        return Folder(top, folder)
    try:
        if not is_plain(below):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), below)
        here, path = os.dup(top), folder
        for name in below.split(b"/"):
            inner, chosen = _sub_folder_blocking(here, name)
            os.close(here)
            here, path = inner, os.path.join(path, chosen)
        return Folder(here, path)
    finally:
        os.close(top)


def _sub_folder_blocking(here: int, name: bytes) -> tuple[int, bytes]:
    n = 0
    while True:
        chosen = numbered(name, n)
        try:
            return walk_blocking(here, chosen, make=True), chosen
        except OSError as error:
            if error.errno not in _IN_THE_WAY or n == _SEARCHED:
                os.close(here)
                raise
            n += 1


def _linked_back_blocking(path: bytes, link: bytes) -> bool:
    with contextlib.suppress(OSError):
        os.symlink(path, link)
        failpoint("release.linked_back")
        return True
    return False


def unlink_back_blocking(path: bytes, link: bytes) -> None:
    """Remove the symbolic link to a released file that has been taken back; nothing else."""
    with contextlib.suppress(OSError):
        if os.readlink(link) == path:
            os.unlink(link)
