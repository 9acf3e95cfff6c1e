"""Tells the desktop: one notification for a burst, and no trouble of its own to anybody.

What cannot be shown is dropped, since log, status and history have it all. Why it could not is
said once. Nothing here waits without a limit or keeps more than a few pieces of news.
"""

import asyncio
import logging
from collections.abc import Collection

from checkfirst.clock import Clock
from checkfirst.logs import say
from checkfirst.notify.news import Kind, News
from checkfirst.notify.notifier import CannotNotifyError, Notifier
from checkfirst.notify.wording import NAMED, Heard, notice

_log = logging.getLogger(__name__)

WINDOW_SECONDS = 2.0
"""From the first piece of news to the notification: a burst is to be one."""
REST_SECONDS = 15.0
"""From one notification to the next; a long burst must not be a hail of them."""
SAME_AGAIN_SECONDS = 3600.0
"""A problem in the very same words is not told twice within this time."""
LIMIT_SECONDS = 10.0
LAST_WORDS_SECONDS = 2.0

_MOST_REMEMBERED = 256


class Crier:
    """Gathers news and has it shown; `run` is a role, everything else comes back at once."""

    def __init__(
        self,
        notifier: Notifier,
        kinds: Collection[Kind],
        clock: Clock,
        *,
        limit_seconds: float = LIMIT_SECONDS,
    ) -> None:
        """`kinds`: what is told. `limit_seconds`: how long showing may take."""
        self._notifier = notifier
        self._kinds = kinds
        self._clock = clock
        self._limit = limit_seconds
        self._heard: dict[Kind, Heard] = {}
        self._some = asyncio.Event()
        self._told: dict[str, float] = {}
        self._is_mute = False

    def put(self, news: News) -> None:
        """Have it told, if its kind is wanted."""
        if news.kind not in self._kinds or self._was_told(news):
            return
        before = self._heard.get(news.kind, Heard((), 0))
        first = (*before.first, news) if before.number < NAMED else before.first
        self._heard[news.kind] = Heard(first, before.number + 1)
        self._some.set()

    async def run(self) -> None:
        """Tell until cancelled; what is still to be told then is told at once."""
        if self._kinds and (reason := await asyncio.to_thread(self._notifier.why_not_blocking)):
            self._mute(reason)
        try:
            while True:
                await self._some.wait()
                await self._clock.sleep(WINDOW_SECONDS)
                await self._tell(self._limit)
                await self._clock.sleep(REST_SECONDS)
        finally:
            await self._tell(LAST_WORDS_SECONDS)
            await self._notifier.close()

    async def _tell(self, limit: float) -> None:
        if not self._heard:
            return
        burst, self._heard = self._heard, {}
        self._some.clear()
        try:
            async with asyncio.timeout(limit):
                await self._notifier.show(notice(burst))
        except TimeoutError:
            self._mute("the desktop does not answer")
        except CannotNotifyError as error:
            self._mute(str(error))
        else:
            self._is_mute = False

    def _mute(self, reason: str) -> None:
        """Say it once; a machine without a desktop is no machine with a problem."""
        if not self._is_mute:
            text = "no notifications are shown: %s; the log tells everything"
            say(_log, logging.INFO, "notify", text, reason)
        self._is_mute = True

    def _was_told(self, news: News) -> bool:
        if news.kind is not Kind.PROBLEM:
            return False
        now = self._clock.monotonic()
        at = self._told.get(news.text)
        if at is not None and now - at < SAME_AGAIN_SECONDS:
            return True
        if len(self._told) >= _MOST_REMEMBERED:
            self._told.pop(next(iter(self._told)))
        self._told[news.text] = now
        return False
