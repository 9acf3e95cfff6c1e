"""Taking back what was let go and is malicious, as is known since.

The file is handed to the line like one that `checkfirst take` names: held, judged by what is known
now, quarantined. What is to be done is seen from the rows and from where the files lie, so it may
be done again after a crash. Nothing is moved here.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from checkfirst.clock import Clock
from checkfirst.model import OPEN_STATES, Arrival, State, Verdict
from checkfirst.service.listener import Listener
from checkfirst.service.tell import in_words
from checkfirst.service.work import ASTRAY, Again, Turn
from checkfirst.store.journal import Journal
from checkfirst.store.second_looks import SecondLooks
from checkfirst.store.step import Facts, Step
from checkfirst.vault.still import Still

_TURNS = {
    Still.SAME: Turn.TAKEN_BACK,
    Still.UNCLEAR: Turn.UNCLEAR,
    Still.CHANGED: Turn.CHANGED,
    Still.GONE: Turn.MISSING,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How what was let go is reached."""

    looks: SecondLooks
    journal: Journal
    still: Callable[[bytes, str], Awaitable[Still]]
    """Whether these bytes lie at this path."""
    unlink_back: Callable[[bytes, bytes], Awaitable[None]]
    """Removes the link to a released file that was left where it came from."""
    take: Callable[[Sequence[bytes]], Awaitable[None]]
    """Hands files to the line."""


@dataclass(frozen=True, slots=True)
class End:
    """What became of one file."""

    is_done: bool = True
    trouble: str = ""
    """What a person must see to."""
    is_under_way: bool = False
    """The line has it, and will have done with it before long."""


class TakingBack:
    """One file after the other; the same file as often as need be until it is back."""

    def __init__(self, reach: Reach, teller: Listener, clock: Clock, *, again_after: float) -> None:
        """A file is read once in `again_after` seconds, as each look reads it whole."""
        self._reach = reach
        self._tell = teller
        self._clock = clock
        self._again_after = again_after
        self._not_before: dict[int, float] = {}
        self._told: set[int] = set()
        """Files of which it was said that they are taken back."""

    async def take_back(self, file: Arrival, verdict: Verdict) -> End:
        """Do what can be done now."""
        place = file.destination
        if place is None or file.sha256 is None:
            return End()
        still = None
        if self._clock.monotonic() >= self._not_before.get(file.id, 0.0):
            self._not_before[file.id] = self._clock.monotonic() + self._again_after
            still = await self._reach.still(place, file.sha256)
        # Only now, as what was taken between the two looks has its row.
        newer = await self._reach.looks.taken_since(file)
        if newer is not None:
            return await self._has_arrived(file, verdict, newer)
        if still is None:
            return End(is_done=False, is_under_way=True)
        turn = _TURNS[still]
        again = Again(file, verdict, turn)
        if turn in ASTRAY:
            what = "was changed" if turn is Turn.CHANGED else "has left"
            words = f"{verdict.reason}, but what was put there {what}"
            if words not in (file.reason or ""):
                self._tell.looked_again(again)
                await self.note(file, words)
            return End(trouble=in_words(again))
        if file.id not in self._told:
            self._told.add(file.id)
            self._tell.looked_again(again)
        if still is Still.SAME:
            await self._reach.take([place])
        return End(is_done=False, is_under_way=still is Still.SAME)

    async def _has_arrived(self, file: Arrival, verdict: Verdict, newer: Arrival) -> End:
        is_done = newer.state not in OPEN_STATES
        if is_done:
            await self._reach.unlink_back(file.destination or b"", file.origin)
            await self.note(file, f"{verdict.reason}; taken back, see number {newer.id}")
        return End(is_done=is_done)

    async def note(self, file: Arrival, words: str, state: State | None = None) -> None:
        """Add to the file's reason what is known since; once, whatever happened in between."""
        before, state = file.reason or "nothing was known", state or file.state
        if words not in before:
            facts = Facts(reason=f"{before}; since then: {words}")
            step = Step(file.id, frozenset({state}), state, facts)
            await self._reach.journal.advance([step])
