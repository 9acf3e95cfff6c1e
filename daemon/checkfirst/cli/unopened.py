"""Tells a person without a terminal what was not opened, and why.

A file manager starts `checkfirst check --open` with nobody to read what it prints.
"""

import contextlib
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from checkfirst.errors import FileProblem
from checkfirst.model import Action
from checkfirst.notify.notifier import CannotNotifyError, Notifier
from checkfirst.notify.wording import Notice
from checkfirst.policy.names import escape, show

if TYPE_CHECKING:
    from checkfirst.service.checking import Judged

HOW_TO = Notice(
    "Check First opens files", "Drop files on it, or choose it for them in your file manager."
)
"""For whoever starts it from a menu."""

_LIMIT_SECONDS = 10.0
_MOST_NAMED = 5
_LONGEST_NAME = 60


def somebody_reads() -> bool:
    """Whether what is printed can be seen by a person; a pipe or a file has a reader too."""
    return any(stream is not None and stream.isatty() for stream in (sys.stdout, sys.stderr))


def notice(judged: Sequence["Judged"], problems: Sequence[FileProblem]) -> Notice | None:
    """What is to be told; None when everything was opened."""
    closed = [each for each in judged if each.decision.action is not Action.RELEASE]
    lines = [
        f"{show(each.looked.given.rpartition(b'/')[2], _LONGEST_NAME)}: "
        f"{escape(each.decision.reason)}"
        for each in closed
    ] + [escape(str(problem)) for problem in problems]
    if not lines:
        return None
    is_grave = any(each.decision.action is Action.QUARANTINE for each in closed)
    if is_grave:
        title = "checkfirst stopped a file" if len(closed) == 1 else "checkfirst stopped files"
    else:
        title = "checkfirst could not open it" if not closed else "checkfirst did not open it"
    more = [f"and {len(lines) - _MOST_NAMED} more"] if len(lines) > _MOST_NAMED else []
    return Notice(title, "\n".join([*lines[:_MOST_NAMED], *more]), is_grave)


def tell_blocking(told: Notice, notifier: Notifier) -> None:
    """Show it; where that cannot be, it has been printed, and there is nobody else to tell."""
    import asyncio  # noqa: PLC0415  (heavy, and most have a terminal)

    with contextlib.suppress(CannotNotifyError, TimeoutError):
        asyncio.run(_show(told, notifier))


async def _show(told: Notice, notifier: Notifier) -> None:
    import asyncio  # noqa: PLC0415  (as above)

    try:
        async with asyncio.timeout(_LIMIT_SECONDS):
            await notifier.show(told)
    finally:
        await notifier.close()
