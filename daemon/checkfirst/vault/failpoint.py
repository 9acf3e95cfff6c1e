"""Points between two steps at which a crash test kills the process.

Unarmed, which is always outside tests, a point is one comparison. Armed by the environment
variable CHECKFIRST_FAILPOINT (`release.moved`, `release.moved:3` for the third time it is reached,
or `*:7` for the seventh point whichever it is), the process gets SIGKILL there: no handler runs
and nothing is flushed, as in a crash.
"""

import itertools
import os
import signal

VARIABLE = "CHECKFIRST_FAILPOINT"

NAMES = (
    "hold.grasped",
    "hold.slot",
    "hold.renamed",
    "hold.copied",
    "hold.linked",
    "hold.synced",
    "hold.unlinked",
    "release.chmodded",
    "release.moved",
    "release.copied",
    "release.linked",
    "release.synced",
    "release.unlinked",
    "release.linked_back",
    "quarantine.folder",
    "quarantine.text",
    "quarantine.report",
    "quarantine.named",
    "quarantine.chmodded",
    "quarantine.moved",
    "quarantine.copied",
    "quarantine.linked",
    "quarantine.synced",
    "quarantine.unlinked",
    "restore.opened",
    "restore.verified",
    "restore.noted",
    "restore.chmodded",
    "restore.moved",
    "restore.copied",
    "restore.linked",
    "restore.synced",
    "restore.unlinked",
    "restore.text",
    "restore.report",
    "restore.note",
    "restore.folder",
    "delete.payload",
    "delete.text",
    "delete.report",
    "delete.note",
    "delete.folder",
)
"""Every point there is, in the order they are reached."""

_armed = os.environ.get(VARIABLE, "")
_reached = itertools.count(1)


def arm(wanted: str) -> None:
    """Arm a point from now on, for a process that was forked; "" disarms."""
    global _armed, _reached
    _armed, _reached = wanted, itertools.count(1)


def failpoint(name: str) -> None:
    """Die here, if this is the point that is armed."""
    if not _armed:
        return
    armed, _, times = _armed.partition(":")
    if armed in (name, "*") and next(_reached) == int(times or 1):
        os.kill(os.getpid(), signal.SIGKILL)
