"""Makes the database file ready before anything is asked of it: private, whole, up to date.

A damaged file is set aside and a fresh one made in its place, as the folders tell where every
file is. Looking through a whole database (`PRAGMA quick_check`) takes seconds at a million rows,
so it is done only when a statement has found damage since the last start: `mark_blocking` then
leaves a note beside the file. Other damage shows when the schema is read.
"""

import contextlib
import fcntl
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from checkfirst.errors import StoreError
from checkfirst.policy.names import show
from checkfirst.store import migrate
from checkfirst.store.problem import in_words, is_damage, os_in_words

BUSY_SECONDS = 30.0
"""How long another process's transaction is waited out."""


class _DamageError(sqlite3.DatabaseError):
    """quick_check found something."""

    sqlite_errorcode = sqlite3.SQLITE_CORRUPT


def prepare_blocking(path: Path, stamp: str) -> str:
    """Leave a usable database at `path`; returns what a person must be told, or "".

    `stamp` goes into the name that a damaged file is set aside under. Raises StoreError.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _alone_blocking(path):
            try:
                _bring_up_blocking(path)
            except sqlite3.DatabaseError as error:
                if not is_damage(error):
                    raise
            else:
                return ""
            aside = _set_aside_blocking(path, stamp)
            _bring_up_blocking(path)
    except sqlite3.Error as error:
        raise in_words(error, path) from error
    except OSError as error:
        raise os_in_words(error, path) from error
    return (
        f"The database was damaged and was set aside as {show(os.fsencode(aside.name))}; a new one "
        "is made from what lies in the held and quarantine folders"
    )


def mark_blocking(path: Path) -> None:
    """Note that a statement found damage: the next start looks through the whole file."""
    with contextlib.suppress(OSError):
        _mark(path).touch(mode=0o600)


def _mark(path: Path) -> Path:
    return path.with_name(f"{path.name}.suspect")


@contextlib.contextmanager
def _alone_blocking(path: Path) -> Iterator[None]:
    """One process at a time: two must not both set a file aside, or the second moves the new one.

    A lock file of its own, because closing any descriptor of the database itself would drop the
    locks that SQLite holds on it in this process (fcntl(2), sqlite.org/howtocorrupt.html).
    """
    lock = os.open(
        path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
    )
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _bring_up_blocking(path: Path) -> None:
    migrations = migrate.migrations_blocking()
    about = show(os.fsencode(path))
    _make_private_blocking(path)
    # Looked at through a read-only connection first: closing any other one would write the log
    # back into a file that a newer checkfirst owns.
    with contextlib.closing(
        sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    ) as look:
        migrate.refuse_newer(migrate.version_blocking(look), len(migrations), about)
    if not os.access(path, os.W_OK) or not os.access(path.parent, os.W_OK):
        raise StoreError(
            "The database cannot be written",
            "See that its folder and the file belong to you, and that the disk is not read-only",
            about=about,
        )
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    with contextlib.closing(connection):
        if _mark(path).exists():
            if connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
                raise _DamageError
            _mark(path).unlink()
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        migrate.migrate_blocking(connection, migrations, about)
        connection.execute("SELECT count(*) FROM counts").fetchone()


def _make_private_blocking(path: Path) -> None:
    """Mode 0600 from the first moment on; SQLite gives its other files the mode of this one."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)


def _set_aside_blocking(path: Path, stamp: str) -> Path:
    """The database goes last: were its log left behind, SQLite would play it into the new file."""
    aside = path.with_name(f"{path.name}.corrupt-{stamp}")
    number = 1
    while aside.exists():
        number += 1
        aside = path.with_name(f"{path.name}.corrupt-{stamp}-{number}")
    for suffix in ("-wal", "-shm", ""):
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(aside.with_name(aside.name + suffix))
    _mark(path).unlink(missing_ok=True)
    return aside
