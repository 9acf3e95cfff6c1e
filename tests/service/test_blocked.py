"""What is blocked after it was let go: real files, a real journal; a test plays the line."""

import asyncio
import hashlib
import os

import pytest

from checkfirst.model import Arrival, State, Verdict, VerdictKind
from checkfirst.service.blocked import AT_ONCE, SECONDS, Blocked, OtherHashes
from checkfirst.service.work import Turn
from checkfirst.sources.list_files import FromSettings, Hashes
from checkfirst.sources.lists import Lists
from checkfirst.store.database import Database
from checkfirst.store.listed import Listed, ListedBy, ListName
from checkfirst.store.lists import Lists as KeptLists
from checkfirst.vault.grip import ignore_lease_breaks
from checkfirst.vault.still import others_blocking
from tests.fakes.clock import FakeClock
from tests.service.let_go import CONTENT, SHA, WEEK, LetGo, write

MD5, SHA1 = hashlib.md5(CONTENT).hexdigest(), hashlib.sha1(CONTENT).hexdigest()


@pytest.fixture(scope="module", autouse=True)
def _lease_breaks_are_ignored():
    ignore_lease_breaks()


class Scene(LetGo):
    def __init__(self, top, database) -> None:
        super().__init__(top, database)
        self.kept = KeptLists(database, self.clock)
        self.lists = Lists(FromSettings(), self.kept.look_up)
        self.read: list[bytes] = []
        self.edition = 0
        self.blocked = self.anew()

    def anew(self) -> Blocked:
        """As after a restart."""

        async def read(file):
            self.read.append(file.destination)
            return await asyncio.to_thread(
                others_blocking, file.destination, file.sha256, ("sha1", "md5"), lease=True
            )

        self.blocked = Blocked(
            self.lists.said,
            lambda: self.edition,
            OtherHashes(lambda: bool(self.lists.kinds()), read),
            self.looks,
            self.journal,
            self.taking(30.0),
            self.clock,
            span=WEEK,
        )
        return self.blocked

    async def ended(self, name=b"a", state="released", **more) -> Arrival:
        facts = {"verdict": "clean", "decided_at": self.clock.now(), "reason": "0 of 60", **more}
        return await super().ended(name, state, **facts)

    async def block(self, hash_: str = SHA) -> None:
        await self.kept.add(Listed(hash_, ListName.BLOCK, ListedBy.USER, self.clock.now()))
        self.lists.reload_weak(await self.kept.weak())


@pytest.fixture
async def scene(tmp_path):
    database = await Database.open(tmp_path / "state" / "checkfirst.sqlite", FakeClock())
    yield Scene(tmp_path, database)
    await database.close()


@pytest.mark.parametrize("hash_", [SHA, SHA1, MD5])
@pytest.mark.parametrize("state", ["released", "restored"])
async def test_what_was_let_go_and_is_blocked_since_is_taken_back(scene, hash_, state):
    file = await scene.ended(state=state)
    assert await scene.blocked.once()
    assert scene.taken == []
    await scene.block(hash_)
    assert not await scene.blocked.once()
    assert scene.taken == [file.destination]
    assert scene.told.turns == [Turn.TAKEN_BACK]
    await scene.journal.adopt(
        [Arrival(0, State.QUARANTINED, scene.top, file.destination, sha256=SHA)]
    )
    for _ in range(2):
        assert await scene.blocked.once()
    assert (await scene.reason(file)).count("taken back, see number 2") == 1
    assert len(scene.taken) == 1


async def test_what_was_taken_back_and_deleted_since_is_over(scene):
    file = await scene.ended()
    await scene.block()
    row = Arrival(0, State.DELETED, scene.top, file.destination, sha256=SHA)
    await scene.journal.adopt([row])
    assert await scene.blocked.once()
    assert scene.taken == []


async def test_a_file_of_hashes_blocks_as_well(scene):
    file = await scene.ended(source="known-good")
    scene.lists.reload(FromSettings(block=(Hashes.of("bad.txt", [SHA]),)))
    await scene.blocked.once()
    assert scene.taken == [file.destination]


