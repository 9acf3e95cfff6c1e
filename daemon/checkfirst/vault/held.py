"""Choosing the private folder in which files wait for their verdict.

Equal device numbers prove nothing (bind mounts), so a scratch file is really renamed there.
"""

import contextlib
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from checkfirst.vault.problems import UnsafeFolderError, translate
from checkfirst.vault.rename import rename_noreplace

INSIDE: Final = b".checkfirst-held"
"""The held folder's name where it has to lie in the watched folder; it is never watched."""

_PRIVATE: Final = 0o700

Moves = Literal["rename", "copy"]


@dataclass(frozen=True, slots=True)
class HeldFolder:
    """Where the files of one watched folder are held, and how they get there."""

    path: bytes
    moves: Moves

    def slot(self, token: str) -> bytes:
        """The path of a slot; it is made when the first file is held in it."""
        return os.path.join(self.path, token.encode())


def held_folder_blocking(root: bytes, state: bytes, token: Callable[[], str]) -> HeldFolder:
    """STATE/held if files of `root` can be renamed there, else a folder in `root`, else by copy.

    `token` gives a new random name each time. What is chosen exists with mode 0700 and is ours;
    no scratch file stays behind. UnsafeFolderError when STATE/held is a link or another user's;
    DiskError when nothing can be written to `root` or `state`.
    """
    beside = os.path.join(state, b"held")
    _make_private_blocking(beside)
    if renames_blocking(root, beside, token()):
        return HeldFolder(beside, "rename")
    inside = os.path.join(root, INSIDE)
    with contextlib.suppress(UnsafeFolderError):
        _make_private_blocking(inside)
        if renames_blocking(root, inside, token()):
            return HeldFolder(inside, "rename")
        with contextlib.suppress(OSError):
            os.rmdir(inside)
    return HeldFolder(beside, "copy")


def _make_private_blocking(folder: bytes) -> None:
    try:
        os.makedirs(os.path.dirname(folder), mode=_PRIVATE, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            os.mkdir(folder, _PRIVATE)
        seen = os.lstat(folder)
        if not stat.S_ISDIR(seen.st_mode):
            raise UnsafeFolderError("is a link or no folder", folder)
        if seen.st_uid != os.geteuid():
            raise UnsafeFolderError("belongs to another user", folder)
        if stat.S_IMODE(seen.st_mode) != _PRIVATE:
            os.chmod(folder, _PRIVATE)
    except OSError as error:
        raise translate(error, "make the folder where files are held", folder) from error


def renames_blocking(root: bytes, folder: bytes, token: str) -> bool:
    """Whether a file of `root` can be renamed into `folder`; DiskError when none can be written.

    The scratch file that is tried with is gone afterwards.
    """
    scratch = os.path.join(root, b".checkfirst-%s.trial" % token.encode())
    arrived = os.path.join(folder, b"%s.trial" % token.encode())
    try:
        os.close(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise translate(error, "write to the watched folder", root) from error
    try:
        rename_noreplace(scratch, arrived)
    except OSError:
        return False
    finally:
        for left_over in (scratch, arrived):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(left_over)
    return True
