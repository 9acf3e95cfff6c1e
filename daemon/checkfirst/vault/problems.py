"""What can go wrong with one file while it is grasped or moved, in words for a person.

None of these ends anything: the file stays where it is and is tried again.
"""

import errno
import os
from typing import Final

from checkfirst.errors import FileProblem
from checkfirst.policy.names import show


class GoneError(FileProblem):
    """The file vanished before it was touched."""

    def __init__(self, path: bytes) -> None:
        super().__init__("The file is no longer there", about=show(path))


class NotAFileError(FileProblem):
    """It is a folder, a link, a pipe, a socket or a device; such things are left alone."""

    def __init__(self, path: bytes) -> None:
        super().__init__("This is no regular file and is left alone", about=show(path))


class BusyError(FileProblem):
    """Somebody has the file open for writing, or mapped writable."""

    def __init__(self, path: bytes) -> None:
        super().__init__(
            "The file is still open for writing",
            "The program that writes it has to close it first.",
            about=show(path),
        )


class ChangedError(FileProblem):
    """The bytes are not, or may not be, those that were looked at before."""

    def __init__(self, path: bytes) -> None:
        super().__init__(
            "The file changed while it was looked at", "It has to be judged anew.", about=show(path)
        )


class StoppedError(FileProblem):
    """Reading was given up because the program is stopping."""

    def __init__(self, path: bytes) -> None:
        super().__init__("Stopped before the file was read to its end", about=show(path))


class TamperedError(FileProblem):
    """A quarantined payload is not what was put there."""

    def __init__(self, path: bytes) -> None:
        super().__init__(
            "The quarantined file is not the one that was put there, so it stays",
            "Look at it with `checkfirst quarantine show`, or delete it.",
            about=show(path),
        )


class AwayError(FileProblem):
    """The quarantine is not there, or may not be the one that the file was put into."""

    def __init__(self, folder: bytes) -> None:
        title = "The quarantine is away, so nothing was done"
        to_do = "Is its disk mounted?"
        if os.path.isdir(os.path.dirname(folder)):
            # A folder that was emptied, and the place where its disk should be: they look alike.
            title = "The file is not in the quarantine, so nothing was done"
            to_do = (
                "Is the disk of the quarantine mounted? If it is, somebody has removed this folder;"
                " then make an empty one of that name, and delete the file once more."
            )
        super().__init__(title, to_do, about=show(folder))


class LeftError(FileProblem):
    """The file could not be taken, or not be put back; `reason` says why and where it lies."""

    def __init__(self, reason: str, path: bytes, to_do: str = "") -> None:
        super().__init__(reason, to_do, about=show(path))
        self.reason = reason


class UnsafeFolderError(FileProblem):
    """A folder that is to keep files out of reach is a link, or belongs to somebody else."""

    def __init__(self, reason: str, path: bytes) -> None:
        super().__init__(
            f"A private folder cannot be used because it {reason}",
            "Move it away; a new one is made in its place.",
            about=show(path),
        )


class DiskError(FileProblem):
    """The system refused; `errno` is its reason."""

    def __init__(self, title: str, to_do: str, *, about: str, number: int | None) -> None:
        super().__init__(title, to_do, about=about)
        self.errno = number


_WORDS: Final[dict[int, tuple[str, str]]] = {
    errno.ENOSPC: ("no space is left on the disk", "Free some space."),
    errno.EDQUOT: ("your disk quota is used up", "Free some space."),
    errno.EFBIG: ("the file is larger than may be written there", "Look at `ulimit -f`."),
    errno.EROFS: ("the filesystem is read-only", "Mount it writable."),
    errno.EACCES: ("permission is denied", "Look at the owner and mode of file and folder."),
    errno.EPERM: (
        "the system does not allow it",
        "The file may be immutable (`lsattr`), or belong to somebody else in a sticky folder.",
    ),
    errno.EXDEV: ("the two places lie on different filesystems", "Please report this."),
    errno.EIO: ("the disk reported an error", "Look at the system's log; the disk may be failing."),
    errno.ENAMETOOLONG: (
        "the name is too long for that filesystem",
        "Choose a folder on another filesystem.",
    ),
    errno.EINVAL: (
        "that filesystem does not take such a name or such a file",
        "Choose a folder on another filesystem.",
    ),
    errno.ENOENT: ("the folder is not there", "Is its disk mounted?"),
    errno.ENOTDIR: ("something that is no folder is in the way", "Move it away."),
    errno.ELOOP: ("a symbolic link is in the way", "Move it away."),
    errno.EEXIST: ("something of that name is in the way", "Move it away."),
    errno.EMFILE: ("too many files are open", "Look at `ulimit -n`."),
    errno.ESTALE: ("the network folder has gone away", "Mount it again."),
    errno.ETXTBSY: ("the file is being run", "End that program."),
}


def translate(error: OSError, doing: str, path: bytes) -> FileProblem:
    """Give the error words: `doing` completes "Could not …" (`move it into the quarantine`).

    Whether it is tried again is said by whoever does so: the daemon does, a command does not.
    """
    number = error.errno
    known = _WORDS.get(number) if number is not None else None
    why, to_do = known or (os.strerror(number) if number else str(error), "")
    return DiskError(f"Could not {doing}: {why}", to_do, about=show(path), number=number)
