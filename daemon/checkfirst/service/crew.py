"""Who handles a batch: the threads of this process, or a second process while there are many.

Small files are bound by the interpreter, in which two threads get no further than one. While some
thousand of them come at once a second process takes and moves them, and this one does the rest; at
all other times there is none, as it costs 20 MiB. A promise never rests on it: when it does not
come up, or ends, the threads do all.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Protocol

from checkfirst import logs
from checkfirst.clock import Clock
from checkfirst.errors import Problem
from checkfirst.finish import finish
from checkfirst.service.hands import Hands
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

LOOK_SECONDS = 5.0
"""How often one that works is looked after."""

SLOW_SECONDS = 30.0
"""When it gives no sign of life for so long, a person is told."""

HANGING_SECONDS = 120.0
"""And then it is ended. It gives a sign every few files, which takes the slowest disk seconds."""

_SLOW = (
    "the second process that helps with many files ({0}) has got no further for half a minute, and "
    "small files wait for it. See that all disks and network folders answer; if somebody has "
    "stopped it, let it go on (kill -CONT {0}). In another minute and a half it is ended, and "
    "checkfirst goes on without it"
)


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

    def __init__(
        self, hands: Hands, lock: int, clock: Clock, stopped: Callable[[], bool] = lambda: False
    ) -> None:
        """`lock` is the descriptor of the daemon's lock.

        `stopped`: whether long reading is to be given up.
        """
        self._hands = hands
        self._lock = lock
        self._clock = clock
        self._stopped = stopped
        self._other: OtherHands | None = None
        self._many = asyncio.Event()
        self._problem = ""

    def expect(self, pending: Callable[[], int]) -> None:
        """More files may be about to settle; `pending` counts them, which is not for nothing."""
        if not self._many.is_set() and pending() >= MANY:
            self._many.set()

    def choose(self, works: Sequence[Work]) -> Doer:
        """Who is to take these; the same carries them out or puts them down."""
        other = self._other
        if other is None or other.lost:
            return self._hands
        sizes = [work.arrival.size for work in works]
        if None in sizes or sum(filter(None, sizes)) > SMALL_BYTES * len(works):
            return self._hands  # what is of unknown size could take hours
        other.expect(works)
        return other

    def problems(self) -> list[str]:
        """That a second process does not get on, while it does not."""
        return [self._problem] if self._problem else []

    async def run(self) -> None:
        """Start a second process when many come, and let it go when they have gone."""
        while True:
            await self._many.wait()
            other = await asyncio.to_thread(_new_blocking, self._hands, self._lock, self._stopped)
            if not await self._employ(other):
                await self._clock.sleep(PAUSE_SECONDS)

    async def _employ(self, other: "OtherHands | None") -> bool:
        """Whether it came up, and was there until it had nothing to do any more."""
        try:
            if other is None:
                return False
            starting = asyncio.to_thread(_started_blocking, other)
            if await finish(starting, partial(other.kill, "it is not needed any more")):
                self._other = other
                await self._look_after(other)
            return not other.lost
        finally:
            self._other = None
            self._many.clear()  # those that come while this one goes are for the next one
            if other is not None:
                await finish(asyncio.to_thread(other.let_go_blocking))
            self._problem = ""

    async def _look_after(self, other: "OtherHands") -> None:
        """Come back when it is lost, or idle for long; end it when it does not get on.

        Looks are counted and no time is measured: while the machine sleeps, or we are stopped,
        nobody gets on.
        """
        idle = silent = 0
        while not other.lost and idle * LOOK_SECONDS < IDLE_SECONDS:
            signs = other.signs
            await self._clock.sleep(LOOK_SECONDS)
            is_silent = other.signs == signs
            idle = idle + 1 if is_silent and other.idle else 0
            silent = silent + 1 if is_silent and other.busy else 0
            if silent == 0:
                self._gets_on(other)
            elif silent * LOOK_SECONDS == SLOW_SECONDS:
                self._problem = _SLOW.format(other.pid)
                logs.say(_log, logging.ERROR, "problem", "%s", self._problem)
            elif silent * LOOK_SECONDS >= HANGING_SECONDS:
                other.kill(f"it got no further for {HANGING_SECONDS:.0f} seconds")

    def _gets_on(self, other: "OtherHands") -> None:
        if self._problem:
            self._problem = ""
            text = "(%d) that helps with many files gets on again"
            logs.say(_log, logging.INFO, "second process", text, other.pid)


def _new_blocking(hands: Hands, lock: int, stopped: Callable[[], bool]) -> "OtherHands | None":
    """Not started yet; None when our own files have been replaced or removed since we started."""
    try:
        # Not needed before many come: 10 ms and a megabyte.
        from checkfirst.service.other_hands import OtherHands  # noqa: PLC0415
    except ImportError as error:
        _log.debug("there is no second process to be had", exc_info=error)
        return None
    return OtherHands(hands, lock, stopped)


def _started_blocking(other: "OtherHands") -> bool:
    try:
        other.start_blocking()
    except (OSError, EOFError, Problem) as error:  # EOFError: it ended before it said a word
        _log.debug("a second process does not come up", exc_info=error)
        return False
    return True
