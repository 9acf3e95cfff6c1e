"""From the watcher's threads to the event loop: coalesced paths, and one armed wake-up.

Nothing here may ever raise into the thread that calls: an exception in a watchdog handler ends its
observer for good, silently. And nothing may make the loop wait: a burst of tens of thousands of
events a second becomes one callback for each turn of the loop.
"""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass

from checkfirst.watch.sweep import HELD_NAME


@dataclass(frozen=True, slots=True)
class Heard:
    """What the threads have said since the last turn."""

    files: tuple[bytes, ...]
    """Paths to look at; links, pipes and things already gone among them."""
    folders: tuple[bytes, ...]
    """Folders that appeared below the root: what is in them may have got no event."""
    overflowed: bool
    """The kernel dropped events."""
    lost: bool
    """The root was deleted or its filesystem unmounted, or a handler failed."""


class Hints:
    """Collects for one root; `hear` is called on the loop."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        hear: Callable[[Heard], None],
        *,
        recursive: bool,
        excluded: frozenset[bytes],
    ) -> None:
        self._loop = loop
        self._hear = hear
        self.recursive = recursive
        self._excluded = tuple(folder + b"/" for folder in excluded)
        self._lock = threading.Lock()
        self._paths: dict[bytes, bool] = {}
        self._overflowed = False
        self._lost = False
        self._armed = False
        self._closed = False

    def path(self, path: bytes, *, folder: bool) -> None:
        """Something appeared, was closed after writing, or was renamed to this path."""
        if folder and not self.recursive:
            return
        if (path + b"/").startswith(self._excluded) or (b"/" + HELD_NAME + b"/") in path + b"/":
            return
        with self._lock:
            self._paths[path] = folder
        self._arm()

    def overflowed(self) -> None:
        """The kernel dropped events."""
        with self._lock:
            self._overflowed = True
        self._arm()

    def lost(self) -> None:
        """What was watched is gone, or the watcher is broken."""
        with self._lock:
            self._lost = True
        self._arm()

    def close(self) -> None:
        """Say nothing more: what these threads watched is watched by others now, or by none."""
        self._closed = True

    def _arm(self) -> None:
        with self._lock:
            armed, self._armed = self._armed, True
        if not armed:
            try:
                self._loop.call_soon_threadsafe(self._flush)
            except RuntimeError:  # the loop is closed: we are stopping
                self._armed = False

    def _flush(self) -> None:
        if not self._lock.acquire(blocking=False):  # held for an instant by a watcher's thread
            self._loop.call_soon(self._flush)
            return
        try:
            paths, self._paths = self._paths, {}
            overflowed, self._overflowed = self._overflowed, False
            lost, self._lost = self._lost, False
            self._armed = False
        finally:
            self._lock.release()
        if self._closed:
            return
        self._hear(
            Heard(
                files=tuple(path for path, folder in paths.items() if not folder),
                folders=tuple(path for path, folder in paths.items() if folder),
                overflowed=overflowed,
                lost=lost,
            )
        )
