import pytest

from checkfirst.store.submissions import Submission, Submissions

A, B = "aa" * 32, "bb" * 32


@pytest.fixture
def submissions(database):
    return Submissions(database)


async def test_the_waiting_time_counts_from_the_first_answered_poll(submissions):
    await submissions.begin(A, "id-1", 5.0)
    assert await submissions.get(A) == Submission(A, "id-1", 5.0)
    await submissions.answered(A, 6.0)
    await submissions.answered(A, 7.0)
    assert await submissions.get(A) == Submission(A, "id-1", 5.0, 2, 6.0)
    assert await submissions.get(B) is None


async def test_an_ended_one_is_awaited_no_more_but_known(submissions):
    await submissions.begin(A, "id-1", 5.0)
    await submissions.begin(B, "id-2", 4.0)
    await submissions.end(A)
    assert await submissions.awaited() == [Submission(B, "id-2", 4.0)]
    assert (await submissions.get(A)).ended


async def test_a_second_upload_starts_afresh(submissions):
    await submissions.begin(A, "id-1", 5.0)
    await submissions.answered(A, 6.0)
    await submissions.end(A)
    await submissions.begin(A, "id-2", 9.0)
    assert await submissions.awaited() == [Submission(A, "id-2", 9.0)]


async def test_pruning_spares_what_is_awaited(submissions):
    await submissions.begin(A, "id-1", 5.0)
    await submissions.begin(B, "id-2", 5.0)
    await submissions.end(A)
    await submissions.prune(6.0)
    assert await submissions.get(A) is None
    assert await submissions.get(B) is not None
