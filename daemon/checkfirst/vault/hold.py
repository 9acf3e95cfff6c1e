"""Taking a file out of everybody's reach: by rename into a private slot, else by copy.

The file keeps its own name there and its mode; the private folder above is what keeps others out.
"""

import contextlib
import errno
import os
import stat
from typing import Final

from checkfirst.model import Stamp
from checkfirst.policy.names import show
from checkfirst.vault.failpoint import failpoint
from checkfirst.vault.folder import (
    Folder,
    Opened,
    among,
    open_below_blocking,
    open_folder_blocking,
    sync_folder_blocking,
)
from checkfirst.vault.fresh import fresh_copy_blocking
from checkfirst.vault.grip import Grip, grasp_blocking, lease_blocking, stamp_of
from checkfirst.vault.held import Moves
from checkfirst.vault.problems import (
    ChangedError,
    GoneError,
    LeftError,
    NotAFileError,
    translate,
)
from checkfirst.vault.rename import exists, rename_noreplace, unlink_if_same

_DOING: Final = "take the file out of reach"
_IN_THE_WAY: Final = frozenset({errno.ELOOP, errno.ENOTDIR})


def hold_blocking(
    origin: bytes,
    held: bytes,
    expected: Stamp | None,
    *,
    root: bytes,
    moves: Moves,
    lease: bool = True,
    opened: Opened | None = None,
) -> Grip:
    """Move the file from `origin` (below `root`) to `held` (a slot and the file's own name).

    `expected` is how it looked when it had settled. A regular file that takes its place at the
    last moment is the arrival instead. The grip comes back with a lease if one was wanted and can
    be had; `grip.lease` is False when somebody began to write meanwhile: then the file is held,
    but cannot be judged before it is closed. `opened` is shared by the files of a batch.

    Nothing has moved when this raises GoneError, NotAFileError, BusyError, ChangedError or
    DiskError. LeftError tells where something lies that could not be put back.
    """
    folder, _, name = origin.rpartition(b"/")
    with among(opened) as folders:
        parent = folders.get_blocking(root, folder, _opened_blocking).descriptor
        try:
            grip = _grasped_blocking(parent, name, origin, expected, lease=lease)
            try:
                failpoint("hold.grasped")
                if moves == "copy" or not _renamed_blocking(parent, name, origin, held):
                    _copied_blocking(grip, parent, name, origin, held)
                elif _is_arrival_blocking(grip, held):
                    return grip
            except BaseException:
                grip.close()
                raise
            grip.close()
            return _arrival_blocking(parent, name, origin, held, lease=lease)
        except OSError as error:
            raise translate(error, _DOING, origin) from error


def open_held_blocking(held: bytes, *, lease: bool) -> Grip:
    """Open a file that lies in a slot, whatever its mode.

    Raises GoneError, NotAFileError, BusyError and DiskError.
    """
    try:
        return grasp_blocking(held, lease=lease, insist=True)
    except FileNotFoundError as error:
        raise GoneError(held) from error
    except OSError as error:
        raise translate(error, "open the held file", held) from error


def remove_slot_blocking(held: bytes) -> None:
    """Remove the slot that `held` lay in, if it was the last file there; once for a batch."""
    with contextlib.suppress(OSError):
        os.rmdir(os.path.dirname(held))


def _opened_blocking(root: bytes, folder: bytes) -> Folder:
    try:
        return Folder(open_below_blocking(root, folder), folder)
    except ValueError as error:
        raise LeftError("This does not lie in the watched folder", folder) from error
    except FileNotFoundError as error:
        raise GoneError(folder) from error
    except OSError as error:
        if error.errno in _IN_THE_WAY:
            raise LeftError(
                "A symbolic link leads there, and links are not followed", folder
            ) from error
        raise translate(error, _DOING, folder) from error


