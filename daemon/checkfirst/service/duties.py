"""What the daemon does beside the line: its status, wishes from commands, notes and pruning."""

import asyncio
import contextlib
import logging
import os

from checkfirst.errors import CheckfirstError
from checkfirst.logs import say
from checkfirst.model import Arrival, Sighting, State
from checkfirst.policy.names import show
from checkfirst.service.assemble import Parts
from checkfirst.service.assemble_sources import note_of
from checkfirst.service.database_file import DatabaseFile
from checkfirst.service.status import MOST_OUTLOOKS, Snapshot, in_a_line, write_blocking
from checkfirst.service.supervise import Supervisor
from checkfirst.service.systemd import Systemd
from checkfirst.service.waiting_note import Waits, note_blocking
from checkfirst.store.process import is_alive

_log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
"""How long a wish of `checkfirst take` and a change of status may go unnoticed."""
HOUSE_SECONDS = 10.0
PATIENCE_SECONDS = 5.0
"""So long all other housekeeping waits for a watched folder that does not answer."""
PRUNE_SECONDS = 3600.0


class Duties:
    """The small regular jobs; each is a role of its own."""

    def __init__(
        self,
        parts: Parts,
        supervisor: Supervisor,
        systemd: Systemd,
        database: DatabaseFile,
        notice: str,
    ) -> None:
        """`notice`: what opening the database had to tell."""
        self._parts = parts
        self._supervisor = supervisor
        self._systemd = systemd
        self._database = database
        self._notice = notice
        self._lost = ""
        """What there is to tell of a database that somebody removed meanwhile."""
        self._last: Snapshot | None = None
        self._pruned_at = 0.0
        self._unheld: dict[bytes, str] = {}
        self._choosing: asyncio.Future[dict[bytes, str]] | None = None
        self._held_for: dict[bytes, tuple[int, int]] = {}
        """Which folder each watched path led to when its held folder was chosen."""

    async def choose_held_folders(self) -> None:
        """Choose where each watched folder's files are held; what cannot be is told in status.

        A folder that does not answer, as the watcher tells, is waited for in its thread alone.
        """
        loop = asyncio.get_running_loop()
        choosing = self._choosing or loop.run_in_executor(None, self._unheld_blocking)
        done, _ = await asyncio.wait({choosing}, timeout=PATIENCE_SECONDS)
        self._choosing = None if done else choosing
        if not done:
            return
        unheld = choosing.result()
        for root, why in unheld.items():
            if self._unheld.get(root) != why:
                say(_log, logging.ERROR, "problem", "%s", why)
        self._unheld = unheld

    async def keep_status(self) -> None:
        """Write the status whenever it has changed."""
        while True:
            await self.write_status()
            await self._parts.clock.sleep(LOOK_SECONDS)

    async def write_status(self) -> None:
        """Write the status if it has changed; a disk that refuses is not the pipeline's trouble."""
        snapshot = self._snapshot()
        if snapshot == self._last:
            return
        self._systemd.status(in_a_line(snapshot))
        with contextlib.suppress(OSError):
            await asyncio.to_thread(write_blocking, self._parts.settings.state, snapshot)
            self._last = snapshot

    async def follow_wishes(self) -> None:
        """Do what commands write into the database: take files in, go by the lists as they are."""
        await self._take_wanted()
        while True:
            await self._parts.clock.sleep(LOOK_SECONDS)
            changed = await self._parts.database.changed_elsewhere()
            if changed:
                await self._take_wanted()
            await self._parts.heed.look(changed=changed)

    async def keep_house(self) -> None:
        """What commands that died left undone, rows of files that are gone, notes, old rows."""
        while True:
            await self._parts.clock.sleep(HOUSE_SECONDS)
            await self.choose_held_folders()
            await self._look_at_database()
            await self._finish_for_the_dead()
            await self._parts.line.forget_the_gone()
            await self._parts.chain.look_again()
            await self._parts.renewed.look()
            await self._note_waiting()
            await self._prune()

    def _snapshot(self) -> Snapshot:
        parts = self._parts
        problems = [told for told in (self._notice, self._lost) if told]
        problems += self._unheld.values()
        problems += parts.settling.problems()
        problems += parts.line.retries.troubles()
        problems += parts.crew.problems() or parts.line.pulse.problems()
        problems += [f"{role}: {why}" for role, why in self._supervisor.problems.items()]
        return Snapshot(
            pid=os.getpid(),
            mode=parts.settings.mode.value,
            watching=tuple(parts.watcher.health()),
            sources=(*parts.chain.health(), *parts.remote.health()),
            outlook=tuple(parts.remote.outlook()[:MOST_OUTLOOKS]),
            settling=parts.settling.pending() + parts.settling.handed(),
            hashing=parts.hands.hashing.now(),
            problems=tuple(problems),
            note=note_of(parts.settings),
        )

    def _unheld_blocking(self) -> dict[bytes, str]:
        unheld = {}
        for root in self._parts.watcher.roots:
            self._forget_replaced_blocking(root.path)
            try:
                self._parts.hands.held_folder_blocking(root.path)
            except CheckfirstError as error:
                unheld[root.path] = str(error)
        return unheld

    def _forget_replaced_blocking(self, root: bytes) -> None:
        """Where a folder took the place of another, files are held as suits the new one."""
        try:
            seen = os.stat(root)
        except OSError:  # told by the watcher; it may come back as it was
            return
        is_same = self._held_for.get(root) in {None, (seen.st_dev, seen.st_ino)}
        self._held_for[root] = (seen.st_dev, seen.st_ino)
        held = self._parts.hands.held.get(root)
        if held is not None and not (is_same and os.path.isdir(held.path)):
            self._parts.hands.held.pop(root, None)

    async def _take_wanted(self) -> None:
        paths = await self._parts.wanted.all()
        if not paths:
            return
        sightings = [
            Sighting(self._root_of(path), path, asked=True)
            for path in paths
            if await asyncio.to_thread(os.path.lexists, path)
        ]
        await self._parts.watcher.forget(sightings)
        self._parts.sightings.put_nowait(sightings)
        await self._parts.wanted.done(paths)
        for sighting in sightings:
            say(_log, logging.INFO, "asked for", "%s is taken in", show(sighting.path))

    def _root_of(self, path: bytes) -> bytes:
        for root in self._parts.watcher.roots:
            if path.startswith(root.path + b"/"):
                return root.path
        return os.path.dirname(path)

    async def _finish_for_the_dead(self) -> None:
        freed = await self._parts.journal.release_dead_claims(is_alive)
        await self._parts.line.resume(await self._parts.recovery.take_over(freed))

    async def _look_at_database(self) -> None:
        lost = await asyncio.to_thread(self._database.trouble_blocking)
        if lost and not self._lost:
            say(_log, logging.ERROR, "problem", "%s", lost)
        self._lost = lost

    async def _note_waiting(self) -> None:
        now = self._parts.clock.now()
        waits = Waits(
            rows=(
                *await self._parts.journal.held_since(now - 60.0),
                *await self._being_read(since=now - 60.0),
            ),
            outlook={each.sha256: each for each in self._parts.remote.outlook()},
        )
        self._parts.notifications.herald.still_held(waits.rows, waits.outlook, now)
        folder = os.fsencode(self._parts.settings.released)
        with contextlib.suppress(OSError):
            await asyncio.to_thread(note_blocking, folder, waits)

    async def _being_read(self, since: float) -> list[Arrival]:
        """Files that have not come further than to be read, and not for want of time."""
        found = [
            (each, await self._parts.journal.get(each.id))
            for each in self._parts.hands.hashing.now()
        ]
        return [
            row._replace(reason=each.words)
            for each, row in found
            if row is not None and row.state is State.HOLDING and (row.arrived_at or since) < since
        ]

    async def _prune(self) -> None:
        keep = self._parts.settings.retention.journal
        now = self._parts.clock.monotonic()
        if now - self._pruned_at < PRUNE_SECONDS:
            return
        self._pruned_at = now
        await self._parts.recovery.seal()
        await self._parts.heed.prune()
        if keep is None:
            return
        before = self._parts.steady.now() - keep.total_seconds()
        gone = True
        while gone:
            gone = bool(await self._parts.journal.prune(before))
