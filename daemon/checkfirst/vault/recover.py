"""After a crash, or beside other processes: the rows are brought in accord with the disk.

Places outrank rows. What lies in a held folder is open work whatever its row says; a row whose
bytes are not where it says is looked for where they could have gone. Nothing is judged here and
nothing is released: a file that is still held goes back on the line.
"""

import asyncio
import logging
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from checkfirst.clock import Clock
from checkfirst.errors import FileProblem
from checkfirst.model import OPEN_STATES, Arrival, State
from checkfirst.store.journal import Facts, Journal, Step
from checkfirst.vault.grip import hash_of_blocking
from checkfirst.vault.quarantine import (
    PAYLOAD,
    read_report_blocking,
    scan_blocking,
    seal_blocking,
)
from checkfirst.vault.release import released_before_blocking
from checkfirst.vault.restore import delete_blocking

_log = logging.getLogger(__name__)

_UNFINISHED = OPEN_STATES | {State.LEFT}
_FOUND = "it was found in the held folder without a row in the journal"


@dataclass(frozen=True, slots=True)
class Places:
    """Where files may lie."""

    held: tuple[bytes, ...]
    """Every held folder."""
    released: bytes
    quarantine: bytes
    relative: Callable[[Arrival], bytes]
    """The path below the released folder that a file was to have."""


class Recovery:
    """Mends rows; raises StoreError. A row that the disk says nothing of stays as it is."""

    def __init__(self, journal: Journal, places: Places, clock: Clock) -> None:
        self._journal = journal
        self._places = places
        self._clock = clock

    async def everything(self) -> list[Arrival]:
        """At start: all rows, all held folders, the quarantine. What is left to be worked on."""
        # Rows that a command is working on right now are that command's.
        ids = [row.id for row in await self._journal.open_rows()]
        mended = await self.mend(await self._journal.claim(ids))
        await self._journal.unclaim([row.id for row in mended])
        await self._adopt_held()
        await self._adopt_quarantined()
        return await self._journal.open_rows()

    async def mend(self, rows: Sequence[Arrival]) -> list[Arrival]:
        """These rows as they are after a look at the disk; ended ones are left out."""
        steps = await asyncio.to_thread(self._steps_blocking, rows)
        await self._journal.advance(steps)
        found = [await self._journal.get(row.id) for row in rows]
        return [row for row in found if row is not None and row.state in _UNFINISHED]

    def _steps_blocking(self, rows: Iterable[Arrival]) -> list[Step]:
        steps = []
        for row in rows:
            try:
                step = self._step_blocking(row)
            except (FileProblem, OSError) as error:
                _log.warning("what became of file %d cannot be seen now: %s", row.id, error)
                continue
            if step is not None:
                steps.append(step)
        return steps

    def _step_blocking(self, row: Arrival) -> Step | None:  # noqa: PLR0911  (a table of states)
        """What the disk says of a row; None when the row is right."""
        is_held = row.held is not None and _is_file_blocking(row.held)
        match row.state:
            case State.HOLDING if is_held and _is_copy_blocking(row):
                # It was copied and not yet removed; the original counts.
                _unlink_blocking(row.held)
                return self._to(row, State.LEFT, reason="taking it was interrupted")
            case State.HOLDING if not is_held and os.path.lexists(row.origin):
                return self._to(row, State.LEFT, reason="taking it was interrupted")
            case State.RELEASING | State.QUARANTINING:
                return self._ordered_blocking(row, is_held=is_held)
            case State.RESTORING:
                return self._restoring_blocking(row)
            case State.DELETING if row.destination is not None:
                strangers = delete_blocking(row.destination)
                return None if strangers else self._to(row, State.DELETED)
            case State.HOLDING | State.LEFT if is_held:
                return self._to(row, State.HELD)
            case State.HOLDING | State.HELD | State.WAITING if not is_held:
                return self._missing_blocking(row)
            case _:
                return None

    def _ordered_blocking(self, row: Arrival, *, is_held: bool) -> Step | None:
        """A move was decided on: see whether it has been done."""
        if row.state is State.RELEASING:
            there = released_before_blocking(self._places.released, self._places.relative(row), row)
            after = State.RELEASED
        else:
            there = self._quarantined_blocking(row)
            after = State.QUARANTINED
        if is_held:
            # The held file may go only if it still is what was copied and the copy is whole.
            # Else it is judged, and moved, once more.
            is_whole = there is not None and (
                after is State.RELEASED or _payload_hash_blocking(there) == row.sha256
            )
            if not is_whole or not _still_is_blocking(row):
                return self._to(row, State.HELD, reason="its move was interrupted")
            _unlink_blocking(row.held)
        if there is None:
            return self._missing_blocking(row)
        return self._to(row, after, destination=there)

    def _quarantined_blocking(self, row: Arrival) -> bytes | None:
        for found in scan_blocking(self._places.quarantine):
            report, payload = found.report, found.payload
            if report is None or payload is None or payload.size != row.size:
                continue
            if (report.origin, report.sha256) == (row.origin, row.sha256) and (
                report.id == row.id or payload.ino == row.ino
            ):
                return found.folder
        return None

    def _restoring_blocking(self, row: Arrival) -> Step | None:
        folder = row.destination
        if not os.path.isdir(self._places.quarantine):
            return None  # the quarantine itself is away
        if folder is not None and os.path.lexists(os.path.join(folder, PAYLOAD)):
            return self._to(row, State.QUARANTINED, reason="restoring it was interrupted")
        return self._to(row, State.RESTORED)

    def _missing_blocking(self, row: Arrival) -> Step | None:
        """Not where it should be: perhaps a person or a command moved it on."""
        if row.held is not None and not os.path.isdir(os.path.dirname(os.path.dirname(row.held))):
            return None  # the held folder itself is away, so nothing in it is gone
        there = released_before_blocking(self._places.released, self._places.relative(row), row)
        if there is not None and row.sha256 is not None:
            return self._to(row, State.RELEASED, destination=there)
        return self._to(row, State.GONE, reason="it is no longer in the held folder")

    def _to(
        self, row: Arrival, state: State, reason: str = "", destination: bytes | None = None
    ) -> Step:
        facts = Facts(reason=reason) if reason else Facts()
        if destination is not None:
            facts["destination"] = destination
        if state not in _UNFINISHED:
            facts["finished_at"] = self._clock.now()
        return Step(row.id, frozenset({row.state}), state, facts)

    async def _adopt_held(self) -> None:
        """Files in a held folder that no open row speaks of."""
        known = {row.held for row in await self._journal.open_rows()}
        lying = await asyncio.to_thread(_lying_blocking, self._places.held)
        now = self._clock.now()
        await self._journal.adopt(
            [
                Arrival(
                    id=0,
                    state=State.HELD,
                    root=b"",
                    # Where it came from is not known; its name is, and that is what people know.
                    origin=b"/" + os.path.basename(path),
                    held=path,
                    size=seen.st_size,
                    mode=seen.st_mode & 0o7777,
                    reason=_FOUND,
                    arrived_at=now,
                    held_at=now,
                )
                for path, seen in lying
                if path not in known
            ]
        )

    async def _adopt_quarantined(self) -> None:
        """Folders of the quarantine that no row speaks of, by their own reports."""
        folders = await asyncio.to_thread(_folders_blocking, self._places.quarantine)
        known = await self._journal.destinations(folders)
        new = [folder for folder in folders if folder not in known]
        arrivals = await asyncio.to_thread(_reported_blocking, new)
        await self._journal.adopt(arrivals)


