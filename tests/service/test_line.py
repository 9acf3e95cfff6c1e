"""The line over real folders and a real journal; only the far end of the network is pretended."""

import asyncio
import hashlib
import itertools
import os
from collections.abc import Callable, Sequence
from contextlib import suppress

import pytest

from checkfirst.errors import CheckfirstError, StoreError
from checkfirst.intake.look import Settled
from checkfirst.model import (
    Answer,
    Arrival,
    Fingerprint,
    Mode,
    Question,
    Sighting,
    SourceHealth,
    State,
    Verdict,
    VerdictKind,
)
from checkfirst.service.asking import Asking
from checkfirst.service.hands import Ends, Hands
from checkfirst.service.line import Line
from checkfirst.service.listener import Listener, Listeners
from checkfirst.service.tell import Teller
from checkfirst.service.work import Below, Done
from checkfirst.sources.chain import Chain
from checkfirst.store.database import Database
from checkfirst.store.journal import Journal
from checkfirst.store.step import Step
from checkfirst.vault.grip import ignore_lease_breaks, stamp_of
from checkfirst.vault.places import Places
from checkfirst.vault.recover import Recovery
from tests.fakes.clock import FakeClock

HELD = frozenset({State.HELD, State.WAITING})
CLEAN = Verdict(VerdictKind.CLEAN, "virustotal", "60 engines find nothing", 0, 60)
MALICIOUS = Verdict(VerdictKind.MALICIOUS, "virustotal", "9 of 60 engines", 9, 60)


@pytest.fixture(scope="module", autouse=True)
def _lease_breaks_are_ignored():
    ignore_lease_breaks()


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class Known:
    """A local source that knows what a test has told it."""

    name = "known"

    def __init__(self) -> None:
        self.verdicts: dict[str, Verdict] = {}
        self.answers = asyncio.Event()
        self.answers.set()
        self.error: StoreError | None = None

    async def answer(self, prints: Sequence[Fingerprint]) -> dict[str, Verdict]:
        await self.answers.wait()
        if self.error is not None:
            raise self.error
        return {p.sha256: self.verdicts[p.sha256] for p in prints if p.sha256 in self.verdicts}

    def health(self) -> SourceHealth:
        return SourceHealth(self.name, 0, 0, healthy=True)


class Remote:
    """A remote source that only notes what it is asked."""

    name = "virustotal"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def ask(self, questions: Sequence[Question]) -> None:
        self.asked += [question.sha256 for question in questions]

    def forget(self, sha256: str) -> None:
        self.asked = [each for each in self.asked if each != sha256]


class Flaky(Journal):
    """A journal whose disk fails once, at the n-th step from now."""

    fails_in = 0

    async def advance(self, steps: Sequence[Step]) -> set[int]:
        if steps and self.fails_in:
            self.fails_in -= 1
            if not self.fails_in:
                raise StoreError("The disk is full", "Make room.")
        return await super().advance(steps)


async def not_restored(row: Arrival) -> None:
    pytest.fail(f"nobody has had {row.name!r} back")


class Heard(Listener):
    """What is told of ends, as it is told."""

    def __init__(self) -> None:
        self.ends: list[tuple[State, bytes]] = []

    def ended(self, done: Sequence[Done]) -> None:
        self.ends += [(each.end.state, each.end.name) for each in done]

    def found(self, rows: Sequence[Arrival]) -> None:
        self.ends += [(row.state, row.name) for row in rows]


