"""Opens a report for the person: at the press of a button, or by itself where that is wished.

A program that opens things because of what strangers sent must be narrow: pages of VirusTotal and
folders, nothing else, one at a time.
"""

import asyncio
import logging
import re
from collections.abc import Callable

from checkfirst.clock import Clock
from checkfirst.errors import FileProblem
from checkfirst.logs import say
from checkfirst.policy.names import escape, show

_log = logging.getLogger(__name__)

REST_SECONDS = 60.0
"""From one page that opens by itself to the next: one for a burst, however long it is."""
_MOST_WAITING = 8
_PAGE = re.compile(r"https://www\.virustotal\.com/[A-Za-z0-9/_.?=&#-]*")


def is_page(url: str) -> bool:
    """Whether this is an address of VirusTotal's, and nothing but an address."""
    return _PAGE.fullmatch(url) is not None


class Opener:
    """Opens what it is asked to in threads of its own; `run` is a role."""

    def __init__(self, open_blocking: Callable[[str | bytes], None], clock: Clock) -> None:
        """`open_blocking` raises FileProblem."""
        self._open_blocking = open_blocking
        self._clock = clock
        self._wanted: asyncio.Queue[str | bytes] = asyncio.Queue(_MOST_WAITING)
        self._last: float | None = None

    def press(self, target: str | bytes) -> None:
        """A person pressed the button; what is pressed too often is passed over."""
        if (isinstance(target, bytes) or is_page(target)) and not self._wanted.full():
            self._wanted.put_nowait(target)

    def unasked(self, url: str) -> None:
        """Open this page by itself, unless one was opened so a moment ago."""
        now = self._clock.monotonic()
        if self._last is None or now - self._last >= REST_SECONDS:
            self._last = now
            self.press(url)

    async def run(self) -> None:
        """Open until cancelled."""
        while True:
            target = await self._wanted.get()
            try:
                await asyncio.to_thread(self._open_blocking, target)
            except FileProblem as problem:
                say(_log, logging.INFO, "notify", "%s", problem)
            else:
                shown = show(target) if isinstance(target, bytes) else escape(target)
                say(_log, logging.DEBUG, "notify", "opened %s", shown)
