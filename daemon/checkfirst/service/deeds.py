"""What a person does with a held or quarantined file: restore, delete, release.

The same vault and journal as the daemon's, beside a running daemon or without one: the row is
claimed by compare-and-set, the intent is committed before anything moves, the result after, also
when the person gives up meanwhile.
"""

import asyncio
import contextlib
import os
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Self

from checkfirst.clock import Clock, SystemClock
from checkfirst.errors import FileProblem
from checkfirst.intake.fingerprint import fingerprint_blocking
from checkfirst.model import Arrival, Fingerprint, State, VerdictKind
from checkfirst.policy.names import show
from checkfirst.service import deed_log
from checkfirst.service.assemble_deeds import Deeds, open_database, open_deeds
from checkfirst.service.hands import relative_path
from checkfirst.service.steps import WAITING, identity
from checkfirst.service.supervise import finish
from checkfirst.settings.schema import Settings
from checkfirst.store.listed import ListedBy
from checkfirst.store.step import Facts, Step
from checkfirst.vault.grip import Grip, ignore_lease_breaks
from checkfirst.vault.hold import open_held_blocking, remove_slot_blocking
from checkfirst.vault.problems import translate
from checkfirst.vault.release import release_blocking
from checkfirst.vault.restore import delete_blocking, remove_reports_blocking, restore_blocking
from checkfirst.watch.mounts import filesystem_blocking, is_remote

Stopped = Callable[[], bool]
Watched = Callable[[Arrival], AbstractContextManager[Stopped]]
"""Shows how far the work on a file is; gives what long reads ask, and once left says stop."""

BY_HAND = "released by hand, on your own responsibility"

PATIENCE_SECONDS = 5.0
"""So long a row is waited for that the daemon has in hand; it has most for milliseconds."""
_AGAIN_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Deed:
    """What became of one file; `where` is None when it could not be done."""

    arrival: Arrival
    where: bytes | None
    problem: FileProblem | None = None
    strangers: tuple[bytes, ...] = ()
    """Files that are not ours and stay in a deleted folder."""


@dataclass(frozen=True, slots=True)
class _Course:
    """The states of a row that a deed leads through."""

    before: frozenset[State]
    during: State
    after: State
    failed: State


_STOPPED = frozenset({State.QUARANTINED})
_RESTORE = _Course(_STOPPED, State.RESTORING, State.RESTORED, State.QUARANTINED)
_DELETE = _Course(_STOPPED, State.DELETING, State.DELETED, State.QUARANTINED)
_RELEASE = _Course(WAITING, State.RELEASING, State.RELEASED, State.HELD)


async def _nothing() -> None:
    """Nothing follows."""


Ended = Callable[[Arrival, State, bytes | None], None]
"""Hears, in a thread, that a file has come to this end, there."""


def _nobody_hears(row: Arrival, state: State, place: bytes | None) -> None:
    del row, state, place


@contextmanager
def unwatched(row: Arrival) -> Iterator[Stopped]:
    """Nobody looks on."""
    del row
    yield lambda: False