@pytest.mark.parametrize("by", [ListedBy.RESTORE, ListedBy.RELEASE])
async def test_what_a_person_let_go_by_hand_beats_the_lists_of_the_settings(scene, by):
    await scene.ended(state="restored")
    await scene.kept.add(Listed(SHA, ListName.ALLOW, by, scene.clock.now()))
    scene.lists.reload(FromSettings(block=(Hashes.of("bad.txt", [SHA, MD5]),)))
    assert await scene.blocked.once()
    assert scene.taken == []


@pytest.mark.parametrize("state", ["quarantined", "deleted", "gone", "waiting"])
async def test_what_is_not_at_large_is_left_alone(scene, state):
    await scene.ended(state=state)
    await scene.block()
    assert await scene.blocked.once()
    assert scene.taken == []


async def test_what_ended_long_ago_is_left_alone(scene):
    await scene.ended()
    await scene.clock.advance(WEEK + 1)
    await scene.block()
    assert await scene.blocked.once()
    assert scene.taken == []


async def test_what_was_stopped_long_ago_and_given_back_of_late_counts(scene):
    before = scene.clock.now() - 2 * WEEK
    file = await scene.ended(state="restored", decided_at=before, verdict=VerdictKind.UNKNOWN)
    await scene.block()
    await scene.blocked.once()
    assert scene.taken == [file.destination]


async def test_what_has_left_is_told_once_however_often_the_lists_change(scene):
    file = await scene.ended()
    await asyncio.to_thread(os.unlink, file.destination)
    await scene.block()
    for _ in range(2):
        assert await scene.anew().once()
        await scene.clock.advance(60)
    assert scene.told.turns == [Turn.MISSING]
    assert (await scene.reason(file)).count("has left") == 1


async def test_files_are_read_for_other_hashes_only_while_such_are_blocked_and_once(scene):
    file = await scene.ended()
    await scene.block("b" * 64)
    await scene.blocked.once()
    assert scene.read == []
    await scene.block("b" * 32)
    for _ in range(3):
        await scene.blocked.once()
    assert scene.read == [file.destination]
    await scene.block(SHA1)
    await scene.blocked.once()
    assert scene.taken == scene.read == [file.destination]


async def test_what_cannot_be_read_is_read_at_the_next_look(scene):
    file = await scene.ended()
    await scene.block(MD5)
    writer = await asyncio.to_thread(os.open, file.destination, os.O_WRONLY)
    assert not await scene.blocked.once()
    assert scene.taken == []
    os.close(writer)
    await scene.blocked.once()
    assert scene.taken == [file.destination]


async def test_what_is_not_there_any_more_or_was_changed_is_not_read_again_and_again(scene):
    gone, changed = await scene.ended(), await scene.ended(b"changed")
    await asyncio.to_thread(os.unlink, gone.destination)
    await asyncio.to_thread(write, changed.destination, CONTENT + b"!")
    await scene.block(MD5)
    for _ in range(2):
        assert await scene.blocked.once()
    assert scene.read == [gone.destination, changed.destination]
    assert scene.told.turns == []


async def test_it_looks_at_the_start_and_after_each_change(scene):
    await scene.ended()
    looks = 0
    said = scene.lists.said

    async def counted(prints) -> dict[str, Verdict]:
        nonlocal looks
        looks += 1
        return await said(prints)

    scene.lists.said = counted

    async def until(number: int) -> None:
        async with asyncio.timeout(10):
            while looks < number or scene.clock.next_due is None:  # noqa: ASYNC110  (a thread's work)
                await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        running = group.create_task(scene.anew().run())
        await until(1)
        for _ in range(3):
            await scene.clock.advance(SECONDS)
            await until(1)
        assert looks == 1
        scene.edition += 1
        await scene.clock.advance(SECONDS)
        await until(2)
        assert looks == 2
        running.cancel()


async def test_the_lists_count_only_what_new_files_ask_of_them(scene):
    await scene.ended()
    assert await scene.blocked.once()
    assert scene.lists.health().asked == 0


async def test_very_many_files_are_held_against_the_lists_in_turns(scene):
    first = await scene.ended(b"first")
    others = [first._replace(id=0, sha256=f"{number:064x}") for number in range(2 * AT_ONCE)]
    await scene.journal.adopt(others)
    last = await scene.ended(b"last")
    await scene.block()
    assert not await scene.blocked.once()
    assert scene.taken == [first.destination, last.destination]
