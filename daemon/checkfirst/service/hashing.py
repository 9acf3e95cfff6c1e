"""Large files whose bytes are being read, and how far: it may take a quarter of an hour.

Told in status, so that nobody wonders why such a file is neither here nor there.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

from checkfirst.policy.sizes import readable

LARGE_BYTES = 8 * 1024 * 1024
"""Less is read in a moment."""

_BETWEEN_QUESTIONS = 16 * 1024 * 1024
"""So many bytes the vault reads before it asks again whether to stop."""


@dataclass(frozen=True, slots=True)
class Hashed:
    """A file that is being read."""

    id: int
    done: int
    size: int

    @property
    def words(self) -> str:
        """Why there is no verdict yet."""
        return f"its bytes are being read, {readable(self.done)} of {readable(self.size)} so far"


class Hashing:
    """Written by worker threads, read on the loop; each key has one writer."""

    def __init__(self, stopped: Callable[[], bool]) -> None:
        """`stopped`: whether long reading is to be given up."""
        self._stopped = stopped
        self._now: dict[int, Hashed] = {}

    def of(self, number: int, size: int) -> AbstractContextManager[Callable[[], bool]]:
        """What a long read of this arrival is to ask every 16 MiB."""
        return self._followed(number, size) if size >= LARGE_BYTES else nullcontext(self._stopped)

    @contextmanager
    def _followed(self, number: int, size: int) -> Iterator[Callable[[], bool]]:
        self._now[number] = Hashed(number, 0, size)
        try:
            yield lambda: self._is_stopped(number)
        finally:
            del self._now[number]

    def now(self) -> tuple[Hashed, ...]:
        """All that are being read."""
        return tuple(self._now.copy().values())

    def _is_stopped(self, number: int) -> bool:
        before = self._now[number]
        done = min(before.done + _BETWEEN_QUESTIONS, before.size)
        self._now[number] = Hashed(number, done, before.size)
        return self._stopped()
