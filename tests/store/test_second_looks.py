import asyncio

import pytest

from checkfirst.model import Arrival, Risk, State, Verdict, VerdictKind
from checkfirst.store import second_looks
from checkfirst.store.journal import Journal
from checkfirst.store.reading import Reading
from checkfirst.store.remembered import Remembered
from checkfirst.store.second_looks import SecondLooks

NOW = 1_764_000_000.0
DAY = 86_400.0
WEEK = 7 * DAY
A, B, C = "aa" * 32, "bb" * 32, "cc" * 32
UNKNOWN = Verdict(VerdictKind.UNKNOWN, "virustotal", "never seen")
CLEAN = Verdict(VerdictKind.CLEAN, "virustotal", "0 of 60")
BAD = Verdict(VerdictKind.MALICIOUS, "virustotal", "9 of 60")


class Scene:
    def __init__(self, database):
        self.looks = SecondLooks(database)
        self.journal = Journal(database, "1:1")
        self.remembered = Remembered(database)

    async def ended(self, sha256=A, state="released", verdict="unknown", **more) -> Arrival:
        facts = {
            "source": "virustotal",
            "finished_at": NOW,
            "size": 5,
            "destination": b"/r/a",
            "risk": Risk.PROGRAM,
        }
        arrival = Arrival(
            0,
            State(state),
            b"/w",
            b"/w/a",
            sha256=sha256,
            verdict=VerdictKind(verdict),
            **{**facts, **more},
        )
        (number,) = await self.journal.adopt([arrival])
        return arrival._replace(id=number)

    async def due(self, after=DAY, span=WEEK):
        """Enrol, then see what is due so long after NOW."""
        await self.looks.enrol(NOW, span, DAY)
        return [each.sha256 for each in await self.looks.due(NOW + after, 99)]


@pytest.fixture
def scene(database):
    return Scene(database)


@pytest.mark.parametrize(
    ("state", "verdict", "source", "promised"),
    [
        ("released", "unknown", "virustotal", True),
        ("released", "unknown", "remembered", True),
        ("restored", "unknown", "virustotal", True),
        ("quarantined", "unknown", "virustotal", True),
        ("released", "unknown", "lists", False),  # let go by hand
        ("released", "clean", "virustotal", False),  # an old report, see below
        ("quarantined", "malicious", "virustotal", False),
        ("waiting", "unknown", "virustotal", False),
        ("deleted", "unknown", "virustotal", False),
    ],
)
async def test_what_ended_on_weak_grounds_is_promised_a_look(
    scene, state, verdict, source, promised
):
    await scene.ended(state=state, verdict=verdict, source=source)
    assert await scene.due() == ([A] if promised else [])


@pytest.mark.parametrize(
    ("first_seen_at", "promised"),
    [(NOW - 3600, True), (NOW - WEEK + 1, True), (NOW - WEEK - 1, False), (None, False)],
)
async def test_a_clean_report_that_is_young_is_looked_at_again(scene, first_seen_at, promised):
    await scene.ended(verdict="clean")
    await scene.remembered.remember(A, CLEAN._replace(first_seen_at=first_seen_at), NOW)
    assert await scene.due() == ([A] if promised else [])


async def test_a_file_that_ended_long_ago_is_past(scene):
    await scene.ended(finished_at=NOW - WEEK)
    assert await scene.due(0) == []


async def test_it_is_due_after_a_while_and_not_before_the_oldest_promise_first(scene):
    await scene.ended(B, finished_at=NOW - 5)
    await scene.ended(A, finished_at=NOW - 1)
    await scene.ended(C, finished_at=NOW - 9)
    assert await scene.due(DAY - 10) == []
    assert await scene.due(DAY - 5) == [C, B]
    assert await scene.due(DAY) == [C, B, A]
    assert await scene.looks.next_due() == NOW - 9 + DAY


async def test_many_files_of_one_hash_are_one_promise(scene):
    for _ in range(3):
        await scene.ended()
    assert await scene.due() == [A]
    assert len(await scene.looks.files(A)) == 3


async def test_a_promise_that_was_closed_stays_closed_until_another_such_file_comes(scene):
    await scene.ended()
    assert await scene.due() == [A]
    await scene.looks.close(A)
    assert await scene.due() == []
    await scene.ended(finished_at=NOW + 5)
    assert await scene.due(5 + DAY) == [A]


async def test_a_copy_does_not_put_off_a_look_that_is_promised(scene):
    await scene.ended()
    await scene.due()
    await scene.ended(finished_at=NOW + 100)
    await scene.looks.enrol(NOW, WEEK, DAY)
    assert await scene.looks.next_due() == NOW + DAY


async def test_looks_that_an_earlier_setting_put_off_are_brought_forward(scene):
    await scene.ended()
    await scene.due()
    await scene.looks.no_later_than(NOW + 60)
    assert await scene.looks.next_due() == NOW + 60