def _grasped_blocking(
    parent: int, name: bytes, origin: bytes, expected: Stamp | None, *, lease: bool
) -> Grip:
    try:
        grip = grasp_blocking(name, lease=lease, dir_fd=parent)
    except FileNotFoundError as error:
        raise GoneError(origin) from error
    grip.path = origin
    if expected is not None and not grip.stamp.same_content(expected):
        grip.close()
        raise ChangedError(origin)
    return grip


def _renamed_blocking(parent: int, name: bytes, origin: bytes, held: bytes) -> bool:
    """Whether it could be done by rename; False on a mount below the watched folder."""
    tries_left = 2
    while True:
        try:
            rename_noreplace(name, held, source_fd=parent)
        except FileNotFoundError as error:  # of the name, or of the slot
            if not exists(name, parent):
                raise GoneError(origin) from error
            if not tries_left:
                raise
            tries_left -= 1
            _make_slot_blocking(held)
        except OSError as error:
            if error.errno == errno.EXDEV:
                return False
            raise
        else:
            failpoint("hold.renamed")
            return True


def _is_arrival_blocking(grip: Grip, held: bytes) -> bool:
    """Whether what arrived is what was grasped; its new ctime is our own doing."""
    try:
        arrived = stamp_of(os.lstat(held))
    except FileNotFoundError:
        return False
    if not arrived.same_file(grip.stamp):
        return False
    grip.stamp = arrived
    return True


def _make_slot_blocking(held: bytes) -> None:
    with contextlib.suppress(FileExistsError):
        os.mkdir(os.path.dirname(held), 0o700)
    failpoint("hold.slot")


def _copied_blocking(grip: Grip, parent: int, name: bytes, origin: bytes, held: bytes) -> None:
    _make_slot_blocking(held)
    slot, top = _slot_blocking(held)
    try:
        with fresh_copy_blocking(
            grip, slot, sha256=None, mode=grip.stamp.mode, beside=top
        ) as fresh:
            failpoint("hold.copied")
            fresh.put_blocking(os.path.basename(held))
            failpoint("hold.linked")
            try:
                sync_folder_blocking(slot)
                failpoint("hold.synced")
                if not grip.unchanged_blocking():
                    raise ChangedError(origin)  # noqa: TRY301  (undone below like the rest)
                if not unlink_if_same(name, grip.stamp, parent):
                    raise GoneError(origin)  # noqa: TRY301
            except BaseException:
                copy = stamp_of(os.fstat(fresh.descriptor))
                unlink_if_same(os.path.basename(held), copy, slot)
                raise
    finally:
        os.close(slot)
        os.close(top)
    failpoint("hold.unlinked")


def _slot_blocking(held: bytes) -> tuple[int, int]:
    """Descriptors of the slot and of the held folder that it lies in."""
    path = os.path.dirname(held)
    top = open_folder_blocking(os.path.dirname(path))
    try:
        return open_folder_blocking(os.path.basename(path), top), top
    except BaseException:
        os.close(top)
        raise


def _arrival_blocking(parent: int, name: bytes, origin: bytes, held: bytes, *, lease: bool) -> Grip:
    """Open what lies in the slot now, whichever file it is; put back what is none."""
    try:
        grip = grasp_blocking(held, lease=False)
    except FileNotFoundError as error:
        raise GoneError(origin) from error
    except (NotAFileError, OSError):
        _put_back_blocking(parent, name, origin, held)
        raise
    grip.lease = lease_blocking(grip.descriptor) if lease else None
    if grip.lease:
        grip.stamp = stamp_of(os.fstat(grip.descriptor))
    return grip


def _put_back_blocking(parent: int, name: bytes, origin: bytes, held: bytes) -> None:
    try:
        rename_noreplace(held, name, target_fd=parent)
    except OSError as error:
        what = "folder or link" if not stat.S_ISREG(os.lstat(held).st_mode) else "file"
        raise LeftError(
            f"A {what} took the file's place and could not be put back",
            origin,
            f"It lies in {show(held)}.",
        ) from error