class Scene:
    """One line with its lanes running, and what it stands between."""

    def __init__(self, top: bytes, database: Database, clock: FakeClock) -> None:
        self.top = top
        self.clock = clock
        self.database = database
        self.downloads, self.held = top + b"/Downloads", top + b"/held"
        self.released, self.quarantine = top + b"/Released", top + b"/Quarantine"
        self.known, self.remote = Known(), Remote()
        self.journal = Flaky(database, "1:1")
        self.command = Journal(database, "2:2")
        self.again: list[Sighting] = []
        self.failures = 0
        self.wanted: list[str] = []
        tokens = itertools.count()
        hands = Hands(
            Ends(self.released, self.quarantine, keep_parents=False, link_back=True),
            top,
            below=lambda _: Below(leases=True, marks=True),
            token=lambda: f"{next(tokens)}",
            stopped=lambda: False,
            kinds=lambda: self.wanted,
        )
        places = Places((self.held,), self.released, self.quarantine, hands.relative)
        teller = Teller(lambda _: pytest.fail("no time is told"))
        self.heard = Heard()
        listeners = Listeners(teller, self.heard)
        recovery = Recovery(self.journal, places, clock, told=listeners.found, allow=not_restored)
        self.line = Line(
            mode=Mode.NORMAL,
            journal=self.journal,
            chain=Chain([self.known], clock, needed=self.known.name),
            asking=Asking(self.remote, clock, teller.names),
            hands=hands,
            choose=lambda _: hands,
            teller=listeners,
            clock=clock,
            token=lambda: f"slot{next(tokens)}",
            mend=recovery.look_again,
            done=lambda _: None,
            again=lambda sighting, _: self.again.append(sighting),
        )

    async def run(self) -> None:
        async def lane() -> None:
            while True:
                try:
                    await self.line.run_small()
                except CheckfirstError:
                    self.failures += 1

        async with asyncio.TaskGroup() as group:
            group.create_task(lane())
            group.create_task(self.line.retries.run())

    async def drop(self, name: bytes, content: bytes) -> None:
        """A file settles."""
        await asyncio.to_thread(write, os.path.join(self.downloads, name), content)
        await self.settle(name)

    async def settle(self, *names: bytes, folder: bytes | None = None) -> None:
        root = folder or self.downloads
        paths = [os.path.join(root, name) for name in names]
        seen = [await asyncio.to_thread(os.lstat, path) for path in paths]
        await self.line.settled(
            [
                Settled(Sighting(root, path), stamp_of(each), leased=True)
                for path, each in zip(paths, seen, strict=True)
            ]
        )

    async def until(self, *states: State) -> None:
        """Until the rows, oldest first, are in these states."""
        async with asyncio.timeout(10):
            for _ in itertools.repeat(None):
                if await self.states() == list(states):
                    return

    async def states(self) -> list[State]:
        found = [await self.journal.get(number) for number in range(1, 9)]
        return [row.state for row in found if row]

    async def answer(self, content: bytes, verdict: Verdict = CLEAN) -> None:
        await self.line.answered(Answer(sha(content), verdict))

    async def content(self, path: bytes) -> bytes:
        return await asyncio.to_thread(read, path)

    async def listed(self, folder: bytes) -> list[bytes]:
        found = await asyncio.to_thread(
            lambda: [n for _, _, names in os.walk(folder) for n in names]
        )
        return sorted(found)


