"""A person's deeds over a real journal and vault: beside others, and given up midway."""

import asyncio
import hashlib
import itertools
import os
import shutil
import threading
from collections.abc import Callable
from contextlib import contextmanager, suppress

import pytest

from checkfirst.errors import StoreError
from checkfirst.model import Arrival, State
from checkfirst.service.assemble_deeds import open_deeds
from checkfirst.service.deeds import Hand
from checkfirst.service.passage import PATIENCE_SECONDS
from checkfirst.settings.schema import Settings
from checkfirst.store.database import Database
from checkfirst.store.journal import Journal
from checkfirst.store.lists import Lists
from checkfirst.store.step import Facts, NewArrival, Step
from checkfirst.vault import restore
from checkfirst.vault.grip import grasp_blocking, ignore_lease_breaks, stamp_of
from checkfirst.vault.places import Places
from checkfirst.vault.quarantine import quarantine_blocking
from checkfirst.vault.recover import Recovery
from checkfirst.vault.report import Report
from tests.crash.small_disks import disks
from tests.fakes.clock import FakeClock

HELD = frozenset({State.HOLDING, State.HELD})


@pytest.fixture(scope="module", autouse=True)
def _lease_breaks_are_ignored():
    ignore_lease_breaks()


class Desk:
    """One held file, and what a person needs to deal with it."""

    def __init__(self, top: bytes, database: Database, clock: FakeClock) -> None:
        self.top, self.clock = top, clock
        self.downloads, self.released = top + b"/Downloads", top + b"/Released"
        self.quarantine, self.slot = top + b"/Quarantine", top + b"/held/slot"
        self.origin, self.held = self.downloads + b"/a.bin", self.slot + b"/a.bin"
        self.database = database
        self.journal, self.daemon = Journal(database, "2:2"), Journal(database, "1:1")

    async def hand(self, *, link_back: bool = False, **more: object) -> Hand:
        text = {key: os.fsdecode(getattr(self, key)) for key in ("released", "quarantine")}
        given = {"watch": [os.fsdecode(self.downloads)], "link_back": link_back, **text}
        settings = await asyncio.to_thread(Settings.model_validate, given)
        deeds = await open_deeds(self.database, self.clock)
        self.journal = deeds.journal
        return Hand(settings, deeds, self.clock, **more)

    def recovery(self, told) -> Recovery:
        async def allow(row) -> None:
            del row

        places = Places((self.slot,), self.released, self.quarantine, lambda row: row.name)
        return Recovery(self.journal, places, self.clock, told=told, allow=allow)

    async def arrive(self, content: bytes) -> int:
        await asyncio.to_thread(self._write, content)
        stamp = stamp_of(await asyncio.to_thread(os.stat, self.held))
        (number,) = await self.daemon.begin(
            [NewArrival(self.downloads, self.origin, self.held, stamp, 1.0)]
        )
        await self.daemon.advance([Step(number, HELD, State.HELD, Facts(sha256=sha(content)))])
        return number

    async def stop(self, content: bytes) -> int:
        """The file arrives and is quarantined."""
        number = await self.arrive(content)
        facts = Facts(size=len(content), mtime_ns=0, mode=0o644, decided_at=2.0, reason="bad")
        await self.daemon.advance([Step(number, HELD, State.QUARANTINING, facts)])
        row = await self.journal.get(number)
        place = await asyncio.to_thread(self._quarantine_blocking, row)
        done = Facts(destination=place)
        before = frozenset({State.QUARANTINING})
        await self.daemon.advance([Step(number, before, State.QUARANTINED, done)])
        return number

    def _write(self, content: bytes) -> None:
        for folder in (self.downloads, self.slot):
            os.makedirs(folder, exist_ok=True)
        with open(self.held, "wb") as file:
            file.write(content)

    def _quarantine_blocking(self, row) -> bytes:
        with grasp_blocking(self.held, lease=True) as grip:
            return quarantine_blocking(grip, self.held, self.quarantine, Report.of(row)).path

    async def row(self, number: int):
        return await self.journal.get(number)


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def read(path: bytes) -> bytes:
    with open(path, "rb") as file:
        return file.read()


