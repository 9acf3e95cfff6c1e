"""Waiting, for so long and no longer, for what may never come back.

A dead network mount hangs whoever looks at it, and a keyring may wait for a password that nobody
types. Neither can be interrupted from here, so the work is given a thread of its own that is left
behind, and that does not keep the program from ending.
"""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Pending(Generic[T]):
    """Work under way in a thread of its own."""

    def __init__(self, work: Callable[[], T], name: str) -> None:
        self._results: list[T] = []
        self._errors: list[BaseException] = []
        self._began = time.monotonic()
        self._thread = threading.Thread(target=self._run, args=(work,), name=name, daemon=True)
        self._thread.start()

    def result_blocking(self, seconds: float) -> T:
        """What the work returns or raises; TimeoutError when it took longer since its start.

        Work that is given up may still come to its end later.
        """
        self._thread.join(max(0.0, self._began + seconds - time.monotonic()))
        if self._errors:
            raise self._errors[0]
        if not self._results:
            raise TimeoutError(f"not done within {seconds:g} seconds")
        return self._results[0]

    def _run(self, work: Callable[[], T]) -> None:
        try:
            self._results.append(work())
        except BaseException as error:  # noqa: BLE001  (raised again where it is asked for)
            self._errors.append(error)


def within_blocking(seconds: float, work: Callable[[], T], name: str) -> T:
    """Start it and wait; see `Pending`. `name` is the thread's."""
    return Pending(work, name).result_blocking(seconds)