class Hand:
    """The person's hand in journal and vault."""

    def __init__(
        self,
        settings: Settings,
        deeds: Deeds,
        clock: Clock,
        *,
        by_person: bool = True,
        ended: Ended = _nobody_hears,
    ) -> None:
        """Use `at_work`. Only what a person restores is allowed from then on."""
        self._by_person = by_person
        self._ended = ended
        self._settings = settings
        self._journal = deeds.journal
        self._allow = deeds.allow
        self._allow_restored = deeds.allow_restored
        self._clock = clock
        self._given_up = threading.Event()

    @classmethod
    @asynccontextmanager
    async def at_work(cls, settings: Settings) -> AsyncIterator[Self]:
        """Open journal and lists, and say in the log what is done; raises StoreError."""
        ignore_lease_breaks()
        clock = SystemClock()
        database = await open_database(settings, clock)
        try:
            ended = partial(deed_log.ended_blocking, settings)
            yield cls(settings, await open_deeds(database, clock), clock, ended=ended)
        finally:
            await database.close()

    async def restore(
        self, rows: Sequence[Arrival], to: bytes, watched: Watched = unwatched
    ) -> list[Deed]:
        """Give quarantined files back into the folder `to`; their hashes are allowed from now."""
        return [await finish(self._restore(row, to, watched), self._given_up.set) for row in rows]

    async def delete(self, rows: Sequence[Arrival]) -> list[Deed]:
        """Delete quarantined files for good."""
        return [await finish(self._delete(row), self._given_up.set) for row in rows]

    async def release(self, rows: Sequence[Arrival], watched: Watched = unwatched) -> list[Deed]:
        """Let held files go into the released folder; their hashes are allowed from now."""
        return [await finish(self._release(row, watched), self._given_up.set) for row in rows]

    async def _restore(self, row: Arrival, to: bytes, watched: Watched) -> Deed:
        folder, sha256 = row.destination, row.sha256
        if folder is None or sha256 is None or not await self._begin(row, _RESTORE, Facts()):
            return Deed(row, None, _elsewhere(row))

        def do_blocking(stopped: Stopped) -> Deed:
            mode = 0o600 if row.mode is None else row.mode
            placed = restore_blocking(
                folder,
                to,
                row.name,
                sha256,
                mode,
                row.mtime_ns,
                noted=self._by_person,
                stopped=stopped,
            )
            return Deed(row, placed.path)

        # Allowed when it is back and not before: a restore that is cut short must let nothing in.
        then = partial(self._allow_restored, row) if self._by_person else _nothing
        deed = await self._carry_out(row, _RESTORE, do_blocking, watched, then)
        if deed.problem is None:
            with contextlib.suppress(OSError):
                await asyncio.to_thread(remove_reports_blocking, folder)
        return deed

    async def _delete(self, row: Arrival) -> Deed:
        folder = row.destination
        if folder is None or not await self._begin(row, _DELETE, Facts()):
            return Deed(row, None, _elsewhere(row))

        def do_blocking(_: Stopped) -> Deed:
            return Deed(row, folder, strangers=delete_blocking(folder))

        return await self._carry_out(row, _DELETE, do_blocking, unwatched)

    async def _release(self, row: Arrival, watched: Watched) -> Deed:
        held = row.held
        if held is None or row.state not in WAITING:
            return Deed(row, None, _elsewhere(row))
        try:
            with watched(row) as stopped:
                grip, found = await asyncio.to_thread(
                    _in_hand_blocking, held, row.name, self._or_given_up(stopped)
                )
        except FileProblem as problem:
            return Deed(row, None, problem)
        with grip:
            facts = _decided(grip, found, self._clock.now())
            if not await self._begin(row, _RELEASE, facts):
                return Deed(row, None, _elsewhere(row))
            disallow = await self._allow(found.sha256, ListedBy.RELEASE, show(row.name))
            deed = await self._carry_out(
                row,
                _RELEASE,
                lambda stopped: self._released_blocking(grip, row, found, stopped),
                watched,
            )
        if deed.problem is not None:
            await disallow()
        await asyncio.to_thread(remove_slot_blocking, held)
        return deed

    def _released_blocking(
        self, grip: Grip, row: Arrival, found: Fingerprint, stopped: Stopped
    ) -> Deed:
        link_back = row.origin if self._settings.link_back and row.root else None
        placed = release_blocking(
            grip,
            grip.path,
            os.fsencode(os.path.realpath(self._settings.released)),
            relative_path(row, keep_parents=self._settings.intake.recursive),
            found.sha256,
            link_back=link_back,
            restore_mode=row.mode,
            stopped=stopped,
        )
        return Deed(row, placed.path)

    async def _begin(self, row: Arrival, course: _Course, facts: Facts) -> bool:
        """Commit the intent; False when the row is no longer so, or another process keeps it."""
        step = Step(row.id, course.before, course.during, facts, keep=True)
        patience = self._clock.monotonic() + PATIENCE_SECONDS
        while row.id not in await self._journal.advance([step]):
            now = await self._journal.get(row.id)
            if now is None or now.state not in course.before:
                return False
            if self._given_up.is_set() or self._clock.monotonic() > patience:
                return False
            await self._clock.sleep(_AGAIN_SECONDS)
        return True

    async def _carry_out(
        self,
        row: Arrival,
        course: _Course,
        do_blocking: Callable[[Stopped], Deed],
        watched: Watched,
        then: Callable[[], Awaitable[None]] = _nothing,
    ) -> Deed:
        """Do what was begun and commit the result, whichever it is; before a good one, `then`."""
        try:
            with watched(row) as stopped:
                deed = await asyncio.to_thread(do_blocking, self._or_given_up(stopped))
        except (FileProblem, OSError) as error:
            problem = error if isinstance(error, FileProblem) else _in_words(error, row)
            # The row of a quarantined file goes on saying why it was quarantined.
            is_held = course.failed is State.HELD
            facts = Facts(reason=str(problem), decided_at=None) if is_held else Facts()
            await self._end(row, course, course.failed, facts)
            return Deed(row, None, problem)
        await then()
        facts = Facts(destination=deed.where, finished_at=self._clock.now())
        await self._end(row, course, course.after, facts)
        await asyncio.to_thread(self._ended, row, course.after, deed.where)
        return deed

    async def _end(self, row: Arrival, course: _Course, state: State, facts: Facts) -> None:
        await self._journal.advance([Step(row.id, frozenset({course.during}), state, facts)])

    def _or_given_up(self, stopped: Stopped) -> Stopped:
        return lambda: self._given_up.is_set() or stopped()


def _in_hand_blocking(held: bytes, name: bytes, stopped: Stopped) -> tuple[Grip, Fingerprint]:
    lease = not is_remote(filesystem_blocking(os.path.dirname(held)))
    grip = open_held_blocking(held, lease=lease)
    try:
        return grip, fingerprint_blocking(grip, name, stopped)
    except BaseException:
        grip.close()
        raise


def _in_words(error: OSError, row: Arrival) -> FileProblem:
    return translate(error, "move the file", row.name)


def _decided(grip: Grip, found: Fingerprint, now: float) -> Facts:
    return identity(found, grip.stamp) | Facts(
        verdict=VerdictKind.UNKNOWN,  # no source has judged it, and none is awaited any more
        source="lists",
        reason=BY_HAND,
        decided_at=now,
        until=None,
    )


def _elsewhere(row: Arrival) -> FileProblem:
    return FileProblem(
        "The file is being worked on, or is no longer where it was",
        f"Look with `checkfirst why {row.id}`.",
        about=show(row.name),
    )
