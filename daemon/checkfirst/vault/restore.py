"""The two ways out of the quarantine: given back, or deleted for good.

Both may be called again after a crash. Whether a folder may be restored into is the caller's
question: a watched one would only have the file taken again.
"""

import contextlib
import os
from collections.abc import Callable
from functools import partial
from typing import Final

from checkfirst.policy.names import given, show
from checkfirst.vault.digest import digest_blocking
from checkfirst.vault.failpoint import failpoint
from checkfirst.vault.folder import (
    make_folder_blocking,
    names_in_blocking,
    open_folder_blocking,
    sync_folder_blocking,
)
from checkfirst.vault.move import Moved, Target, move_blocking
from checkfirst.vault.payload import (
    PAYLOAD,
    alone_blocking,
    grasp_payload_blocking,
    seal_blocking,
)
from checkfirst.vault.placed import Placed
from checkfirst.vault.presence import is_away_blocking
from checkfirst.vault.problems import AwayError, ChangedError, GoneError, TamperedError, translate
from checkfirst.vault.quarantine import REPORT, TEXT

_TO: Final = b"restoring-to"
"""A symbolic link to the folder that a file is being given back into, while it is; so a restore
that was cut short can be finished from what lies there, even without the database."""
_OURS: Final = {TEXT: ".text", REPORT: ".report", _TO: ".note"}
"""What we put into a folder beside the payload, with the failpoints of its removal."""
_RESTORING: Final = "restore the file from the quarantine"
_DELETING: Final = "delete the file from the quarantine"


def restore_blocking(  # noqa: PLR0913  (what, whence, whither, and how it is to be)
    folder: bytes,
    to: bytes,
    name: bytes,
    sha256: str,
    mode: int,
    mtime_ns: int | None,
    *,
    noted: bool = True,
    stopped: Callable[[], bool] | None = None,
) -> Placed:
    """Move the payload of the quarantine's `folder` into the folder `to`.

    The name is numbered when it is taken, or our note's (see `policy.names.given`), so that a
    restore that was cut short is found as a release is. `noted`: a person wants it, which is noted
    in `folder` with the place, so that it is known after a crash; what is left of `folder` goes
    only when the journal knows as well, see `remove_reports_blocking`.

    The payload must still have that SHA-256: else TamperedError, and it stays, sealed. Also raises
    AwayError, GoneError, NotAFileError, BusyError, StoppedError and DiskError; the payload is then
    still in quarantine.
    """
    payload = os.path.join(folder, PAYLOAD)
    alone = partial(alone_blocking, folder)
    try:
        there = make_folder_blocking(to)
    except OSError as error:
        raise translate(error, "open the folder that it is to go to", to) from error
    try:
        try:
            moved = _verified_and_moved_blocking(
                folder,
                to,
                Target("restore", there, partial(given, name), sha256, mode, mtime_ns, alone),
                stopped,
                noted=noted,
            )
        finally:
            os.close(there)
    except OSError as error:
        raise translate(error, f"{_RESTORING} to {show(to)}", payload) from error
    return Placed(os.path.join(to, moved.name), moved.fresh, moved.other_names)


def delete_blocking(folder: bytes) -> None:
    """Delete the payload; the rest goes when the journal knows, by `remove_reports_blocking`.

    One that is gone already is no problem, nor a folder that is, while the quarantine is there.
    Else AwayError, and DiskError when the system refuses; then the payload is still there.
    """
    try:
        descriptor = open_folder_blocking(folder)
    except FileNotFoundError as error:
        if is_away_blocking(folder):
            raise AwayError(folder) from error
        return
    except OSError as error:
        raise translate(error, _DELETING, folder) from error
    try:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(PAYLOAD, dir_fd=descriptor)
    except OSError as error:
        raise translate(error, _DELETING, os.path.join(folder, PAYLOAD)) from error
    finally:
        os.close(descriptor)
    failpoint("delete.payload")


def _verified_and_moved_blocking(
    folder: bytes,
    to: bytes,
    target: Target,
    stopped: Callable[[], bool] | None,
    *,
    noted: bool,
) -> Moved:
    payload = os.path.join(folder, PAYLOAD)
    try:
        grip = grasp_payload_blocking(folder, lease=True)
    except FileNotFoundError as error:
        raise (AwayError(folder) if is_away_blocking(folder) else GoneError(payload)) from error
    with grip:
        try:
            failpoint("restore.opened")
            if digest_blocking(grip, stopped) != target.sha256:
                raise TamperedError(payload)  # noqa: TRY301  (put in order below, like the rest)
            failpoint("restore.verified")
            forget_restoring_blocking(folder)
            if noted:
                _note_blocking(folder, to)
            failpoint("restore.noted")
            return move_blocking(grip, payload, target, stopped)
        except BaseException as error:
            with contextlib.suppress(OSError):
                seal_blocking(folder)
            forget_restoring_blocking(folder)
            if isinstance(error, ChangedError):
                raise TamperedError(payload) from error
            raise


def restoring_to_blocking(folder: bytes) -> bytes | None:
    """Where a person had the file in this folder of the quarantine given back to, if so."""
    try:
        return os.readlink(os.path.join(folder, _TO))
    except OSError:
        return None


def forget_restoring_blocking(folder: bytes) -> None:
    """The file stays in the quarantine after all."""
    with contextlib.suppress(OSError):
        os.unlink(os.path.join(folder, _TO))


def _note_blocking(folder: bytes, to: bytes) -> None:
    """Keep for a crash where the file goes; a full disk must not keep it from going."""
    with contextlib.suppress(OSError):
        os.symlink(to, os.path.join(folder, _TO))
        descriptor = open_folder_blocking(folder)
        try:
            sync_folder_blocking(descriptor)
        finally:
            os.close(descriptor)


def remove_reports_blocking(folder: bytes, step: str = "restore") -> tuple[bytes, ...]:
    """Remove what was written for a payload that has left or never came, and the folder.

    What stays comes back: all, while there is a payload; else strangers. Raises OSError. The folder
    is scratch from the first step on, so that after a crash the next start clears it. `step` is
    `restore` or `delete`: the family of the failpoints passed.
    """
    descriptor = open_folder_blocking(folder)
    try:
        if PAYLOAD in (there := names_in_blocking(descriptor)):
            return tuple(there)
        strangers = tuple(name for name in there if name not in _OURS)
        if not strangers:
            folder = _aside_blocking(folder, descriptor)
        for name, point in _OURS.items():
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name, dir_fd=descriptor)
            failpoint(step + point)
    finally:
        os.close(descriptor)
    if not strangers:
        os.rmdir(folder)
        failpoint(step + ".folder")
    return strangers


def _aside_blocking(folder: bytes, descriptor: int) -> bytes:
    """Give the folder a name that `clear_scratch_blocking` knows; which."""
    top = os.path.dirname(folder)
    aside = os.path.join(top, b".checkfirst-%d.partial" % os.fstat(descriptor).st_ino)
    os.rename(folder, aside)
    return aside
