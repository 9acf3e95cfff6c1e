"""Work that has to come to its end whoever is cancelled: a move in a thread, a transaction."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

_log = logging.getLogger(__name__)

T = TypeVar("T")


async def finish(work: Coroutine[Any, Any, T], hurry: Callable[[], None] = lambda: None) -> T:
    """Await `work` to its end even when the caller is cancelled meanwhile, and however often.

    A move in a thread goes on after its awaiter is cancelled; its result must still be recorded.
    The cancellation is let through afterwards; `hurry` is called when it first comes. What goes
    wrong then is nobody's any more to act on: it is logged for whoever debugs.
    """
    # A task, because only a task survives the cancellation of the one that waits for it. It ends
    # before this function does, so it needs no other parent.
    task = asyncio.create_task(work, name="finish")
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            if cancelled is None:
                hurry()
            cancelled = error
    if cancelled is None:
        return task.result()
    if not task.cancelled() and (failed := task.exception()):
        _log.debug("it failed while its caller was cancelled", exc_info=failed)
    raise cancelled