async def come_true(look: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        for _ in itertools.repeat(None):
            if look():
                return
            await asyncio.sleep(0)


@pytest.fixture
async def desk(tmp_path):
    clock = FakeClock()
    database = await Database.open(tmp_path / "checkfirst.sqlite", clock)
    yield Desk(os.fsencode(tmp_path), database, clock)
    await database.close()


async def test_a_release_by_hand_leaves_the_link_that_the_settings_ask_for(desk):
    number = await desk.arrive(b"mine")
    (deed,) = await (await desk.hand(link_back=True)).release([await desk.row(number)])
    assert deed.problem is None
    assert await asyncio.to_thread(os.readlink, desk.origin) == deed.where
    assert await asyncio.to_thread(read, desk.origin) == b"mine"
    assert not await asyncio.to_thread(os.path.lexists, desk.slot)


async def test_a_row_that_the_daemon_has_in_hand_is_waited_for(desk):
    number = await desk.arrive(b"mine")
    assert await desk.daemon.claim([number])
    row = await desk.row(number)
    async with asyncio.TaskGroup() as group:
        hand = await desk.hand()
        releasing = group.create_task(hand.release([row]))
        await come_true(lambda: desk.clock.next_due is not None)
        await desk.daemon.unclaim([number])
        await desk.clock.advance(1)
    assert releasing.result()[0].problem is None
    assert (await desk.row(number)).state is State.RELEASED


async def test_a_row_that_the_daemon_keeps_is_given_up_in_words(desk):
    number = await desk.arrive(b"mine")
    assert await desk.daemon.claim([number])
    row = await desk.row(number)
    async with asyncio.TaskGroup() as group:
        hand = await desk.hand()
        releasing = group.create_task(hand.release([row]))
        while not releasing.done():
            await desk.clock.advance(PATIENCE_SECONDS)
            await asyncio.sleep(0)
    (deed,) = releasing.result()
    assert "being worked on" in deed.problem.title
    assert await asyncio.to_thread(read, desk.held) == b"mine"
    assert (await desk.row(number)).state is State.HELD


@pytest.mark.parametrize("given_up", [False, True])
async def test_a_restore_given_up_midway_leaves_a_row_that_is_true(desk, given_up):
    content = bytes(40 * 1024 * 1024)
    number = await desk.stop(content)
    row = await desk.row(number)
    reached, go_on = threading.Event(), threading.Event()

    def asked() -> bool:
        reached.set()
        go_on.wait()
        return False

    @contextmanager
    def watched(_):
        yield asked

    hand = await desk.hand()
    async with asyncio.TaskGroup() as group:
        restoring = group.create_task(hand.restore([row], desk.released, watched))
        await asyncio.to_thread(reached.wait)
        if given_up:
            restoring.cancel()
            await asyncio.sleep(0)
        go_on.set()
        with suppress(asyncio.CancelledError):
            await restoring
    now = await desk.row(number)
    payload = row.destination + b"/payload.quarantined"
    is_there = await asyncio.to_thread(os.path.lexists, payload)
    assert (now.state, is_there) == (
        (State.QUARANTINED, True) if given_up else (State.RESTORED, False)
    )
    assert now.reason == "bad"
    # Nobody's claim: the next who comes may have it.
    listed = await Lists(desk.database, desk.clock).look_up([sha(content)])
    assert bool(listed) is not given_up
    if given_up:
        (deed,) = await (await desk.hand()).delete([now])
        assert deed.problem is None


async def test_a_folder_that_cannot_be_made_is_a_problem_and_the_file_stays(desk):
    number = await desk.stop(b"mine")
    row = await desk.row(number)
    await asyncio.to_thread(desk._write, b"")
    in_the_way = desk.held + b"/below"
    (deed,) = await (await desk.hand()).restore([row], in_the_way)
    assert "Could not" in deed.problem.title
    assert (await desk.row(number)).state is State.QUARANTINED
    assert await Lists(desk.database, desk.clock).look_up([sha(b"mine")]) == {}


@pytest.fixture
def small(tmp_path):
    """A state folder on a small disk of its own."""
    with disks([tmp_path / "state"], 4):
        yield tmp_path / "state"


@pytest.mark.parametrize("deed", ["restore", "delete"])
async def test_what_could_not_be_written_down_is_looked_at_again_when_it_can(small, deed):
    """The disk under the journal is full between the deed and its result."""
    clock = FakeClock()
    database = await Database.open(small / "checkfirst.sqlite", clock)
    try:
        desk = Desk(os.fsencode(small.parent), database, clock)
        await carried_out_on_a_full_disk(desk, deed)
    finally:
        await database.close()


async def carried_out_on_a_full_disk(desk: Desk, deed: str) -> None:
    number = await desk.stop(b"mine")
    row = await desk.row(number)
    unwritten: list[int] = []
    hand = await desk.hand(unwritten=unwritten.append)
    ballast = desk.top + b"/state/ballast"

    def fill(*_: object) -> None:
        with suppress(OSError), open(ballast, "wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(restore, "failpoint", fill)  # between two steps, as another program may
        with pytest.raises(StoreError):
            await (hand.restore([row], desk.released) if deed == "restore" else hand.delete([row]))
    assert unwritten == [number]
    middle, end = (
        (State.RESTORING, State.RESTORED) if deed == "restore" else (State.DELETING, State.DELETED)
    )
    assert (await desk.row(number)).state is middle
    await asyncio.to_thread(os.unlink, ballast)
    told: list[Arrival] = []
    recovery = desk.recovery(told.extend)
    assert await recovery.take_over(unwritten) == []
    assert (await desk.row(number)).state is middle, "as it is our own"
    assert await recovery.look_again(unwritten) == []
    assert (await desk.row(number)).state is end
    assert [(each.id, each.state) for each in told] == [(number, end)]
    assert await asyncio.to_thread(os.listdir, desk.quarantine) == []


async def test_nothing_is_deleted_while_an_empty_mount_point_is_all_there_is(desk):
    number = await desk.stop(b"mine")
    row = await desk.row(number)

    def unmount() -> None:
        os.rename(desk.quarantine, desk.top + b"/disk")
        os.mkdir(desk.quarantine)

    def mount() -> None:
        os.rmdir(desk.quarantine)
        os.rename(desk.top + b"/disk", desk.quarantine)

    await asyncio.to_thread(unmount)
    (deed,) = await (await desk.hand()).delete([row])
    assert "not in the quarantine" in deed.problem.title
    assert await desk.row(number) == row
    await asyncio.to_thread(mount)
    (deed,) = await (await desk.hand()).delete([row])
    assert deed.problem is None
    assert (await desk.row(number)).state is State.DELETED
    assert await asyncio.to_thread(os.listdir, desk.quarantine) == []


async def test_a_file_is_deleted_even_where_its_report_cannot_be_and_that_is_told(desk):
    number = await desk.stop(b"mine")
    row = await desk.row(number)

    def put_in_the_way() -> None:
        os.unlink(row.destination + b"/report.txt")
        os.mkdir(row.destination + b"/report.txt")

    await asyncio.to_thread(put_in_the_way)
    (deed,) = await (await desk.hand()).delete([row])
    assert deed.problem is None
    assert "report could not be removed" in deed.remains.title
    assert (await desk.row(number)).state is State.DELETED


async def test_a_payload_that_cannot_be_deleted_leaves_the_row_as_it_was(desk):
    number = await desk.stop(b"mine")
    row = await desk.row(number)

    def put_in_the_way() -> None:
        os.unlink(row.destination + b"/payload.quarantined")
        os.mkdir(row.destination + b"/payload.quarantined")

    await asyncio.to_thread(put_in_the_way)
    (deed,) = await (await desk.hand()).delete([row])
    assert "Could not delete" in deed.problem.title
    assert await desk.row(number) == row


async def test_a_folder_that_the_person_has_removed_is_done_with(desk):
    number = await desk.stop(b"mine")
    await desk.stop(b"another")
    row = await desk.row(number)
    await asyncio.to_thread(shutil.rmtree, row.destination)
    (deed,) = await (await desk.hand()).delete([row])
    assert (deed.problem, deed.remains) == (None, None)
    assert (await desk.row(number)).state is State.DELETED
