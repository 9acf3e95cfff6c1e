"""A known-good list that was replaced, heeded for the files that wait already.

Files that arrive find the new list by themselves. Those that wait for a remote source would wait on
although this machine knows them now; they are put on the line again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from checkfirst.logs import say
from checkfirst.model import Arrival
from checkfirst.store.journal import Journal

_log = logging.getLogger(__name__)

_TWICE = 2
"""The source itself may have looked just before the list came, and not look again at once."""


class Renewed:
    """Looks for another list from time to time."""

    def __init__(
        self,
        identity: Callable[[], object],
        seen: object,
        journal: Journal,
        resume: Callable[[Sequence[Arrival]], Awaitable[None]],
    ) -> None:
        """`identity` tells one list from another, and blocks; `seen` is what it told before.

        `resume` puts rows on the line.
        """
        self._identity = identity
        self._journal = journal
        self._resume = resume
        self._seen = seen
        self._looks = 0

    async def look(self) -> None:
        """See whether there is another list, and to what waits."""
        seen = await asyncio.to_thread(self._identity)
        if seen != self._seen:
            say(_log, logging.INFO, "sources", "the known-good list has changed")
            self._seen, self._looks = seen, _TWICE
        if self._looks:
            self._looks -= 1
            await self._resume(await self._journal.waiting())
