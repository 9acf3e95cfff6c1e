"""Waiting, for so long and no longer, for what may never come back.

A dead network mount hangs whoever looks at it, and a keyring may wait for a password that nobody
types. Neither can be interrupted from here, so the work is given a thread of its own that is left
behind, and that does not keep the program from ending.
"""

import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def within_blocking(seconds: float, work: Callable[[], T], name: str) -> T:
    """What `work` returns or raises; TimeoutError when it is not done in time.

    `name` is the thread's. Work that is given up may still come to its end later.
    """
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:  # noqa: BLE001  (raised again where it was asked for)
            errors.append(error)

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not results:
        raise TimeoutError(f"not done within {seconds:g} seconds")
    return results[0]
