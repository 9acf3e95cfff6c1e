"""Numbered migrations, each whole or not at all. Knows nothing of what the tables are for.

PRAGMA user_version counts the migrations that a database has seen. `executescript()` is not used:
it commits by itself first, so that a failing migration would leave half its tables behind.
"""

import contextlib
import sqlite3
from collections.abc import Iterator
from importlib import resources

from checkfirst.errors import StoreError


def migrations_blocking() -> tuple[str, ...]:
    """The text of 0001.sql, 0002.sql, … in order."""
    folder = resources.files("checkfirst.store") / "migrations"
    texts = {
        int(entry.name.removesuffix(".sql")): entry.read_text("utf-8")
        for entry in folder.iterdir()
        if entry.name.endswith(".sql")
    }
    return tuple(texts[number] for number in range(1, len(texts) + 1))


def version_blocking(connection: sqlite3.Connection) -> int:
    """How many migrations this database has seen."""
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def refuse_newer(version: int, known: int, about: str) -> None:
    """Raises StoreError when a newer checkfirst wrote this database."""
    if version > known:
        message = f"The database has schema {version}, this checkfirst knows none above {known}"
        raise StoreError(message, "Use the newer checkfirst that wrote it", about=about)


def migrate_blocking(
    connection: sqlite3.Connection, migrations: tuple[str, ...], about: str
) -> None:
    """Bring the database up to the last migration in one transaction.

    The connection must leave transactions to us (`isolation_level=None`). Raises StoreError for a
    newer database; a sqlite3.Error leaves it as it was.
    """
    if version_blocking(connection) == len(migrations):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = version_blocking(connection)
        refuse_newer(version, len(migrations), about)
        for migration in migrations[version:]:
            for statement in statements(migration):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(migrations)}")
        connection.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            connection.rollback()
        raise


def statements(script: str) -> Iterator[str]:
    """The statements of a script, triggers in one piece; comments stay with what follows them."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    if statement.strip():
        yield statement
