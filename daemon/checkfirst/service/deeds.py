"""What a person does with a held or quarantined file: restore, delete, release.

The same vault and journal as the daemon's, beside a running daemon or without one: the row is
claimed by compare-and-set, the intent is committed before anything moves, the result after, also
when the person gives up meanwhile.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Self

from checkfirst.clock import Clock, SystemClock
from checkfirst.errors import FileProblem
from checkfirst.finish import finish
from checkfirst.intake.fingerprint import fingerprint_blocking
from checkfirst.model import Arrival, Fingerprint, State, VerdictKind
from checkfirst.policy.names import show
from checkfirst.service import deed_log
from checkfirst.service.assemble_deeds import Deeds, open_database, open_deeds
from checkfirst.service.hands import relative_path
from checkfirst.service.passage import (
    Course,
    Deed,
    Ended,
    Passage,
    Stopped,
    Watched,
    by_the_next,
    nobody_hears,
    nothing,
    unwatched,
)
from checkfirst.service.steps import WAITING, identity
from checkfirst.settings.schema import Settings
from checkfirst.store.listed import ListedBy
from checkfirst.store.step import Facts
from checkfirst.vault.grip import Grip, ignore_lease_breaks
from checkfirst.vault.hold import open_held_blocking, remove_slot_blocking
from checkfirst.vault.release import release_blocking
from checkfirst.vault.restore import delete_blocking, remove_reports_blocking, restore_blocking
from checkfirst.watch.mounts import filesystem_blocking, is_remote

BY_HAND = "released by hand, on your own responsibility"

_STOPPED = frozenset({State.QUARANTINED})
_RESTORE = Course(_STOPPED, State.RESTORING, State.RESTORED, State.QUARANTINED)
_DELETE = Course(_STOPPED, State.DELETING, State.DELETED, State.QUARANTINED)
_RELEASE = Course(WAITING, State.RELEASING, State.RELEASED, State.HELD)


class Hand:
    """The person's hand in journal and vault."""

    def __init__(
        self,
        settings: Settings,
        deeds: Deeds,
        clock: Clock,
        *,
        by_person: bool = True,
        ended: Ended = nobody_hears,
        unwritten: Callable[[int], object] = by_the_next,
    ) -> None:
        """Use `at_work`. Only what a person restores is allowed from then on.

        `ended` and `unwritten` as in `Passage`.
        """
        self._by_person = by_person
        self._settings = settings
        self._pass = Passage(deeds.journal, clock, ended, unwritten)
        self._allow = deeds.allow
        self._allow_restored = deeds.allow_restored
        self._clock = clock

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
        return [await finish(self._restore(row, to, watched), self._pass.give_up) for row in rows]

    async def delete(self, rows: Sequence[Arrival]) -> list[Deed]:
        """Delete quarantined files for good."""
        return [await finish(self._delete(row), self._pass.give_up) for row in rows]

    async def release(self, rows: Sequence[Arrival], watched: Watched = unwatched) -> list[Deed]:
        """Let held files go into the released folder; their hashes are allowed from now."""
        return [await finish(self._release(row, watched), self._pass.give_up) for row in rows]

    async def _restore(self, row: Arrival, to: bytes, watched: Watched) -> Deed:
        folder, sha256 = row.destination, row.sha256
        if folder is None or sha256 is None or not await self._pass.begin(row, _RESTORE, Facts()):
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
        then = partial(self._allow_restored, row) if self._by_person else nothing
        deed = await self._pass.carry_out(row, _RESTORE, do_blocking, watched, then)
        if deed.problem is None:
            with contextlib.suppress(OSError):
                await asyncio.to_thread(remove_reports_blocking, folder)
        return deed

    async def _delete(self, row: Arrival) -> Deed:
        folder = row.destination
        if folder is None or not await self._pass.begin(row, _DELETE, Facts()):
            return Deed(row, None, _elsewhere(row))

        def do_blocking(_: Stopped) -> Deed:
            delete_blocking(folder)
            return Deed(row, folder)

        deed = await self._pass.carry_out(row, _DELETE, do_blocking, unwatched)
        if deed.problem is not None:
            return deed
        return await asyncio.to_thread(_tidied_blocking, deed, folder)

    async def _release(self, row: Arrival, watched: Watched) -> Deed:
        held = row.held
        if held is None or row.state not in WAITING:
            return Deed(row, None, _elsewhere(row))
        try:
            with watched(row) as stopped:
                grip, found = await asyncio.to_thread(
                    _in_hand_blocking, held, row.name, self._pass.or_given_up(stopped)
                )
        except FileProblem as problem:
            return Deed(row, None, problem)
        with grip:
            facts = _decided(grip, found, self._clock.now())
            if not await self._pass.begin(row, _RELEASE, facts):
                return Deed(row, None, _elsewhere(row))
            disallow = await self._allow(found.sha256, ListedBy.RELEASE, show(row.name))
            deed = await self._pass.carry_out(
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


def _tidied_blocking(deed: Deed, folder: bytes) -> Deed:
    try:
        return replace(deed, strangers=remove_reports_blocking(folder, "delete"))
    except FileNotFoundError:  # the person has removed the folder
        return deed
    except OSError as error:
        # By now it may have the name of scratch, which nobody but the next start looks for.
        about = folder if os.path.lexists(folder) else os.path.dirname(folder)
        remains = FileProblem(
            f"Its report could not be removed: {error.strerror}",
            "The next start of the daemon tries again.",
            about=show(about),
        )
        return replace(deed, remains=remains)


def _in_hand_blocking(held: bytes, name: bytes, stopped: Stopped) -> tuple[Grip, Fingerprint]:
    lease = not is_remote(filesystem_blocking(os.path.dirname(held)))
    grip = open_held_blocking(held, lease=lease)
    try:
        return grip, fingerprint_blocking(grip, name, stopped)
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
