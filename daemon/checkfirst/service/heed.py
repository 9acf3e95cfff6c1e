"""The person's lists, heeded while the daemon runs: what changes in them counts for what waits too.

Files that arrive are held against the lists when they are judged. Files that wait already would
wait on for a source that has no say any more; they are put on the line again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from checkfirst.logs import say
from checkfirst.model import Arrival
from checkfirst.policy.names import escape
from checkfirst.service.hands import fingerprint_of
from checkfirst.sources.list_files import FromSettings, ListFiles
from checkfirst.sources.lists import Lists
from checkfirst.store.journal import Journal
from checkfirst.store.lists import Lists as KeptLists

_log = logging.getLogger(__name__)

_TWICE = 2
"""A row may be on the line just when the first look is made, judged by the lists as they were."""

Resume = Callable[[Sequence[Arrival]], Awaitable[None]]
"""Puts rows on the line again."""


class Heed:
    """Looks after the lists of the settings and of the database."""

    def __init__(
        self,
        lists: Lists,
        files: ListFiles,
        kept: KeptLists,
        journal: Journal,
        now: Callable[[], float],
        resume: Resume,
    ) -> None:
        """`lists` is the source that goes by what is read here."""
        self._lists = lists
        self._files = files
        self._kept = kept
        self._journal = journal
        self._now = now
        self._resume = resume
        self._told: frozenset[str] = frozenset()
        self._looks_listed = self._looks_all = 0
        self._edition = 0

    def edition(self) -> int:
        """Another number once the lists may say something else."""
        return self._edition

    async def look(self, *, changed: bool) -> None:
        """See to what is new; `changed`: another process has written to the database."""
        if changed:
            self._edition += 1
            self._looks_listed = _TWICE
            if self._lists.reload_weak(await self._kept.weak()):
                self._looks_all = _TWICE
        if self._files.has_files:
            await self._look_at_files()
        if rows := await self._to_be_judged():
            await self._resume(rows)

    async def _look_at_files(self) -> None:
        if (found := await asyncio.to_thread(self._files.look_blocking)) is not None:
            say(_log, logging.INFO, "settings", "lists of hashes that changed were read anew")
            self._lists.reload(found)
            self.tell(found)
            self._edition += 1
            self._looks_all = _TWICE

    def tell(self, found: FromSettings) -> None:
        """Say in the log what cannot be read, each once as long as it lasts."""
        for problem in found.problems:
            if problem not in self._told:
                say(_log, logging.ERROR, "problem", "%s", escape(problem))
        self._told = frozenset(found.problems)

    async def prune(self) -> None:
        """Forget entries of the database that have expired."""
        await self._kept.prune()

    async def _to_be_judged(self) -> list[Arrival]:
        """Rows that wait and about which a list has something to say, or might have."""
        if self._looks_all:
            self._looks_all -= 1
            rows = await self._journal.waiting()
            if self._lists.kinds():  # what no row has: their bytes are hashed again, once
                self._looks_all = 0
                return rows
            prints = [known for row in rows if (known := fingerprint_of(row))]
            listed = await self._lists.said(prints)
            return [row for row in rows if row.sha256 in listed]
        if self._looks_listed:
            self._looks_listed -= 1
            return await self._journal.waiting_and_listed(self._now())
        return []
