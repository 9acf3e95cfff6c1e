"""Progress bars, for whatever takes over two seconds while somebody looks on.

The one mechanism for all commands. Without a terminal on stderr nothing is ever drawn; what is
printed meanwhile appears above the bar, and when the work ends the bar is gone.
"""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from typing import TYPE_CHECKING, Final

from checkfirst.cli import screen
from checkfirst.policy.columns import shorten
from checkfirst.policy.names import escape
from checkfirst.vault.digest import LOOK_UP_BYTES

if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn, TaskID

PATIENCE_SECONDS: Final = 2.0
_LABEL: Final = 32


class Unit(Enum):
    """What is counted."""

    BYTES = "bytes"
    ENTRIES = "entries"
    """Lines, rows, files: plain numbers."""
    SHARE = "share"
    """Something that tells a person nothing; only how much of it is done."""


class Bar:
    """How far the work is. May be told from any thread, however often."""

    def __init__(
        self,
        label: str,
        total: int | None,
        unit: Unit,
        monotonic: Callable[[], float],
        *,
        is_seen: bool,
    ) -> None:
        """Use `progress`."""
        self._is_seen = is_seen
        self._label = shorten(escape(label), _LABEL)
        self._total = total
        self._unit = unit
        self._monotonic = monotonic
        self._begun = monotonic()
        self._lock = threading.Lock()
        self._done = 0
        self._ended = False
        self._drawn: tuple[Progress, TaskID] | None = None

    def advance(self, count: int) -> None:
        """So much more is done."""
        with self._lock:
            self._done += count
            if self._drawn is not None:
                drawing, task = self._drawn
                drawing.update(task, completed=self._shown())
            elif self._is_seen and self._monotonic() - self._begun >= PATIENCE_SECONDS:
                self._draw()

    def is_stopped(self) -> bool:
        """For the vault's long reads, which ask every 16 MiB whether to go on: so far are we.

        Yes once the bar has ended, so that no thread reads on for a command that was given up.
        """
        self.advance(LOOK_UP_BYTES)
        return self._ended

    def end(self) -> None:
        """Take the bar away."""
        with self._lock:
            self._ended, self._is_seen = True, False
            if self._drawn is not None:
                self._drawn[0].stop()
                self._drawn = None

    def _shown(self) -> int:
        return self._done if self._total is None else min(self._done, self._total)

    def _draw(self) -> None:
        from rich.console import Console  # noqa: PLC0415  (53 ms, for long work alone)
        from rich.progress import Progress  # noqa: PLC0415

        drawing = Progress(
            *_columns(self._unit, is_bounded=self._total is not None),
            console=Console(
                stderr=True, color_system="auto" if screen.has_colours(sys.stderr) else None
            ),
            transient=True,
            redirect_stdout=sys.stdout.isatty(),  # never what goes into a pipe
        )
        task = drawing.add_task(self._label, total=self._total, completed=self._shown())
        drawing.start()
        self._drawn = drawing, task


@contextmanager
def progress(
    label: str,
    total: int | None,
    unit: Unit = Unit.BYTES,
    *,
    monotonic: Callable[[], float] = time.monotonic,
) -> Iterator[Bar]:
    """Show how far the work inside is, which tells it by `advance`.

    `label` says what is done, such as `Reading name.iso`, and may hold hostile text. `total` None:
    nobody knows how much there is. `monotonic` gives seconds.
    """
    bar = Bar(label, total, unit, monotonic, is_seen=sys.stderr.isatty())
    try:
        yield bar
    finally:
        bar.end()


def _columns(unit: Unit, *, is_bounded: bool) -> list["ProgressColumn"]:
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        DownloadColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    label = TextColumn("{task.description}", markup=False)
    entries = "{task.completed:,.0f}" + (" of {task.total:,.0f}" if is_bounded else "")
    amount: dict[Unit, list[ProgressColumn]] = {
        Unit.BYTES: [DownloadColumn()],
        Unit.ENTRIES: [TextColumn(entries)],
        Unit.SHARE: [],
    }
    left = [TextColumn("{task.percentage:>3.0f} %"), TimeRemainingColumn()] if is_bounded else []
    return [label, BarColumn(), *amount[unit], *left]
