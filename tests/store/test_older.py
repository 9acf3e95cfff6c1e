"""A database that an older version made, as this one's commands see it before it is migrated."""

import asyncio
import contextlib
import sqlite3

import pytest

from checkfirst.model import State
from checkfirst.store import migrate
from checkfirst.store.database import Database
from checkfirst.store.listed import Listed, ListedBy, ListName
from checkfirst.store.lists import Lists
from checkfirst.store.reading import Reading

NEWEST = len(migrate.migrations_blocking())
A = "aa" * 32
ENTRY = Listed(A, ListName.BLOCK, ListedBy.USER, 1.0, "note", 9e9)


@pytest.fixture(params=range(1, NEWEST))
def older(request, tmp_path):
    path = tmp_path / "checkfirst.sqlite"
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        migrate.migrate_blocking(connection, migrate.migrations_blocking()[: request.param], "x")
        connection.execute(
            "INSERT INTO arrivals (state, shelf, root, origin, name, sha256) VALUES"
            " ('quarantined', 'quarantined', X'2f', X'2f61', 'a', ?)",
            (A,),
        )
        column = "sha256" if request.param < 3 else "hash"
        connection.execute(
            f"INSERT INTO listed ({column}, list, origin, note, added_at, expires_at)"
            " VALUES (?, 'block', 'user', 'note', 1, 9e9)",
            (A,),
        )
        connection.execute(
            "INSERT INTO verdicts (sha256, verdict, source, reason, answered_at)"
            " VALUES (?, 'clean', 'virustotal', 'why', 1)",
            (A,),
        )
    return path


def test_all_that_commands_read_is_there(older):
    before = older.read_bytes()
    with Reading(older) as reading:
        (row,) = reading.history(9)
        assert (row.name, row.origin_url) == (b"a", None)
        assert reading.find("a*") == reading.find("a") == reading.find(A[:8]) == [row]
        assert reading.quarantined() == reading.with_hash(A, {State.QUARANTINED}) == [row]
        assert reading.waiting() == reading.unfinished() == reading.troubles() == []
        assert reading.listed(A) == ENTRY
        assert reading.all_listed(ListName.BLOCK) == [ENTRY]
        assert reading.remembered(A)[0].reason == "why"
        assert reading.second_look(A) is None
        assert reading.second_looks().number == 0
        assert reading.submitted(9) == []
        assert reading.allowance("ann") is None
        reading.quota(1e9)
        assert reading.counts() == {}
    assert older.read_bytes() == before


def test_nothing_is_lost_when_it_is_migrated(older, clock):
    async def look():
        database = await Database.open(older, clock)
        try:
            return await Lists(database, clock).look_up([A])
        finally:
            await database.close()

    assert asyncio.run(look()) == {A: ENTRY}
    with Reading(older) as reading:
        assert len(reading.history(9)) == 1
