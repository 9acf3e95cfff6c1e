"""The second look over real files, a real journal and a line that a test plays by hand."""

import asyncio
import os

import pytest

from checkfirst.model import Arrival, State, Verdict, VerdictKind
from checkfirst.service.second_look import LOOK_SECONDS, Means, SecondLook
from checkfirst.service.work import Turn
from checkfirst.store.database import Database
from checkfirst.store.remembered import Remembered
from checkfirst.vault.grip import ignore_lease_breaks
from tests.fakes.clock import FakeClock
from tests.service.let_go import CONTENT, SHA, WEEK, LetGo, write

DAY = 86_400.0
UNKNOWN = Verdict(VerdictKind.UNKNOWN, "virustotal", "never seen")
CLEAN = Verdict(VerdictKind.CLEAN, "virustotal", "0 of 60")
BAD = Verdict(VerdictKind.MALICIOUS, "virustotal", "9 of 60 engines call it malicious")


@pytest.fixture(scope="module", autouse=True)
def _lease_breaks_are_ignored():
    ignore_lease_breaks()


class Remote:
    """A remote source whose answers a test gives by hand."""

    def __init__(self) -> None:
        self.open: list[str] = []
        self.asked: list[str] = []

    def ask_again(self, questions) -> None:
        self.open += [each.sha256 for each in questions]
        self.asked += [each.sha256 for each in questions]

    def has(self, sha256: str) -> bool:
        return sha256 in self.open


class Scene(LetGo):
    def __init__(self, top, database) -> None:
        super().__init__(top, database)
        self.remembered = Remembered(database)
        self.remote = Remote()
        self.listed: dict[str, Verdict] = {}
        self.restored: bytes | None = None
        self.second_look = self.anew()

    def anew(self, *, restores: bool = False) -> SecondLook:
        """As after a restart."""

        async def local(files):
            return self.listed.get(files[0].sha256) if files else None

        async def restore(_file):
            return self.restored

        means = Means(
            looks=self.looks,
            remembered=self.remembered,
            remote=self.remote,
            local=local,
            taking=self.taking(LOOK_SECONDS),
            restore=restore if restores else None,
        )
        self.remote.open.clear()
        self.second_look = SecondLook(means, self.told, self.clock, span=WEEK, every=DAY)
        return self.second_look

    async def after(self, seconds: float = DAY) -> None:
        await self.clock.advance(seconds)
        await self.second_look.once()

    async def answer(self, verdict: Verdict | None = None) -> None:
        """VirusTotal has answered all questions, or (None) has no result."""
        if verdict is not None:
            await self.remembered.remember(SHA, verdict, self.clock.now())
        self.remote.open.clear()
        await self.second_look.once()

    async def until(self, look) -> None:
        """Until the database's thread has done what it takes; no time passes."""
        async with asyncio.timeout(10):
            while not look() or self.clock.next_due is None:  # noqa: ASYNC110  (a thread's work)
                await asyncio.sleep(0)


@pytest.fixture
async def scene(tmp_path):
    database = await Database.open(tmp_path / "state" / "checkfirst.sqlite", FakeClock())
    yield Scene(tmp_path, database)
    await database.close()


async def test_it_asks_each_day_for_a_week_and_no_longer(scene):
    await scene.ended()
    await scene.after(0)
    assert scene.remote.asked == []
    for _ in range(10):
        await scene.after()
        await scene.answer(UNKNOWN)
    assert len(scene.remote.asked) == 6
    assert await scene.looks.next_due() is None
    assert scene.told.turns == []


async def test_many_files_of_one_hash_cost_one_question(scene):
    for name in (b"a", b"b", b"c"):
        await scene.ended(name)
    await scene.after(0)
    await scene.after()
    await scene.after(1)
    assert scene.remote.asked == [SHA]


