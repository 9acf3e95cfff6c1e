"""Uploads to come, as several processes on one database see them."""

import pytest

from checkfirst.model import Arrival, Risk, State
from checkfirst.store.database import Database
from checkfirst.store.journal import Journal
from checkfirst.store.submissions import Sent, Submissions
from checkfirst.store.to_submit import Claim, Intent, ToSubmit

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


async def claim(who, sha256=A, since=LONG_AGO, *, anew=False):
    return await who.claim(intent(sha256), since, anew=anew)


async def test_only_one_of_two_gets_the_claim_until_that_one_lets_go(ours, theirs):
    assert await claim(ours) is Claim.OURS
    assert await claim(theirs) is Claim.THEIRS
    assert await claim(theirs, anew=True) is Claim.THEIRS
    assert await claim(theirs, B) is Claim.OURS
    await theirs.unclaim(A)
    await theirs.cut_off(A)
    assert await claim(theirs) is Claim.THEIRS
    await ours.unclaim(A)
    assert await claim(theirs) is Claim.OURS


async def test_a_claim_falls_with_its_process_and_what_it_sent_may_have_arrived(
    ours, theirs, alive
):
    assert await claim(theirs) is Claim.OURS
    alive.discard("they")
    assert await claim(ours) is Claim.CUT_OFF
    assert await claim(ours) is Claim.CUT_OFF
    assert await claim(ours, anew=True) is Claim.OURS


async def test_what_was_cut_off_here_may_have_arrived_for_others_too_until_it_is_sent_anew(
    ours, theirs
):
    assert await claim(ours) is Claim.OURS
    assert await ours.interrupted(A) == intent()
    assert await theirs.interrupted(A) is None
    await ours.cut_off(A)
    assert await theirs.interrupted(A) == intent()
    assert await claim(theirs) is Claim.CUT_OFF
    assert await claim(theirs, anew=True) is Claim.OURS
    await theirs.unclaim(A)
    await ours.owe(intent())
    assert await ours.interrupted(A) is None
    assert await claim(ours) is Claim.OURS


async def test_what_we_have_begun_ourselves_and_not_ended_may_have_arrived(ours):
    assert await claim(ours) is Claim.OURS
    assert await claim(ours) is Claim.CUT_OFF


async def test_what_was_uploaded_lately_is_nobodys_to_send(ours, theirs, database):
    assert await claim(ours) is Claim.OURS
    await Submissions(database).begin(Sent(A, 100.0, 3, b"a"), "id")
    assert await claim(theirs, since=99.0) is Claim.THEIRS
    assert await claim(ours, since=99.0, anew=True) is Claim.THEIRS
    assert await claim(theirs, since=100.0) is Claim.OURS


async def test_what_is_owed_is_there_after_a_restart_until_it_was_uploaded(ours, database):
    await ours.owe(intent(B, 9.0))
    await ours.owe(intent())
    await ours.owe(intent())
    owed = [intent(), intent(B, 9.0)]
    assert await ours.left_undone() == owed
    assert await claim(ours) is Claim.OURS
    await ours.unclaim(A)
    assert await ours.left_undone() == owed
    await Submissions(database).begin(Sent(A, 100.0, 3, b"a"), "id")
    assert await ours.left_undone() == owed[1:]
    await ours.waive(B)
    assert await ours.left_undone() == []


async def test_what_the_dead_or_our_own_earlier_life_had_begun_is_still_owed(ours, theirs, alive):
    for sha256, who in [(A, ours), (B, theirs)]:
        await who.owe(intent(sha256))
        assert await claim(who, sha256) is Claim.OURS
    assert await ours.left_undone() == [intent(), intent(B)]
    assert await claim(ours, B) is Claim.THEIRS
    alive.discard("they")
    assert await ours.left_undone() == [intent(), intent(B)]
    for sha256 in (A, B):
        assert await claim(ours, sha256) is Claim.CUT_OFF


async def test_what_the_dead_had_begun_is_forgotten_unless_it_is_owed_or_a_file_waits_for_it(
    ours, theirs, alive, database
):
    rows = [
        Arrival(0, state, b"/w", b"/w/a", sha256=sha256)
        for sha256, state in [(A, State.RELEASED), (B, State.WAITING)]
    ]
    await Journal(database, "us").adopt(rows)
    for sha256 in (A, B):
        assert await claim(theirs, sha256) is Claim.OURS
    assert await ours.left_undone() == []
    assert len(await database.rows("SELECT 1 FROM to_submit")) == 2
    alive.discard("they")
    assert await ours.left_undone() == []
    assert await database.rows("SELECT sha256, claim FROM to_submit") == [(B, None)]
    assert await claim(ours, B) is Claim.CUT_OFF


async def test_waiving_leaves_the_claim_of_another_process_alone(ours, theirs):
    await ours.owe(intent())
    assert await claim(theirs) is Claim.OURS
    await ours.waive(A)
    assert await ours.left_undone() == []
    assert await claim(ours) is Claim.THEIRS
    await theirs.unclaim(A)
    assert await claim(ours) is Claim.OURS


async def test_one_that_is_owed_by_the_daemon_outlives_a_check_that_sends_it_in_vain(ours, theirs):
    assert await claim(theirs) is Claim.OURS
    await ours.owe(intent())
    await theirs.unclaim(A)
    assert await ours.left_undone() == [intent()]
