"""What failed and is to be tried again: when, and for the how-manieth time.

A held file is tried again by the id of its row; one that could not be taken by its path, as it is
the settling that looks at it first.
"""

from collections.abc import Awaitable, Callable, Iterable

from checkfirst.clock import Clock
from checkfirst.model import Arrival, Sighting
from checkfirst.policy.retry import backoff
from checkfirst.service.later import Later

FIRST_SECONDS = 1.0
LONGEST_SECONDS = 60.0
"""Trouble with a disk is tried again at least this often."""
LEFT_SECONDS = 300.0
"""The same for files that could not be taken; the sweep finds them besides."""

MOST_TROUBLES = 3
"""So many files that cannot be moved are told one by one."""


class Retries:
    """Kept in memory alone: after a restart everything is tried at once."""

    def __init__(
        self,
        clock: Clock,
        held: Callable[[list[int]], Awaitable[None]],
        settle: Callable[[Sighting, float], None],
    ) -> None:
        """`held` gets the ids whose moment has come; `settle` begins anew with a path."""
        self._later = Later(clock, held)
        self._settle = settle
        self._tries: dict[int, int] = {}
        self._left: dict[bytes, tuple[int, int]] = {}
        """Origin to id and number of tries, of what could not be taken."""
        self._told: set[int] = set()
        """Ids of whose trouble a person has heard."""
        self._undone: dict[int, str] = {}
        """Ids of files that cannot be moved to where they belong, and why."""

    async def run(self) -> None:
        """Hand back what is due, until cancelled."""
        await self._later.run()

    def held(self, number: int, *, quiet: bool = True, undone: str = "") -> bool:
        """Try a held file again after a growing pause; whether a person has to hear of it.

        `quiet`: it is nothing to tell. What is, is told once. `undone`: why the file cannot go
        where it belongs, a trouble until it can.
        """
        if undone and not quiet:
            self._undone[number] = undone
        tries = self._tries[number] = self._tries.get(number, -1) + 1
        self.soon(number, backoff(tries, FIRST_SECONDS, LONGEST_SECONDS, 0.0))
        return self._is_news(number, quiet=quiet)

    def soon(self, number: int, seconds: float) -> None:
        """Look at this row again after so many seconds; that is no failure."""
        self._later.put(number, seconds)

    def well(self, number: int) -> None:
        """It has ended: its failures are forgotten."""
        self._tries.pop(number, None)
        self._told.discard(number)
        self._undone.pop(number, None)

    def troubles(self) -> list[str]:
        """Why files cannot go where they belong; of very many, the number."""
        told = list(self._undone.values())
        more = len(told) - MOST_TROUBLES
        return told[:MOST_TROUBLES] + ([f"{more} more files cannot be moved"] if more > 0 else [])

    def settle_again(self, sighting: Sighting) -> None:
        """Begin anew with a path whose row could not be begun, or has moved on."""
        self._settle(sighting, FIRST_SECONDS)

    def left(self, arrival: Arrival, sighting: Sighting, *, quiet: bool) -> bool:
        """It could not be taken: try again after a growing pause; whether a person has to hear."""
        tries = self._left.get(arrival.origin, (arrival.id, 0))[1]
        self._left[arrival.origin] = (arrival.id, tries + 1)
        self._settle(sighting, backoff(tries, FIRST_SECONDS, LEFT_SECONDS, 0.0))
        return self._is_news(arrival.id, quiet=quiet)

    def recall(self, arrival: Arrival) -> None:
        """This row was left when we stopped the last time."""
        self._left[arrival.origin] = (arrival.id, 0)

    def row_of(self, origin: bytes) -> int:
        """The id of the row that was left there, or 0."""
        return self._left.get(origin, (0, 0))[0]

    def taken(self, arrival: Arrival) -> None:
        """It is held now, or gone: what comes to its place next is another arrival."""
        if self._left and self.row_of(arrival.origin) == arrival.id:
            del self._left[arrival.origin]
            self._told.discard(arrival.id)

    def all_left(self) -> list[bytes]:
        """The paths of all that could not be taken."""
        return list(self._left)

    def give_up(self, paths: Iterable[bytes]) -> list[int]:
        """Nothing lies there any more: the ids of their rows, which are to be closed."""
        ids = [self._left.pop(path)[0] for path in paths if path in self._left]
        self._told.difference_update(ids)
        return ids

    def _is_news(self, number: int, *, quiet: bool) -> bool:
        if quiet or number in self._told:
            return False
        self._told.add(number)
        return True
