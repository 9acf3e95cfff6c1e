"""The one database file, opened for a process: a connection that writes and one that reads.

Statements run in threads of aiosqlite's, never on the loop. Reads have a connection of their own,
so that they do not wait while a write waits for another process. Knows nothing of the tables.
"""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Self, TypeVar

import aiosqlite

from checkfirst.clock import Clock
from checkfirst.errors import StoreError
from checkfirst.finish import finish
from checkfirst.store.prepare import BUSY_SECONDS, mark_blocking, prepare_blocking
from checkfirst.store.problem import in_words, is_damage

T = TypeVar("T")
Row = tuple[Any, ...]
_Args = Sequence[Any] | Mapping[str, Any]

_ROWS_AT_ONCE = 64
"""aiosqlite's own choice; no cursor is ever iterated here."""


class Database:
    """An open database; `close` it, or its threads keep the process alive."""

    def __init__(
        self,
        path: Path,
        writer: "_Connection",
        reader: "_Connection",
        opened: contextlib.AsyncExitStack,
        notice: str,
    ) -> None:
        """Use `open`."""
        self.path = path
        self.notice = notice
        """What a person must be told of the opening (a damaged file was set aside), or ""."""
        self._writer = writer
        self._reader = reader
        self._opened = opened
        self._turn = asyncio.Lock()
        self._data_version: int | None = None

    @classmethod
    async def open(cls, path: Path, clock: Clock) -> Self:
        """Make the file if need be, bring its schema up to date, and connect.

        Raises StoreError: a newer schema, no access, a full disk, another process that does not let
        go of it within 30 s. A damaged file is no error: see `notice`.
        """
        stamp = datetime.fromtimestamp(clock.now(), UTC).strftime("%Y%m%dT%H%M%SZ")
        notice = await asyncio.to_thread(prepare_blocking, path, stamp)
        async with contextlib.AsyncExitStack() as opened:
            try:
                writer = await opened.enter_async_context(_connect(path, "synchronous = FULL"))
                reader = await opened.enter_async_context(_connect(path, "query_only = ON"))
            except sqlite3.Error as error:
                raise in_words(error, path) from error
            database = cls(path, writer, reader, opened, notice)
            await database.changed_elsewhere()
            database._opened = opened.pop_all()
        return database

    async def close(self) -> None:
        """Let the running transaction end and close both connections."""
        async with self._turn:
            await finish(self._opened.aclose())

    async def write(self, change: Callable[[sqlite3.Connection], T]) -> T:
        """One transaction: `change` in a thread, committed at its end, rolled back if it raises.

        Only one at a time in this process; other processes are waited out for 30 s. A cancellation
        that comes meanwhile lets it end first, and what it did stands. Raises StoreError in place
        of sqlite3's errors, PassingStoreError where another try may help.
        """
        async with self._turn:
            try:
                return await finish(self._writer.run(partial(_changed_blocking, change)))
            except sqlite3.DatabaseError as error:
                raise await self._problem(error) from error

    async def execute(self, sql: str, args: _Args = ()) -> list[Row]:
        """One statement that changes something, as a transaction; what it returns."""
        return await self.write(lambda connection: connection.execute(sql, args).fetchall())

    async def execute_many(self, sql: str, args: Sequence[_Args]) -> None:
        """The same statement for each of the `args`, all in one transaction."""

        def change_blocking(connection: sqlite3.Connection) -> None:
            connection.executemany(sql, args)

        await self.write(change_blocking)

    async def rows(self, sql: str, args: _Args = ()) -> list[Row]:
        """What a query finds in the last committed state. Raises StoreError."""
        try:
            return list(await self._reader.execute_fetchall(sql, args))  # type: ignore[arg-type]
        except sqlite3.DatabaseError as error:
            raise await self._problem(error) from error

    async def changed_elsewhere(self) -> bool:
        """Whether any other connection has committed since this was last asked."""
        try:
            found = list(await self._writer.execute_fetchall("PRAGMA data_version"))
        except sqlite3.DatabaseError as error:
            raise await self._problem(error) from error
        before, self._data_version = self._data_version, found[0][0]
        return before != self._data_version

    async def _problem(self, error: sqlite3.DatabaseError) -> StoreError:
        if is_damage(error):
            await asyncio.to_thread(mark_blocking, self.path)
        return in_words(error, self.path)


class _Connection(aiosqlite.Connection):
    """One that takes a function as well as a statement."""

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Call it in the thread of the connection."""
        result: T = await self._execute(work, self._conn)  # type: ignore[no-untyped-call]
        return result


def _changed_blocking(
    change: Callable[[sqlite3.Connection], T], connection: sqlite3.Connection
) -> T:
    connection.execute("BEGIN IMMEDIATE")
    try:
        result = change(connection)
        connection.commit()
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            connection.rollback()
        raise
    return result


@contextlib.asynccontextmanager
async def _connect(path: Path, pragma: str) -> AsyncIterator[_Connection]:
    """A connection that leaves transactions to us."""

    def connect_blocking() -> sqlite3.Connection:
        return sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)

    connection = _Connection(connect_blocking, _ROWS_AT_ONCE)
    async with connection:
        await connection.execute_fetchall(f"PRAGMA {pragma}")
        yield connection
