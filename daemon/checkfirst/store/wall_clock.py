"""What becomes of stored moments when somebody sets the wall clock.

Moments are stored as the wall clock's, since they outlive the process and even the boot. Beside
them stands how far it was ahead of the monotonic clock, which all processes of one boot share and
nobody can set. When that has changed, the stored moments move along, so that what happened ten
seconds ago stays ten seconds ago. A machine that slept looks the same, and then waits too long by
a minute at most.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlite3 import Connection

    from checkfirst.clock import Clock


def boot_blocking(told: Path) -> str:
    """The name of a boot as the kernel tells it there; nothing where the system does not tell."""
    try:
        return told.read_text("ascii").strip()
    except OSError:
        return ""


BOOT = boot_blocking(Path("/proc/sys/kernel/random/boot_id"))
"""This boot."""

AHEAD = "SELECT boot, ahead FROM wall_clock"

_NOTICEABLE = 0.005
"""Seconds; two clocks are never read at the same instant."""

_SHIFT = (
    "UPDATE requests SET sent_at = sent_at + ?1,"
    " presumed_answered_at = presumed_answered_at + ?1, answered_at = answered_at + ?1"
)


def moved(found: Iterable[Sequence[Any]], boot: str, ahead: float) -> float:
    """How far the wall clock was set since then, from what `AHEAD` finds; 0 after a new boot."""
    return next((ahead - before for then, before in found if then == boot), 0.0)


def follow_blocking(connection: "Connection", clock: "Clock", boot: str) -> float:
    """Let the requests' moments move along with the wall clock; gives the moment it is now."""
    now = clock.now()
    ahead = now - clock.monotonic()
    found = connection.execute(AHEAD).fetchall()
    seconds = moved(found, boot, ahead)
    if abs(seconds) > _NOTICEABLE:
        connection.execute(_SHIFT, (seconds,))
    elif found and found[0][0] == boot:
        return now
    connection.execute("DELETE FROM wall_clock")
    connection.execute("INSERT INTO wall_clock VALUES (?, ?)", (boot, ahead))
    return now