async def test_a_question_that_the_daemon_died_over_is_asked_again(scene):
    await scene.ended()
    await scene.after(0)
    await scene.after()
    scene.anew()
    await scene.after(1)
    assert scene.remote.asked == [SHA, SHA]


async def test_no_result_yet_is_asked_again_the_next_day(scene):
    await scene.ended()
    await scene.after(0)
    await scene.after()
    await scene.answer(None)
    assert await scene.looks.next_due() == scene.clock.now() + DAY


async def test_who_has_just_been_asked_for_otherwise_is_not_asked_again(scene):
    await scene.ended()
    await scene.after(0)
    await scene.remembered.remember(SHA, UNKNOWN, scene.clock.now() + DAY - 60)
    await scene.after()
    assert scene.remote.asked == []
    assert await scene.looks.next_due() == scene.clock.now() - 60 + DAY


@pytest.mark.parametrize("source", ["lists", "known-good"])
async def test_what_this_machine_has_the_last_word_on_is_neither_asked_nor_acted_on(scene, source):
    await scene.ended()
    await scene.after(0)
    scene.listed[SHA] = Verdict(VerdictKind.CLEAN, source, "allowed")
    await scene.after()
    assert scene.remote.asked == []
    await scene.answer(BAD)
    assert scene.taken == scene.told.turns == []


async def test_an_answer_given_to_anybody_is_acted_on_without_a_question(scene):
    file = await scene.ended()
    await scene.after(0)
    await scene.answer(BAD)
    assert scene.remote.asked == []
    assert scene.taken == [file.destination]
    assert scene.told.turns == [Turn.TAKEN_BACK]


async def test_each_copy_gets_what_it_needs(scene):
    here, gone, changed = [await scene.ended(name) for name in (b"here", b"gone", b"changed")]
    stopped = await scene.ended(b"stopped", state="quarantined")
    await scene.after(0)
    await asyncio.to_thread(os.unlink, gone.destination)
    await asyncio.to_thread(write, changed.destination, CONTENT + b"!")
    await scene.answer(BAD)
    assert scene.taken == [here.destination]
    assert scene.told.turns == [
        Turn.TAKEN_BACK,
        Turn.MISSING,
        Turn.CHANGED,
        Turn.CONFIRMED,
    ]
    assert await scene.looks.news() != []  # one is still being taken back
    await scene.journal.adopt(
        [Arrival(0, State.QUARANTINED, scene.top, here.destination, sha256=SHA)]
    )
    await scene.after(LOOK_SECONDS)
    assert await scene.looks.news() == []
    assert await scene.looks.next_due() is None
    assert "taken back, see number 5" in await scene.reason(here)
    assert scene.unlinked == [(here.destination, here.origin)]
    assert "what was put there has left" in await scene.reason(gone)
    assert (await scene.reason(stopped)).count("9 of 60") == 1


async def test_a_file_that_somebody_writes_to_is_taken_back_when_that_is_over(scene):
    file = await scene.ended()
    await scene.after(0)
    writer = await asyncio.to_thread(os.open, file.destination, os.O_WRONLY)
    await scene.answer(BAD)
    await scene.after(LOOK_SECONDS)
    assert scene.taken == []
    assert scene.told.turns == [Turn.UNCLEAR]
    os.close(writer)
    await scene.after(LOOK_SECONDS)
    assert scene.taken == [file.destination]


async def test_a_folder_that_is_away_is_no_reason_to_call_its_files_gone(scene):
    file = await scene.ended(b"a")
    away = scene.top + b"/disk"
    await scene.after(0)
    await scene.database.execute("UPDATE arrivals SET destination = ?", (away + b"/a",))
    await scene.answer(BAD)
    assert scene.told.turns == [Turn.UNCLEAR]
    await asyncio.to_thread(os.mkdir, away)
    await asyncio.to_thread(os.rename, file.destination, away + b"/a")
    await scene.after(LOOK_SECONDS)
    assert scene.taken == [away + b"/a"]


