import asyncio
import contextlib
import sqlite3

import pytest

from checkfirst.model import Arrival, State
from checkfirst.store import migrate
from checkfirst.store.database import Database
from checkfirst.store.journal import Journal
from checkfirst.store.submissions import Sent, Submission, Submissions

A, B = "aa" * 32, "bb" * 32


def sent(sha256, at):
    return Sent(sha256, at, 3, b"a \xff name")


@pytest.fixture
def submissions(database):
    return Submissions(database)


async def test_the_waiting_time_counts_from_the_first_answered_poll(submissions):
    await submissions.begin(sent(A, 5.0), "id-1")
    assert await submissions.get(A) == Submission(A, "id-1", 5.0)
    await submissions.answered(A, 6.0, 30.0)
    found = await submissions.answered(A, 7.0, 30.0)
    assert found == Submission(A, "id-1", 5.0, 2, waited=1.0, answered_at=7.0)
    assert await submissions.get(A) == found
    assert await submissions.get(B) is None
    assert await submissions.answered(B, 7.0, 30.0) is None


async def test_no_time_counts_as_waited_in_which_no_poll_was_meant_to_come(submissions):
    await submissions.begin(sent(A, 5.0), "id-1")
    waited = [
        (await submissions.answered(A, at, 30.0)).waited
        for at in (1000.0, 1030.0, 9000.0, 9010.0, 5000.0, 5030.0)
    ]
    assert waited == [0.0, 30.0, 60.0, 70.0, 70.0, 100.0]


async def test_an_ended_one_is_awaited_no_more_but_known(submissions):
    await submissions.begin(sent(A, 5.0), "id-1")
    await submissions.begin(sent(B, 4.0), "id-2")
    await submissions.end(A)
    assert await submissions.awaited() == [Submission(B, "id-2", 4.0)]
    assert (await submissions.get(A)).ended


async def test_a_second_upload_starts_afresh(submissions):
    await submissions.begin(sent(A, 5.0), "id-1")
    await submissions.answered(A, 6.0, 30.0)
    await submissions.end(A)
    await submissions.begin(sent(A, 9.0), "id-2")
    assert await submissions.awaited() == [Submission(A, "id-2", 9.0)]


async def test_pruning_spares_what_is_awaited(submissions):
    await submissions.begin(sent(A, 5.0), "id-1")
    await submissions.begin(sent(B, 5.0), "id-2")
    await submissions.end(A)
    await submissions.prune(6.0)
    assert await submissions.get(A) is None
    assert await submissions.get(B) is not None


async def test_the_files_that_wait_and_the_last_that_came_say_that_they_were_uploaded(
    submissions, database
):
    journal = Journal(database, "1:1")
    states = [State.DELETED, State.RELEASED, State.WAITING, State.RELEASED]
    rows = [Arrival(0, state, b"/w", b"/w/a", sha256=A) for state in states]
    ids = await journal.adopt([*rows, Arrival(0, State.WAITING, b"/w", b"/w/b", sha256=B)])
    await submissions.begin(sent(A, 5.0), "id-1")
    await submissions.begin(sent(A, 9.0), "id-2")
    found = [(await journal.get(number)).submitted_at for number in ids]
    assert found == [None, None, 5.0, 5.0, None]


def awaited_by_an_older_version_blocking(path):
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        migrate.migrate_blocking(connection, migrate.migrations_blocking()[:5], "x")
        connection.execute(
            "INSERT INTO submissions (sha256, analysis_id, submitted_at, polls, first_answered_at)"
            " VALUES (?, 'id', 5.0, 3, 35.0)",
            (A,),
        )


async def test_what_an_older_version_awaited_is_awaited_from_its_first_answer(tmp_path, clock):
    path = tmp_path / "older.sqlite"
    await asyncio.to_thread(awaited_by_an_older_version_blocking, path)
    database = await Database.open(path, clock)
    found = await Submissions(database).answered(A, 9000.0, 240.0)
    await database.close()
    assert found == Submission(A, "id", 5.0, 4, waited=240.0, answered_at=9000.0)
