import pytest

from checkfirst.model import Verdict, VerdictKind
from checkfirst.store.remembered import Remembered

A, B = "aa" * 32, "bb" * 32
BAD = Verdict(
    VerdictKind.MALICIOUS, "virustotal", "2 of 60", 2, 60, "https://x", ("E: \udc80",), 5.0
)
CLEAN = Verdict(VerdictKind.CLEAN, "virustotal", "0 of 60")


@pytest.fixture
def remembered(database):
    return Remembered(database)


async def test_answers_come_back_whole_with_their_moment(remembered):
    await remembered.remember(A, BAD, 7.0)
    assert await remembered.recall([A, B]) == {A: (BAD, 7.0)}


async def test_the_last_answer_counts(remembered):
    await remembered.remember(A, CLEAN, 7.0)
    await remembered.remember(A, BAD, 8.0)
    assert await remembered.recall([A]) == {A: (BAD, 8.0)}


async def test_pending_is_never_remembered(remembered):
    with pytest.raises(ValueError, match="pending"):
        await remembered.remember(A, Verdict(VerdictKind.PENDING, "x", "y"), 1.0)
    assert await remembered.recall([A]) == {}


async def test_what_is_forgotten_is_asked_anew(remembered):
    await remembered.remember(A, CLEAN, 7.0)
    await remembered.remember(B, CLEAN, 7.0)
    await remembered.forget([A])
    assert await remembered.recall([A, B]) == {B: (CLEAN, 7.0)}


async def test_pruning_goes_by_kind_and_age(remembered):
    await remembered.remember(A, CLEAN, 7.0)
    await remembered.remember(B, BAD, 7.0)
    assert await remembered.prune(VerdictKind.CLEAN, 7.0) == 0
    assert await remembered.prune(VerdictKind.CLEAN, 7.5) == 1
    assert await remembered.recall([A, B]) == {B: (BAD, 7.0)}
