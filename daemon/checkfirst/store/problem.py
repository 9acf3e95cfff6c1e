"""What SQLite's errors mean to a person. Knows SQLite's result codes and nothing of our tables."""

import os
import sqlite3
from pathlib import Path

from checkfirst.errors import StoreError
from checkfirst.policy.names import show


class PassingStoreError(StoreError):
    """Trouble that may pass without us, such as a full disk: worth another try in a while."""


_ROOM = "Make room on that disk; nothing is lost. A daemon that runs tries again by itself"
_BUSY = "Another program has held it for long; end that program, or wait: it is tried again"
_ACCESS = "See that its folder and the file belong to you, and that the disk is not read-only"
_DISK = "See the system's log for errors of the disk, and whether it is full or was taken away"
_REBUILD = (
    "It is set aside at the next start and made anew from what lies in the held and quarantine "
    "folders"
)

_PASSING: dict[int, tuple[str, str]] = {
    sqlite3.SQLITE_BUSY: ("The database is busy", _BUSY),
    sqlite3.SQLITE_LOCKED: ("The database is busy", _BUSY),
    sqlite3.SQLITE_FULL: ("There is no room left for the database", _ROOM),
    sqlite3.SQLITE_IOERR: ("The database cannot be read or written", _DISK),
    sqlite3.SQLITE_READONLY: ("The database cannot be written", _ACCESS),
    sqlite3.SQLITE_CANTOPEN: ("The database cannot be opened", _ACCESS),
    sqlite3.SQLITE_PERM: ("The database cannot be opened", _ACCESS),
}


def code(error: sqlite3.Error) -> int:
    """The primary result code (sqlite.org/rescode.html); -1 when the error did not come from it."""
    number = getattr(error, "sqlite_errorcode", None)
    return number & 0xFF if isinstance(number, int) else -1


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the file itself is at fault: corrupt, or no database at all."""
    return code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def in_words(error: sqlite3.Error, path: Path) -> StoreError:
    """The error to raise in its place."""
    about = show(os.fsencode(path))
    if is_damage(error):
        return StoreError("The database is damaged", _REBUILD, about=about)
    if (known := _PASSING.get(code(error))) is not None:
        return PassingStoreError(*known, about=about)
    return StoreError(f"The database refused a step ({error})", about=about)


def os_in_words(error: OSError, path: Path) -> StoreError:
    """The same for trouble with the file or its folder."""
    title = f"The database cannot be opened ({error.strerror or error})"
    return PassingStoreError(title, _ACCESS, about=show(os.fsencode(path)))
