"""Opening the database only to look: beside a running daemon, without one, or before there is one.

Imports neither asyncio nor aiosqlite, and writes nothing.
"""

import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from checkfirst.store.older import look_newest_blocking
from checkfirst.store.problem import code, in_words, os_in_words

_BUSY_SECONDS = 5.0


class Reader:
    """A database to look into; raises StoreError where it is there and cannot be read."""

    def __init__(self, path: Path) -> None:
        """Opens nothing yet: the database may come to be later."""
        self._path = path
        self._connection: sqlite3.Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _rows(self, sql: str, args: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        try:
            if self._connection is None:
                self._connection = self._open()
            return (
                [] if self._connection is None else self._connection.execute(sql, args).fetchall()
            )
        except sqlite3.DatabaseError as error:
            raise in_words(error, self._path) from error
        except OSError as error:
            raise os_in_words(error, self._path) from error

    def _open(self) -> sqlite3.Connection | None:
        """None while there is no database, or none with tables in it yet."""
        if not self._path.exists():
            return None
        try:
            return self._opened("mode=ro")
        except sqlite3.OperationalError as error:
            # A database in WAL mode that nobody has open needs a folder that can be written and
            # has room (the third code: sqlite.org/rescode.html#ioerr_shmsize), or the promise that
            # nothing changes (sqlite.org/wal.html, "Read-Only Databases").
            codes = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR)
            if code(error) not in codes:
                raise
            if os.access(self._path.parent, os.W_OK) and self._has_log():
                raise
            return self._opened("mode=ro&immutable=1")

    def _has_log(self) -> bool:
        """Whether what was last written is in the log still, as while somebody has it open."""
        log = self._path.with_name(f"{self._path.name}-wal")
        return log.exists() and log.stat().st_size > 0

    def _opened(self, how: str) -> sqlite3.Connection | None:
        uri = f"{self._path.absolute().as_uri()}?{how}"
        connection = sqlite3.connect(uri, uri=True, timeout=_BUSY_SECONDS, isolation_level=None)
        try:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version > 0:
                look_newest_blocking(connection, version)
        except BaseException:
            connection.close()
            raise
        if version > 0:
            return connection
        connection.close()
        return None
