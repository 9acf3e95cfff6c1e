"""A deed's way through the journal: claimed, intended, done, and its result committed.

Beside a running daemon or without one; whatever happens on the way, the row says how it ended.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from checkfirst.clock import Clock
from checkfirst.errors import FileProblem
from checkfirst.model import Arrival, State
from checkfirst.store.journal import Journal
from checkfirst.store.step import Facts, Step
from checkfirst.vault.problems import translate

Stopped = Callable[[], bool]
Watched = Callable[[Arrival], AbstractContextManager[Stopped]]
"""Shows how far the work on a file is; gives what long reads ask, and once left says stop."""

PATIENCE_SECONDS = 5.0
"""So long a row is waited for that the daemon has in hand; it has most for milliseconds."""
_AGAIN_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Deed:
    """What became of one file; `where` is None when it could not be done."""

    arrival: Arrival
    where: bytes | None
    problem: FileProblem | None = None
    strangers: tuple[bytes, ...] = ()
    """Files that are not ours and stay in a deleted folder."""
    remains: FileProblem | None = None
    """Why the folder of a deleted file is still there; the next start tries again."""


@dataclass(frozen=True, slots=True)
class Course:
    """The states of a row that a deed leads through."""

    before: frozenset[State]
    during: State
    after: State
    failed: State


async def nothing() -> None:
    """Nothing follows."""


Ended = Callable[[Arrival, State, bytes | None], None]
"""Hears, in a thread, that a file has come to this end, there."""


def by_the_next(number: int) -> None:
    """This process ends; whoever finds its claim finishes its work."""
    del number


def nobody_hears(row: Arrival, state: State, place: bytes | None) -> None:
    """Tell nobody."""
    del row, state, place


@contextmanager
def unwatched(row: Arrival) -> Iterator[Stopped]:
    """Nobody looks on."""
    del row
    yield lambda: False


class Passage:
    """What all deeds of one person's hand go by."""

    def __init__(
        self, journal: Journal, clock: Clock, ended: Ended, unwritten: Callable[[int], object]
    ) -> None:
        """`ended` hears of each that was done.

        `unwritten` hears the id of a row that may not say what became of its file, as the journal
        could not be written, and that nobody else may touch while this process lives.
        """
        self._journal = journal
        self._clock = clock
        self._ended = ended
        self._unwritten = unwritten
        self._given_up = threading.Event()

    def give_up(self) -> None:
        """The person waits no longer: what can be left undone is."""
        self._given_up.set()

    async def begin(self, row: Arrival, course: Course, facts: Facts) -> bool:
        """Commit the intent; False when the row is no longer so, or another process keeps it."""
        step = Step(row.id, course.before, course.during, facts, keep=True)
        patience = self._clock.monotonic() + PATIENCE_SECONDS
        while row.id not in await self._journal.advance([step]):
            now = await self._journal.get(row.id)
            if now is None or now.state not in course.before:
                return False
            if self._given_up.is_set() or self._clock.monotonic() > patience:
                return False
            await self._clock.sleep(_AGAIN_SECONDS)
        return True

    async def carry_out(
        self,
        row: Arrival,
        course: Course,
        do_blocking: Callable[[Stopped], Deed],
        watched: Watched,
        then: Callable[[], Awaitable[None]] = nothing,
    ) -> Deed:
        """Do what was begun and commit the result, whichever it is; before a good one, `then`."""
        try:
            return await self._carried_out(row, course, do_blocking, watched, then)
        except Exception:
            self._unwritten(row.id)
            raise

    async def _carried_out(
        self,
        row: Arrival,
        course: Course,
        do_blocking: Callable[[Stopped], Deed],
        watched: Watched,
        then: Callable[[], Awaitable[None]],
    ) -> Deed:
        try:
            with watched(row) as stopped:
                deed = await asyncio.to_thread(do_blocking, self.or_given_up(stopped))
        except (FileProblem, OSError) as error:
            problem = error if isinstance(error, FileProblem) else _in_words(error, row)
            # The row of a quarantined file goes on saying why it was quarantined.
            is_held = course.failed is State.HELD
            facts = Facts(reason=str(problem), decided_at=None) if is_held else Facts()
            await self._end(row, course, course.failed, facts)
            return Deed(row, None, problem)
        await then()
        facts = Facts(destination=deed.where, finished_at=self._clock.now())
        await self._end(row, course, course.after, facts)
        await asyncio.to_thread(self._ended, row, course.after, deed.where)
        return deed

    async def _end(self, row: Arrival, course: Course, state: State, facts: Facts) -> None:
        await self._journal.advance([Step(row.id, frozenset({course.during}), state, facts)])

    def or_given_up(self, stopped: Stopped) -> Stopped:
        """What long reads ask: whether to stop, or whether the person has given up."""
        return lambda: self._given_up.is_set() or stopped()


def _in_words(error: OSError, row: Arrival) -> FileProblem:
    return translate(error, "move the file", row.name)