async def test_a_file_that_is_being_taken_back_is_not_read_again_and_again(scene):
    await scene.ended()
    await scene.after(0)
    await scene.answer(BAD)
    for _ in range(int(LOOK_SECONDS) - 1):
        await scene.after(1)
    assert len(scene.looked_at) == len(scene.taken) == 1
    await scene.after(1)
    assert len(scene.looked_at) == len(scene.taken) == 2
    assert scene.told.turns == [Turn.TAKEN_BACK]


async def test_one_that_is_being_taken_is_not_called_missing(scene):
    file = await scene.ended()
    await scene.after(0)
    await scene.answer(BAD)
    await scene.journal.adopt([Arrival(0, State.HOLDING, scene.top, file.destination)])
    await asyncio.to_thread(os.unlink, file.destination)
    await scene.after(LOOK_SECONDS)
    assert scene.told.turns == [Turn.TAKEN_BACK]


async def test_what_was_done_before_a_crash_is_not_told_twice_in_the_row(scene):
    file = await scene.ended()
    await scene.after(0)
    await asyncio.to_thread(os.unlink, file.destination)
    await scene.remembered.remember(SHA, BAD, scene.clock.now())
    (news,) = await scene.looks.news()
    for _ in range(2):  # it dies before it has noted that it has acted
        await scene.anew()._act_on(file, news.verdict)
        found = await scene.journal.get(file.id)
        assert found is not None
        file = found
    assert (await scene.reason(file)).count("has left") == 1


async def test_a_restore_that_cannot_be_now_is_tried_again(scene):
    file = await scene.ended(state="quarantined")
    scene.anew(restores=True)
    await scene.after(0)
    await scene.answer(CLEAN)
    assert scene.told.turns == []
    assert len(await scene.looks.news()) == 1
    scene.restored = scene.top + b"/back"
    await scene.after(LOOK_SECONDS)
    assert scene.told.turns == [Turn.RESTORED]
    assert await scene.looks.news() == []
    del file


async def test_a_file_that_is_clean_by_now_is_told_once_and_looked_at_on(scene):
    file = await scene.ended()
    await scene.after(0)
    await scene.answer(CLEAN)
    await scene.after(LOOK_SECONDS)
    assert scene.told.turns == [Turn.NOTHING]
    await scene.after()
    assert scene.remote.asked == [SHA]
    await scene.answer(BAD)
    assert scene.taken == [file.destination]


async def test_what_a_person_must_see_to_is_told_for_as_long_as_files_are_looked_at(scene):
    file = await scene.ended()
    await scene.after(0)
    await asyncio.to_thread(os.unlink, file.destination)
    await scene.answer(BAD)

    async def troubles():
        return await scene.database.rows("SELECT trouble FROM second_looks WHERE trouble NOTNULL")

    assert len(await troubles()) == 1
    await scene.after(WEEK - 1)
    assert len(await troubles()) == 1
    await scene.after(2)
    assert await troubles() == []


async def test_while_a_question_waits_for_requests_to_spare_the_database_is_left_alone(scene):
    await scene.ended()
    await scene.after(0)
    rounds = 0
    news = scene.looks.news

    async def counted():
        nonlocal rounds
        rounds += 1
        return await news()

    scene.looks.news = counted
    async with asyncio.TaskGroup() as group:
        running = group.create_task(scene.second_look.run())
        await scene.until(lambda: rounds == 1)
        scene.clock.jump(DAY)
        await scene.clock.advance(LOOK_SECONDS)
        await scene.until(lambda: scene.remote.asked)
        before = rounds
        for _ in range(int(LOOK_SECONDS) - 1):
            await scene.clock.advance(1)
            await scene.until(lambda: True)
        assert rounds == before
        await scene.remembered.remember(SHA, BAD, scene.clock.now())
        scene.remote.open.clear()
        await scene.clock.advance(1)
        await scene.until(lambda: scene.taken)
        running.cancel()
