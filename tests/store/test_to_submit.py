"""Uploads to come, as several processes on one database see them."""

import pytest

from checkfirst.model import Risk
from checkfirst.store.database import Database
from checkfirst.store.submissions import Sent, Submissions
from checkfirst.store.to_submit import Intent, Owed, ToSubmit

A, B = "aa" * 32, "bb" * 32
LONG_AGO = 0.0


def intent(sha256=A, since=5.0):
    return Intent(sha256, 3, Risk.PROGRAM, b"a \xff name", since)


@pytest.fixture
def alive():
    """Who runs; a test takes processes out."""
    return {"us", "they"}


@pytest.fixture
def ours(database, alive):
    return ToSubmit(database, "us", alive.__contains__)


@pytest.fixture
async def theirs(path, clock, alive, database):
    """Another process has a connection of its own."""
    other = await Database.open(path, clock)
    yield ToSubmit(other, "they", alive.__contains__)
    await other.close()


async def test_only_one_of_two_gets_the_claim_until_that_one_lets_go(ours, theirs):
    assert await ours.claim(intent(), LONG_AGO)
    assert await ours.claim(intent(), LONG_AGO)
    assert not await theirs.claim(intent(), LONG_AGO)
    assert await theirs.claim(intent(B), LONG_AGO)
    await theirs.unclaim(A)
    assert not await theirs.claim(intent(), LONG_AGO)
    await ours.unclaim(A)
    assert await theirs.claim(intent(), LONG_AGO)


async def test_a_claim_falls_with_its_process(ours, theirs, alive):
    assert await theirs.claim(intent(), LONG_AGO)
    alive.discard("they")
    assert await ours.claim(intent(), LONG_AGO)


async def test_what_was_uploaded_lately_is_nobodys_to_send(ours, theirs, database):
    assert await ours.claim(intent(), LONG_AGO)
    await Submissions(database).begin(Sent(A, 100.0, 3, b"a"), "id")
    assert not await theirs.claim(intent(), 99.0)
    assert not await ours.claim(intent(), 99.0)
    assert await theirs.claim(intent(), 100.0)


async def test_what_is_owed_is_there_after_a_restart_until_it_was_uploaded(ours, database):
    await ours.owe(intent(B, 9.0))
    await ours.owe(intent())
    await ours.owe(intent())
    owed = [Owed(intent(), begun=False), Owed(intent(B, 9.0), begun=False)]
    assert await ours.left_undone() == owed
    assert await ours.claim(intent(), LONG_AGO)
    await ours.unclaim(A)
    assert await ours.left_undone() == owed
    await Submissions(database).begin(Sent(A, 100.0, 3, b"a"), "id")
    assert await ours.left_undone() == owed[1:]
    await ours.waive(B)
    assert await ours.left_undone() == []


async def test_what_the_dead_or_our_own_earlier_life_had_begun_is_told_apart(
    ours, theirs, alive, database
):
    for sha256, who in [(A, ours), (B, theirs)]:
        await who.owe(intent(sha256))
        assert await who.claim(intent(sha256), LONG_AGO)
    assert [each.begun for each in await ours.left_undone()] == [True, False]
    alive.discard("they")
    assert [each.begun for each in await ours.left_undone()] == [True, True]


async def test_claims_of_the_dead_on_what_is_not_owed_are_forgotten(ours, theirs, alive, database):
    assert await theirs.claim(intent(), LONG_AGO)
    assert await ours.left_undone() == []
    assert len(await database.rows("SELECT 1 FROM to_submit")) == 1
    alive.discard("they")
    assert await ours.left_undone() == []
    assert await database.rows("SELECT 1 FROM to_submit") == []


async def test_waiving_leaves_the_claim_of_another_process_alone(ours, theirs):
    await ours.owe(intent())
    assert await theirs.claim(intent(), LONG_AGO)
    await ours.waive(A)
    assert await ours.left_undone() == []
    assert not await ours.claim(intent(), LONG_AGO)
    await theirs.unclaim(A)
    assert await ours.claim(intent(), LONG_AGO)


async def test_one_that_is_owed_by_the_daemon_outlives_a_check_that_sends_it_in_vain(ours, theirs):
    assert await theirs.claim(intent(), LONG_AGO)
    await ours.owe(intent())
    await theirs.unclaim(A)
    assert await ours.left_undone() == [Owed(intent(), begun=False)]
