"""Deleting what has lain in the quarantine for longer than `retention.quarantine` allows.

Exactly as a person's `quarantine delete` does it: the row is claimed, the intent committed, the
result after, and a crash in between is finished at the next start. What cannot be seen, as on a
disk that is not mounted, is left alone, and so is whatever has no row.
"""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

from checkfirst.clock import Clock
from checkfirst.logs import say
from checkfirst.model import Arrival, State
from checkfirst.policy.names import show
from checkfirst.service.passage import Deed
from checkfirst.service.steady import Steady
from checkfirst.settings.units import duration_text
from checkfirst.store.journal import Journal

_log = logging.getLogger(__name__)

BEGIN_SECONDS = 5.0
EVERY_SECONDS = 3600.0
MANY = 25
"""From so many at once on they are told in one line."""

Delete = Callable[[Sequence[Arrival]], Awaitable[list[Deed]]]


class Retention:
    """The role that deletes; does nothing where nothing is to be deleted ever."""

    def __init__(
        self,
        journal: Journal,
        delete: Delete,
        clock: Clock,
        keep: timedelta | None,
        steady: Steady,
    ) -> None:
        """`delete` removes files for good and never raises for one of them.

        `steady` says how late it is.
        """
        self._journal = journal
        self._delete = delete
        self._clock = clock
        self._steady = steady
        self._keep = keep
        self._told: set[int] = set()
        """Rows whose trouble was told; it is the same every hour."""

    async def run(self) -> None:
        """Look soon after the start, and every hour."""
        await self._clock.sleep(BEGIN_SECONDS)
        while True:
            await self.once()
            await self._clock.sleep(EVERY_SECONDS)

    async def once(self) -> int:
        """Delete what is too old now; how many."""
        if self._keep is None:
            return 0
        before = self._steady.now() - self._keep.total_seconds()
        old = await self._journal.quarantined_before(before)
        there = await asyncio.to_thread(_there_blocking, old)
        deeds = await self._delete(there)
        deleted = [deed for deed in deeds if deed.problem is None]
        self._tell(deleted)
        for deed in deeds:
            await self._tell_of_trouble(deed)
        return len(deleted)

    def _tell(self, deleted: Sequence[Deed]) -> None:
        keep = duration_text(self._keep or timedelta())
        if len(deleted) >= MANY:
            text = "%d files that had been in the quarantine for over %s"
            say(_log, logging.INFO, "deleted", text, len(deleted), keep)
            return
        for deed in deleted:
            row = deed.arrival
            text = "%s, in the quarantine for over %s (sha256 %s)"
            what = (show(row.name), keep, (row.sha256 or "")[:12])
            facts = {"id": str(row.id), "file": row.name, "sha256": row.sha256}
            say(_log, logging.INFO, "deleted", text, *what, **facts)

    async def _tell_of_trouble(self, deed: Deed) -> None:
        row = deed.arrival
        if deed.strangers:
            text = "%s is deleted from the quarantine, but its folder holds files of somebody else"
            say(_log, logging.WARNING, "problem", text, show(row.name))
        if deed.remains is not None:
            text = "%s is deleted from the quarantine. %s"
            say(_log, logging.WARNING, "problem", text, show(row.name), deed.remains)
        if deed.problem is None:
            self._told.discard(row.id)
            return
        now = await self._journal.get(row.id)
        if now is None or now.state is not State.QUARANTINED:
            return  # somebody else has it, or has had it
        level = logging.DEBUG if row.id in self._told else logging.WARNING
        self._told.add(row.id)
        say(_log, level, "problem", "%s", deed.problem)


def _there_blocking(rows: Sequence[Arrival]) -> list[Arrival]:
    return [row for row in rows if row.destination and os.path.isdir(row.destination)]
