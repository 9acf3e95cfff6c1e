"""What a person does with a held or quarantined file: restore, delete, release.

The same vault and journal as the daemon's, beside a running daemon or without one: the row is
claimed by compare-and-set, the intent is committed before anything moves, the result after.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Self

from checkfirst.clock import Clock, SystemClock
from checkfirst.errors import FileProblem
from checkfirst.intake.fingerprint import fingerprint_blocking
from checkfirst.model import Arrival, Fingerprint, State, VerdictKind
from checkfirst.policy.names import show
from checkfirst.service.assemble_deeds import Deeds, open_database, open_deeds
from checkfirst.service.hands import relative_path
from checkfirst.service.steps import WAITING, identity
from checkfirst.settings.schema import Settings
from checkfirst.store.journal import Facts, Step
from checkfirst.store.listed import ListedBy
from checkfirst.vault.grip import Grip, ignore_lease_breaks
from checkfirst.vault.hold import open_held_blocking, remove_slot_blocking
from checkfirst.vault.placed import Placed
from checkfirst.vault.release import release_blocking
from checkfirst.vault.restore import delete_blocking, restore_blocking

Watched = Callable[[Arrival], AbstractContextManager[Callable[[], bool]]]
"""Shows how far the work on a file is; gives what long reads ask, and once left says stop."""

BY_HAND = "released by hand, on your own responsibility"


@dataclass(frozen=True, slots=True)
class Deed:
    """What became of one file; `where` is None when it could not be done."""

    arrival: Arrival
    where: bytes | None
    problem: FileProblem | None = None
    strangers: tuple[bytes, ...] = ()
    """Files that are not ours and stay in a deleted folder."""


@contextmanager
def unwatched(row: Arrival) -> Iterator[Callable[[], bool]]:
    """Nobody looks on."""
    del row
    yield lambda: False


class Hand:
    """The person's hand in journal and vault."""

    def __init__(self, settings: Settings, deeds: Deeds, clock: Clock) -> None:
        """Use `at_work`."""
        self._settings = settings
        self._journal = deeds.journal
        self._allow = deeds.allow
        self._clock = clock

    @classmethod
    @asynccontextmanager
    async def at_work(cls, settings: Settings) -> AsyncIterator[Self]:
        """Open journal and lists; raises StoreError."""
        ignore_lease_breaks()
        clock = SystemClock()
        database = await open_database(settings, clock)
        try:
            yield cls(settings, open_deeds(database, clock), clock)
        finally:
            await database.close()

    async def restore(
        self, rows: Sequence[Arrival], to: bytes, watched: Watched = unwatched
    ) -> list[Deed]:
        """Give quarantined files back into the folder `to`; their hashes are allowed from now."""
        return [await self._restore(row, to, watched) for row in rows]

    async def delete(self, rows: Sequence[Arrival]) -> list[Deed]:
        """Delete quarantined files for good."""
        return [await self._delete(row) for row in rows]

    async def release(self, rows: Sequence[Arrival]) -> list[Deed]:
        """Let held files go into the released folder; their hashes are allowed from now."""
        return [await self._release(row) for row in rows]

    async def _restore(self, row: Arrival, to: bytes, watched: Watched) -> Deed:
        folder, sha256 = row.destination, row.sha256
        if (
            folder is None
            or sha256 is None
            or not await self._begin(row, State.QUARANTINED, State.RESTORING)
        ):
            return Deed(row, None, _elsewhere(row))
        # Allowed before it is back, or the daemon could take it again in between.
        disallow = await self._allow(sha256, ListedBy.RESTORE, show(row.name))
        mode = 0o600 if row.mode is None else row.mode
        what = (folder, to, row.name, sha256, mode, row.mtime_ns)
        try:
            with watched(row) as stopped:
                placed = await asyncio.to_thread(restore_blocking, *what, stopped=stopped)
        except FileProblem as problem:
            await disallow()
            await self._end(row, State.RESTORING, State.QUARANTINED, Facts())
            return Deed(row, None, problem)
        await self._end(row, State.RESTORING, State.RESTORED, self._finished(placed.path))
        return Deed(row, placed.path)

    async def _delete(self, row: Arrival) -> Deed:
        folder = row.destination
        if folder is None or not await self._begin(row, State.QUARANTINED, State.DELETING):
            return Deed(row, None, _elsewhere(row))
        try:
            strangers = await asyncio.to_thread(delete_blocking, folder)
        except FileProblem as problem:
            await self._end(row, State.DELETING, State.QUARANTINED, Facts())
            return Deed(row, None, problem)
        await self._end(row, State.DELETING, State.DELETED, self._finished(folder))
        return Deed(row, folder, strangers=strangers)

    async def _release(self, row: Arrival) -> Deed:
        held = row.held
        if held is None or row.state not in WAITING:
            return Deed(row, None, _elsewhere(row))
        try:
            grip, found = await asyncio.to_thread(_in_hand_blocking, held, row.name)
        except FileProblem as problem:
            return Deed(row, None, problem)
        with grip:
            facts = _decided(grip, found, self._clock.now())
            if not await self._begin(row, row.state, State.RELEASING, facts):
                return Deed(row, None, _elsewhere(row))
            disallow = await self._allow(found.sha256, ListedBy.RELEASE, show(row.name))
            try:
                placed = await asyncio.to_thread(self._released_blocking, grip, row, found)
            except FileProblem as problem:
                await disallow()
                facts = Facts(reason=str(problem), decided_at=None)
                await self._end(row, State.RELEASING, State.HELD, facts)
                return Deed(row, None, problem)
        await self._end(row, State.RELEASING, State.RELEASED, self._finished(placed.path))
        await asyncio.to_thread(remove_slot_blocking, held)
        return Deed(row, placed.path)

    def _released_blocking(self, grip: Grip, row: Arrival, found: Fingerprint) -> Placed:
        folder = os.fsencode(os.path.realpath(self._settings.released))
        relative = relative_path(row, keep_parents=self._settings.intake.recursive)
        return release_blocking(
            grip, grip.path, folder, relative, found.sha256, restore_mode=row.mode
        )

    async def _begin(
        self, row: Arrival, before: State, after: State, facts: Facts | None = None
    ) -> bool:
        """Commit the intent; False when the row is no longer so, or another process has it."""
        step = Step(row.id, frozenset({before}), after, facts or Facts(), keep=True)
        return row.id in await self._journal.advance([step])

    async def _end(self, row: Arrival, before: State, after: State, facts: Facts) -> None:
        await self._journal.advance([Step(row.id, frozenset({before}), after, facts)])

    def _finished(self, destination: bytes) -> Facts:
        return Facts(destination=destination, finished_at=self._clock.now())


def _in_hand_blocking(held: bytes, name: bytes) -> tuple[Grip, Fingerprint]:
    grip = open_held_blocking(held, lease=True)
    try:
        return grip, fingerprint_blocking(grip, name)
    except BaseException:
        grip.close()
        raise


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
