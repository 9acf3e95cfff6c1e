"""Who handles a batch: the threads of this process, or a second process while there are many.

Small files are bound by the interpreter, in which two threads get no further than one. While some
thousand of them come at once a second process takes and moves them, and this one does the rest; at
all other times there is none, as it costs 20 MiB. A promise never rests on it: when it does not
come up, or ends, the threads do all.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from checkfirst.clock import Clock
from checkfirst.errors import Problem
from checkfirst.service.hands import Hands
from checkfirst.service.supervise import finish
from checkfirst.service.work import Done, InHand, Missed, Ordered, Undone, Work

if TYPE_CHECKING:
    from checkfirst.service.other_hands import OtherHands

_log = logging.getLogger(__name__)

MANY = 1000
"""So many files that have not settled yet are worth a second process, which starts meanwhile."""

SMALL_BYTES = 64 * 1024
"""Files that are larger on average are bound by reading, for which threads do as well."""

IDLE_SECONDS = 20.0
"""It is let go when it has had nothing to do for about as long."""

PAUSE_SECONDS = 60.0
"""For so long none is started after one that did not come up or was lost."""


class Doer(Protocol):
    """Takes files to hand and carries out what was decided; see `Hands`."""

    def take_blocking(self, works: Sequence[Work]) -> list[InHand | Missed]:
        """Hold what is to be held, open and fingerprint each."""
        ...

    def carry_out_blocking(
        self, orders: Sequence[Ordered], not_now: Sequence[InHand]
    ) -> list[Done | Undone]:
        """Release or quarantine each of those that this one took."""
        ...

    def put_down_blocking(self, hands: Sequence[InHand]) -> None:
        """Close what is not carried out now."""
        ...


class Crew:
    """All methods are called on the loop."""

    def __init__(self, hands: Hands, lock: int, clock: Clock) -> None:
        """`lock` is the descriptor of the daemon's lock."""
        self._hands = hands
        self._lock = lock
        self._clock = clock
        self._other: OtherHands | None = None
        self._many = asyncio.Event()
        self._used = False

    def expect(self, count: int) -> None:
        """So many files are about to settle."""
        if count >= MANY:
            self._many.set()

    def choose(self, works: Sequence[Work]) -> Doer:
        """Who is to take these; the same carries them out or puts them down."""
        other = self._other
        if other is None or other.lost:
            return self._hands
        sizes = [work.arrival.size for work in works]
        if None in sizes or sum(filter(None, sizes)) > SMALL_BYTES * len(works):
            return self._hands  # what is of unknown size could take hours
        self._used = True
        return other

    async def run(self) -> None:
        """Start a second process when many come, and let it go when they have gone."""
        while True:
            await self._many.wait()
            try:
                await finish(asyncio.to_thread(self._hire_blocking))
                while self._is_wanted():
                    self._used = False
                    await self._clock.sleep(IDLE_SECONDS)
                is_well = self._other is not None and not self._other.lost
            finally:
                other, self._other = self._other, None
                self._many.clear()  # those that come while this one goes are for the next one
                if other is not None:
                    await finish(asyncio.to_thread(other.let_go_blocking))
            if not is_well:
                await self._clock.sleep(PAUSE_SECONDS)

    def _is_wanted(self) -> bool:
        other = self._other
        return other is not None and not other.lost and (self._used or not other.idle)

    def _hire_blocking(self) -> None:
        # Not needed before many come: 10 ms and a megabyte.
        from checkfirst.service.other_hands import hire_blocking  # noqa: PLC0415

        self._used = True
        try:
            self._other = hire_blocking(self._hands, self._lock)
        except (OSError, EOFError, Problem) as error:  # EOFError: it ended before it said a word
            _log.debug("a second process does not come up", exc_info=error)
