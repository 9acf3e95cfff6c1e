import pytest

from checkfirst.model import Arrival, State
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
    await submissions.answered(A, 6.0)
    await submissions.answered(A, 7.0)
    assert await submissions.get(A) == Submission(A, "id-1", 5.0, 2, 6.0)
    assert await submissions.get(B) is None


async def test_an_ended_one_is_awaited_no_more_but_known(submissions):
    await submissions.begin(sent(A, 5.0), "id-1")
    await submissions.begin(sent(B, 4.0), "id-2")
    await submissions.end(A)
    assert await submissions.awaited() == [Submission(B, "id-2", 4.0)]
    assert (await submissions.get(A)).ended


async def test_a_second_upload_starts_afresh(submissions):
    await submissions.begin(sent(A, 5.0), "id-1")
    await submissions.answered(A, 6.0)
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