def _is_file_blocking(path: bytes) -> bool:
    return os.path.isfile(path) and not os.path.islink(path)


def _payload_hash_blocking(folder: bytes) -> str | None:
    try:
        return hash_of_blocking(os.path.join(folder, PAYLOAD), insist=True)
    finally:
        seal_blocking(folder)


def _is_copy_blocking(row: Arrival) -> bool:
    """Whether the held file is a copy of what still lies at the origin, byte for byte.

    A file of the same name may have arrived there since; then both are to be kept.
    """
    held, origin = row.held, row.origin
    if held is None or not _is_file_blocking(origin):
        return False
    if not os.path.getsize(held):
        return True  # a name that was reserved, see rename_by_reservation
    if os.path.getsize(held) != os.path.getsize(origin):
        return False
    found = hash_of_blocking(held)
    return found is not None and found == hash_of_blocking(origin)


def _still_is_blocking(row: Arrival) -> bool:
    return row.held is not None and hash_of_blocking(row.held, insist=True) == row.sha256


def _unlink_blocking(path: bytes | None) -> None:
    if path is not None:
        Path(os.fsdecode(path)).unlink(missing_ok=True)


def _lying_blocking(held: Iterable[bytes]) -> list[tuple[bytes, os.stat_result]]:
    found = []
    for folder in held:
        for slot, _, names in os.walk(folder):
            for name in names:
                path = os.path.join(slot, name)
                # Below the held folder itself lie slots alone; scratch files are no arrivals.
                if slot != folder and _is_file_blocking(path):
                    found.append((path, os.lstat(path)))
    return found


def _folders_blocking(quarantine: bytes) -> list[bytes]:
    try:
        with os.scandir(quarantine) as entries:
            return [each.path for each in entries if each.is_dir(follow_symlinks=False)]
    except OSError:  # missing or broken: told where it is made, and no reason not to start
        return []


def _reported_blocking(folders: Iterable[bytes]) -> list[Arrival]:
    found = []
    for folder in folders:
        report = read_report_blocking(folder)
        if report is not None and os.path.lexists(os.path.join(folder, PAYLOAD)):
            found.append(replace(report.arrival(folder), id=report.id))
    return found