async def come_true(look: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        for _ in itertools.repeat(None):
            if look():
                return
            await asyncio.sleep(0)


def write(path: bytes, content: bytes) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(content)


def read(path: bytes) -> bytes:
    with open(path, "rb") as file:
        return file.read()


@pytest.fixture
async def scene(tmp_path):
    clock = FakeClock()
    database = await Database.open(tmp_path / "checkfirst.sqlite", clock)
    made = Scene(os.fsencode(tmp_path), database, clock)
    for folder in (made.downloads, made.released, made.quarantine):
        await asyncio.to_thread(os.mkdir, folder)
    running = asyncio.ensure_future(made.run())
    yield made
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    await database.close()


async def test_a_known_file_ends_at_once(scene):
    scene.known.verdicts = {sha(b"good"): CLEAN, sha(b"bad"): MALICIOUS}
    await scene.drop(b"good", b"good")
    await scene.drop(b"bad", b"bad")
    await scene.until(State.RELEASED, State.QUARANTINED)
    assert await scene.content(scene.released + b"/good") == b"good"
    assert await scene.listed(scene.quarantine) == sorted(
        [b"payload.quarantined", b"report.json", b"report.txt"]
    )
    assert await scene.listed(scene.held) == scene.remote.asked == []


async def test_a_batch_that_hangs_shows_in_the_pulse(scene):
    scene.known.verdicts = {sha(b"good"): CLEAN}
    scene.known.answers.clear()
    await scene.drop(b"good", b"good")
    await scene.until(State.HOLDING)
    await scene.clock.advance(100.0)
    assert scene.line.pulse.longest() == 100.0
    scene.known.answers.set()
    await scene.until(State.RELEASED)
    await come_true(lambda: scene.line.pulse.longest() == 0.0)


async def test_a_file_waits_for_its_answer_and_is_asked_about_once(scene):
    await scene.drop(b"new", b"new")
    await scene.until(State.WAITING)
    assert await scene.listed(scene.released) == []
    await come_true(lambda: scene.remote.asked == [sha(b"new")])
    await scene.answer(b"new")
    await scene.until(State.RELEASED)
    await come_true(lambda: scene.remote.asked == [sha(b"new")])


@pytest.mark.parametrize(
    ("source", "local", "remote", "end"),
    [
        # A person's list outranks everything.
        ("lists", VerdictKind.CLEAN, VerdictKind.MALICIOUS, State.RELEASED),
        ("lists", VerdictKind.MALICIOUS, VerdictKind.CLEAN, State.QUARANTINED),
        # What is remembered is only an older answer.
        ("remembered", VerdictKind.CLEAN, VerdictKind.MALICIOUS, State.QUARANTINED),
        ("remembered", VerdictKind.MALICIOUS, VerdictKind.CLEAN, State.RELEASED),
        # A list of published files is believed, until somebody has found harm.
        ("known-good", VerdictKind.CLEAN, VerdictKind.UNKNOWN, State.RELEASED),
        ("known-good", VerdictKind.CLEAN, VerdictKind.MALICIOUS, State.QUARANTINED),
    ],
)
async def test_whose_word_weighs_more_when_both_are_there(scene, source, local, remote, end):
    await scene.drop(b"new", b"new")
    await scene.until(State.WAITING)
    scene.known.verdicts = {sha(b"new"): Verdict(local, source, "as it says")}
    await scene.answer(b"new", Verdict(remote, "virustotal", "as it says", 0, 60))
    await scene.until(end)


async def test_an_answer_is_for_the_bytes_it_was_asked_for(scene):
    await scene.drop(b"new", b"innocent")
    await scene.until(State.WAITING)
    row = await scene.journal.get(1)
    await asyncio.to_thread(write, row.held, b"poisoned")
    await scene.answer(b"innocent")
    await come_true(lambda: sha(b"poisoned") in scene.remote.asked)
    await scene.until(State.WAITING)
    assert await scene.listed(scene.released) == []


async def test_the_next_download_to_a_place_whose_file_was_left_at_first_is_taken(scene):
    path = scene.downloads + b"/a"
    await asyncio.to_thread(write, path, b"first")
    with await asyncio.to_thread(open, path, "ab"):
        await scene.settle(b"a")
        await scene.until(State.LEFT)
    await scene.settle(b"a")
    await scene.until(State.WAITING)
    await scene.drop(b"a", b"second")
    await scene.until(State.WAITING, State.WAITING)
    await come_true(lambda: scene.remote.asked == [sha(b"first"), sha(b"second")])
    assert not scene.again[1:]


async def test_an_answer_is_not_lost_on_a_row_that_a_command_has_in_hand(scene):
    await scene.drop(b"new", b"new")
    await scene.until(State.WAITING)
    assert await scene.command.claim([1])
    scene.known.verdicts = {sha(b"new"): CLEAN}  # remembered, as the worker does
    await scene.answer(b"new")
    await come_true(lambda: scene.clock.next_due is not None)
    assert await scene.listed(scene.released) == []
    await scene.command.unclaim([1])
    await scene.clock.advance(2)
    await scene.until(State.RELEASED)


async def test_a_move_that_a_command_has_begun_and_given_up_is_made_up_for(scene):
    await scene.drop(b"new", b"new")
    await scene.until(State.WAITING)
    await scene.command.advance([Step(1, HELD, State.RELEASING, keep=True)])
    scene.known.verdicts = {sha(b"new"): CLEAN}
    await scene.line.resume(await scene.journal.open_rows())
    await scene.command.unclaim([1])
    await scene.clock.advance(2)
    await scene.until(State.RELEASED)
    assert await scene.content(scene.released + b"/new") == b"new"


@pytest.mark.parametrize("fails_in", [1, 2])
@pytest.mark.parametrize(
    ("verdict", "end"), [(CLEAN, State.RELEASED), (MALICIOUS, State.QUARANTINED)]
)
async def test_a_journal_that_fails_between_intent_and_result_costs_no_file(
    scene, fails_in, verdict, end
):
    scene.known.verdicts = {sha(b"new"): verdict}
    scene.journal.fails_in = fails_in
    await scene.drop(b"new", b"new")
    await come_true(lambda: scene.clock.next_due is not None)
    await scene.clock.advance(2)
    await scene.until(end)
    assert await scene.listed(scene.held) == []
    places = [await scene.listed(scene.released), await scene.listed(scene.quarantine)]
    assert sum(names.count(b"new") + names.count(b"payload.quarantined") for names in places) == 1
    await come_true(lambda: scene.heard.ends == [(end, b"new")])


async def test_a_left_file_that_is_removed_is_gone_however_often_it_is_looked_for(scene):
    path = scene.downloads + b"/a"
    await asyncio.to_thread(write, path, b"first")
    with await asyncio.to_thread(open, path, "ab"):
        await scene.settle(b"a")
        await scene.until(State.LEFT)
    await asyncio.to_thread(os.unlink, path)
    await asyncio.gather(scene.line.forget_the_gone(), scene.line.forget_the_gone())
    assert await scene.states() == [State.GONE]


async def test_a_file_of_which_only_the_name_is_known_gets_no_link(scene):
    name = b"checkfirst-test-%d" % os.getpid()
    await asyncio.to_thread(write, scene.held + b"/slot/" + name, b"found")
    places = Places((scene.held,), scene.released, scene.quarantine, lambda row: row.name)
    scene.known.verdicts = {sha(b"found"): CLEAN}
    recovery = Recovery(scene.journal, places, scene.clock, allow=not_restored)
    await scene.line.resume(await recovery.everything())
    await scene.until(State.RELEASED)
    assert await scene.content(scene.released + b"/" + name) == b"found"
    assert not await asyncio.to_thread(os.path.lexists, b"/" + name)


async def test_a_batch_whose_beginning_cannot_be_journalled_leaves_no_row_behind(scene):
    """A file that was left before and a new one begin together, or neither does."""
    await asyncio.to_thread(write, scene.downloads + b"/old", b"old")
    with await asyncio.to_thread(open, scene.downloads + b"/old", "ab"):
        await scene.settle(b"old")
        await scene.until(State.LEFT)
    await scene.database.execute(
        "CREATE TRIGGER full BEFORE UPDATE ON arrivals WHEN new.state = 'holding'"
        " BEGIN SELECT raise(ABORT, 'no room'); END"
    )
    await asyncio.to_thread(write, scene.downloads + b"/new", b"new")
    scene.again.clear()
    await scene.settle(b"new", b"old")
    await come_true(lambda: len(scene.again) == 2)
    assert await scene.states() == [State.LEFT]
    await scene.database.execute("DROP TRIGGER full")
    await scene.settle(b"new", b"old")
    await scene.until(State.WAITING, State.WAITING)


async def test_what_a_command_has_ended_is_forgotten_by_the_retries(scene):
    await scene.drop(b"new", b"new")
    await scene.until(State.WAITING)
    assert scene.line.retries.held(1, quiet=False)
    assert not scene.line.retries.held(1, quiet=False)
    await scene.command.advance([Step(1, HELD, State.RELEASED)])
    await scene.clock.advance(5)
    async with asyncio.timeout(10):
        while not scene.line.retries.held(1, quiet=False):
            await scene.clock.advance(5)


async def test_a_held_file_that_somebody_took_away_is_told_of(scene):
    await scene.drop(b"new", b"new")
    await scene.until(State.WAITING)
    row = await scene.journal.get(1)
    await asyncio.to_thread(os.unlink, row.held)
    await scene.answer(b"new")
    await scene.until(State.GONE)
    assert scene.heard.ends == [(State.GONE, b"new")]


async def test_a_folder_of_which_nothing_can_be_held_costs_no_lane_and_no_other_folder(scene):
    """Its files are left, each by one row, and taken once they can be."""
    other = scene.top + b"/Other"
    await asyncio.to_thread(write, other + b"/a", b"a")
    await asyncio.to_thread(os.symlink, other, scene.held)  # which is refused
    for _ in range(7):
        await scene.settle(b"a", folder=other)
    await scene.until(State.LEFT)
    await come_true(lambda: len(scene.again) == 7)
    assert scene.failures == 0
    row = await scene.journal.get(1)
    assert row.reason
    await asyncio.to_thread(os.unlink, scene.held)
    await scene.settle(b"a", folder=other)
    await scene.until(State.WAITING)


async def test_a_file_that_we_cannot_cope_with_ends_no_lane_and_stays_held(scene):
    """A mistake of ours is told as such; here it is the name of a hash that nobody knows."""
    scene.wanted = ["nonsense"]
    await scene.drop(b"new", b"new")
    await scene.until(State.HELD)
    assert "went wrong with this file (ValueError" in (await scene.journal.get(1)).reason
    for _ in range(7):
        await come_true(lambda: scene.clock.next_due is not None)
        await scene.clock.advance(60)
    assert scene.failures == 0
    assert await scene.listed(scene.held) == [b"new"]
    scene.wanted = []
    async with asyncio.timeout(10):
        while await scene.states() != [State.WAITING]:
            await scene.clock.advance(60)


async def test_a_file_that_a_command_is_moving_just_now_is_not_told_as_gone(scene):
    await scene.drop(b"new", b"new")
    await scene.until(State.WAITING)
    row = await scene.journal.get(1)
    await scene.command.advance([Step(1, HELD, State.RELEASING, keep=True)])
    await asyncio.to_thread(os.unlink, row.held)
    scene.known.verdicts = {sha(b"new"): CLEAN, sha(b"other"): CLEAN}
    await scene.line.resume([row])  # as it was when the answer came
    await scene.drop(b"other", b"other")
    await scene.until(State.RELEASING, State.RELEASED)
    await come_true(lambda: bool(scene.heard.ends))
    assert scene.heard.ends == [(State.RELEASED, b"other")]


async def test_while_the_lists_cannot_be_read_nothing_is_judged_and_all_is_tried_again(scene):
    await scene.drop(b"new", b"new")
    await scene.until(State.WAITING)
    scene.known.error = StoreError("The database cannot be read")
    await scene.line.resume(await scene.journal.open_rows())
    await scene.answer(b"new", CLEAN)
    await come_true(lambda: scene.failures > 0)
    assert await scene.listed(scene.released) == []
    scene.known.error = None
    scene.known.verdicts = {sha(b"new"): MALICIOUS}  # it was blocked all the time
    async with asyncio.timeout(10):
        while await scene.states() != [State.QUARANTINED]:
            await scene.clock.advance(60)
