"""After a crash, or beside other processes: the rows are brought in accord with the disk.

Whatever lies in a held folder is open work, whatever its row says and even without one; folders
of the quarantine that no row speaks of are taken up by their own reports. What a single row has
to learn is found out in `mend`.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence

from checkfirst.clock import Clock
from checkfirst.model import OPEN_STATES, Arrival, State
from checkfirst.store.journal import Journal
from checkfirst.vault.mend import UNFINISHED, Mend
from checkfirst.vault.payload import PAYLOAD
from checkfirst.vault.places import (
    Places,
    clear_scratch_blocking,
    folders_blocking,
    lying_blocking,
    reported_blocking,
    seal_all_blocking,
)
from checkfirst.vault.restore import remove_reports_blocking

_FOUND = "it was found in the held folder without a row in the journal"


_LEFT_AS = {State.RESTORING: State.RESTORED, State.DELETING: State.DELETED}
"""What the journal says of a file that has left the folder in which there was this going on."""

_ENDS = (State.RELEASED, State.QUARANTINED, State.GONE)
_UNHEARD = {(before, end) for before in OPEN_STATES - {State.HOLDING} for end in _ENDS} - {
    (State.RESTORING, State.QUARANTINED)
} | set(_LEFT_AS.items())
"""What a row may turn out to have become with nobody told of it."""


class Recovery:
    """Mends rows; raises StoreError. A row that the disk says nothing of stays as it is."""

    def __init__(
        self,
        journal: Journal,
        places: Places,
        clock: Clock,
        *,
        told: Callable[[Sequence[Arrival]], None] = lambda _: None,
        allow: Callable[[Arrival], Awaitable[None]],
        stopped: Callable[[], bool] | None = None,
    ) -> None:
        """`told` hears of files that turn out to have ended, or gone, without anybody's notice.

        `allow` remembers the hash of a file that a person has had back as allowed. Once `stopped`,
        rows whose files would have to be read stay as they are.
        """
        self._journal = journal
        self._places = places
        self._clock = clock
        self._told = told
        self._allow = allow
        self._stopped = stopped

    async def everything(self) -> list[Arrival]:
        """At start: all rows, all held folders, the quarantine. What is left to be worked on.

        Also at the start of another life in the same process, in which nobody works any more.
        """
        # Rows that a command is working on right now are that command's. What we have claimed are
        # batches whose results are not known, as a second process was lost with them: before they
        # are mended, their files would be found where they came and get rows anew.
        await self.look_again([row.id for row in await self._journal.open_rows()])
        await asyncio.to_thread(clear_scratch_blocking, self._places)
        await self.seal()
        await self._adopt_held()
        await self._adopt_quarantined()
        return await self._journal.open_rows()

    async def seal(self) -> None:
        """Make payloads unreadable again that were being opened when their reader was killed."""
        await asyncio.to_thread(seal_all_blocking, self._places.quarantine)

    async def take_over(self, ids: Sequence[int]) -> list[Arrival]:
        """Those of the rows that nobody works on, mended; ended ones are left out."""
        return await self._mended(await self._journal.claim(ids))

    async def look_again(self, ids: Sequence[int]) -> list[Arrival]:
        """The same for rows that we may have in hand ourselves, as their results went unwritten.

        What another process has in hand is left to it: it would not find its file as it was.
        """
        return await self._mended(await self._journal.claim(ids, ours=True))

    async def _mended(self, claimed: Sequence[Arrival]) -> list[Arrival]:
        mended = await self.mend(claimed)
        await self._journal.unclaim([row.id for row in mended])
        return mended

    async def mend(self, rows: Sequence[Arrival]) -> list[Arrival]:
        """These rows as they are after a look at the disk; ended ones are left out."""
        hashes = [row.sha256 for row in rows if row.sha256 is not None]
        others = await self._journal.given_out(hashes)
        mend = Mend(self._places, self._clock.now(), others, self._stopped)
        steps = await asyncio.to_thread(mend.steps_blocking, rows)
        for row in mend.allowed:  # before the journal has it ended: else a crash would forget it
            await self._allow(row)
        took = await self._journal.advance(steps)
        await asyncio.to_thread(mend.tidy_blocking)
        before = {row.id: row.state for row in rows}
        found = await self._journal.several(list(before))
        self._told(
            [row for row in found if row.id in took and (before[row.id], row.state) in _UNHEARD]
        )
        return [row for row in found if row.state in UNFINISHED]

    async def _adopt_held(self) -> None:
        """Files in a held folder that no open row speaks of."""
        known = {row.held for row in await self._journal.open_rows()}
        lying = await asyncio.to_thread(lying_blocking, self._places.held)
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
        folders = await asyncio.to_thread(folders_blocking, self._places.quarantine)
        known = await self._journal.destinations(folders)
        new = [folder for folder in folders if folder not in known]
        found = await asyncio.to_thread(reported_blocking, new)
        strays = [each for each in found if not await self._is_left_over(each)]
        await self.take_over(await self._journal.adopt(strays))

    async def _is_left_over(self, found: Arrival) -> bool:
        """Whether its file has left, as the journal knows; then what is left of its folder goes."""
        if found.state is State.QUARANTINED or found.destination is None:
            return False
        row = await self._journal.get(found.id)
        if row is None or (_LEFT_AS[found.state], found.sha256) != (row.state, row.sha256):
            return found.state is State.DELETING
        try:
            left = await asyncio.to_thread(remove_reports_blocking, found.destination)
        except OSError:
            return True
        return PAYLOAD not in left
