"""What can be told of the database from outside, without touching it, for `checkfirst doctor`.

Reads beside a running daemon and changes nothing: no migration, nothing set aside, no log written
back. Looking through a big database may take long, so it ends at a deadline.
"""

import contextlib
import os
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path

from checkfirst.errors import StoreError
from checkfirst.policy.names import show
from checkfirst.store import migrate
from checkfirst.store.problem import in_words, is_damage

_BUSY_SECONDS = 2.0
_STEPS_BETWEEN_LOOKS = 100_000
_NEWEST = (
    "SELECT max(max(coalesce(arrived_at, 0), coalesce(decided_at, 0), coalesce(finished_at, 0)))"
    " FROM (SELECT * FROM arrivals ORDER BY id DESC LIMIT 1000)"
)


@dataclass(frozen=True, slots=True)
class Checkup:
    """The database as it is."""

    exists: bool
    size: int = 0
    """Bytes of the file."""
    log_size: int = 0
    """Bytes of its write-ahead log."""
    version: int = 0
    """Of its schema; 0: no tables yet."""
    known: int = 0
    """The last version that this program knows."""
    whole: bool | None = None
    """Whether SQLite's quick_check found it sound; None: not looked, or not to the end."""
    newest: float = 0.0
    """The latest moment that any of the last rows tells of."""
    suspect: bool = False
    """A statement has found damage since the last start."""
    set_aside: tuple[str, ...] = ()
    """Damaged databases of earlier days, by name; fit to be shown."""
    error: StoreError | None = None
    """Why nothing more can be told."""

    @property
    def usable(self) -> bool:
        """Whether it can be written to without being mended or migrated first."""
        sound = self.exists and self.error is None and not self.suspect
        return sound and self.whole is not False and self.version == self.known


def checkup_blocking(path: Path, seconds: float) -> Checkup:
    """Look at it; what cannot be seen is in the result, and nothing is raised."""
    known = len(migrate.migrations_blocking())
    aside = tuple(sorted(_set_aside_blocking(path)))
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        return Checkup(exists=False, known=known, set_aside=aside)
    except OSError as error:
        title = f"The database cannot be seen ({error.strerror})"
        problem = StoreError(title, about=show(os.fsencode(path)))
        return Checkup(exists=True, known=known, error=problem)
    log_size = 0
    with contextlib.suppress(OSError):
        log_size = path.with_name(f"{path.name}-wal").stat().st_size
    suspect = path.with_name(f"{path.name}.suspect").exists()
    version, newest = 0, 0.0
    whole: bool | None = None
    trouble: StoreError | None = None
    try:
        with contextlib.closing(_open(path)) as connection:
            version = migrate.version_blocking(connection)
            if version == known:
                newest = connection.execute(_NEWEST).fetchone()[0] or 0.0
            whole = _is_whole(connection, seconds)
    except sqlite3.DatabaseError as error:
        trouble = in_words(error, path)
        whole = False if is_damage(error) else None
    return Checkup(True, size, log_size, version, known, whole, newest, suspect, aside, trouble)


def _open(path: Path) -> sqlite3.Connection:
    """Read-only; where even the files beside it cannot be made, as a file that nobody changes."""
    uri = path.absolute().as_uri()
    writable = os.access(path.parent, os.W_OK)
    how = "mode=ro" if writable else "mode=ro&immutable=1"
    return sqlite3.connect(f"{uri}?{how}", uri=True, timeout=_BUSY_SECONDS, isolation_level=None)


def _is_whole(connection: sqlite3.Connection, seconds: float) -> bool | None:
    end = time.monotonic() + seconds
    connection.set_progress_handler(lambda: time.monotonic() > end, _STEPS_BETWEEN_LOOKS)
    try:
        return bool(connection.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
            return None
        raise
    finally:
        connection.set_progress_handler(None, 0)


def _set_aside_blocking(path: Path) -> list[str]:
    beginning = f"{path.name}.corrupt-"
    with contextlib.suppress(OSError):
        return [
            show(os.fsencode(each.name))
            for each in path.parent.iterdir()
            if each.name.startswith(beginning) and not each.name.endswith(("-wal", "-shm"))
        ]
    return []