async def test_an_answer_is_news_when_it_differs_from_what_was_acted_on(scene):
    await scene.ended()
    await scene.due()
    await scene.remembered.remember(A, UNKNOWN, NOW)
    assert await scene.looks.news() == []
    await scene.remembered.remember(A, BAD, NOW + 1)
    (news,) = await scene.looks.news()
    assert (news.sha256, news.said, news.verdict) == (A, VerdictKind.UNKNOWN, BAD)
    assert news.answered_at == NOW + 1
    await scene.looks.acted(news, "trouble")
    assert await scene.looks.news() == []


async def test_the_newer_row_of_a_file_that_was_taken_back_is_found(scene):
    file = await scene.ended()
    assert await scene.looks.taken_since(file) is None
    newer = Arrival(0, State.LEFT, b"/r", b"/r/a", sha256=A)
    await scene.journal.adopt([newer])
    assert await scene.looks.taken_since(file) is None
    await scene.journal.adopt([newer._replace(state=State.QUARANTINED, sha256=B)])
    assert await scene.looks.taken_since(file) is None
    await scene.journal.adopt([newer._replace(state=State.HOLDING, sha256=None)])
    await scene.journal.adopt([newer._replace(state=State.QUARANTINED)])
    found = await scene.looks.taken_since(file)
    assert found is not None
    assert (found.id, found.state) == (5, State.QUARANTINED)
    assert await scene.looks.taken_since(file._replace(id=4)) == found


async def test_a_file_that_is_just_being_taken_and_has_not_been_read_yet_is_it(scene):
    file = await scene.ended()
    await scene.journal.adopt([Arrival(0, State.HOLDING, b"/r", b"/r/a")])
    found = await scene.looks.taken_since(file)
    assert found is not None
    assert found.state is State.HOLDING


async def test_queries_that_are_asked_all_the_time_use_their_indexes(scene, database):
    async def plan(sql, args=()):
        return " / ".join(
            each[3] for each in await database.rows(f"EXPLAIN QUERY PLAN {sql}", args)
        )

    given = {"since": NOW, "span": 1.0}
    steps = await plan(second_looks._FRESH, given)
    assert "USING INDEX arrivals_unknown" in steps
    assert "INDEX verdicts_first_seen (first_seen_at>" in steps
    assert "SCAN arrivals" not in steps
    due = await plan("SELECT sha256 FROM second_looks WHERE due_at <= 1 ORDER BY due_at")
    assert "second_looks_due" in due


async def test_what_is_over_is_forgotten_with_its_files(scene, database):
    await scene.ended()
    await scene.ended(B)
    await scene.due()
    for sha256 in (A, B):
        await scene.looks.close(sha256)
    await database.execute("DELETE FROM arrivals WHERE sha256 = ?", (A,))
    await scene.looks.prune()
    assert [each[0] for each in await database.rows("SELECT sha256 FROM second_looks")] == [B]


async def test_each_look_says_when_the_next_one_is(scene):
    await scene.ended()
    await scene.due()
    await scene.looks.put_off(A, NOW + 7)
    assert await scene.looks.next_due() == NOW + 7
    await scene.looks.looked(A, NOW + 8, NOW + 9)
    assert await scene.looks.next_due() == NOW + 9
    await scene.looks.no_later_than(NOW + 10)
    assert await scene.looks.next_due() == NOW + 9


async def test_a_trouble_is_told_until_it_is_old(scene, database):
    await scene.ended()
    await scene.due()
    await scene.remembered.remember(A, BAD, NOW + 1)
    (news,) = await scene.looks.news()
    await scene.looks.acted(news, "look for it")

    async def told():
        return [each[0] for each in await database.rows("SELECT trouble FROM second_looks")]

    await scene.looks.forget_trouble(NOW + 1)
    assert await told() == ["look for it"]
    await scene.looks.forget_trouble(NOW + 2)
    assert await told() == [None]


async def test_nothing_is_forgotten_that_is_promised_or_told_of(scene, database):
    await scene.ended()
    await scene.due()
    await database.execute("DELETE FROM arrivals")
    await scene.looks.prune()
    assert len(await database.rows("SELECT 1 FROM second_looks")) == 1


async def test_what_was_let_go_since_then_is_told_and_what_was_stopped_is_not(scene):
    old = await scene.ended(decided_at=NOW - 9)
    new = await scene.ended(decided_at=NOW + 1)
    back = await scene.ended(B, state="restored", decided_at=NOW - 9, finished_at=NOW + 5)
    await scene.ended(C, state="quarantined", decided_at=NOW + 1, finished_at=NOW + 1)
    assert await scene.looks.let_go(NOW) == [(new.id, A), (back.id, B)]
    assert await scene.looks.let_go(NOW - 10) == [(old.id, A), (new.id, A), (back.id, B)]


async def test_a_promise_is_read_without_the_loop_too(scene, path):
    await scene.ended()
    await scene.due()

    def look():
        with Reading(path) as reading:
            return reading.second_look(A)

    found = await asyncio.to_thread(look)
    assert (found.next_at, found.said) == (NOW + DAY, VerdictKind.UNKNOWN)
    assert found.number == 1
