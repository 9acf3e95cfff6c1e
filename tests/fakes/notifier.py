"""A desktop that only notes what it is shown."""

import asyncio

from checkfirst.notify.notifier import CannotNotifyError
from checkfirst.notify.wording import Notice


class RecordingNotifier:
    """Implements `checkfirst.notify.notifier.Notifier`."""

    def __init__(self, why_not: str | None = None) -> None:
        self.why_not = why_not
        self.fails: str | None = None
        self.hangs = False
        self.shown: list[Notice] = []
        self.closed = 0

    def why_not_blocking(self) -> str | None:
        return self.why_not

    async def show(self, notice: Notice) -> None:
        if self.hangs:
            await asyncio.Event().wait()
        if reason := self.why_not or self.fails:
            raise CannotNotifyError(reason)
        self.shown.append(notice)

    async def close(self) -> None:
        self.closed += 1
