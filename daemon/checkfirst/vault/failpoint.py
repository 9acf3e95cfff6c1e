"""Points between two steps at which a crash test kills the process.

Unarmed, which is always outside tests, a point is one comparison. Armed by the environment
variable CHECKFIRST_FAILPOINT (`release.moved`, or `release.moved:3` for the third time it is
reached), the process gets SIGKILL there: no handler runs and nothing is flushed, as in a crash.
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
    "restore.note",
    "restore.report",
    "restore.folder",
    "delete.payload",
    "delete.text",
    "delete.note",
    "delete.report",
    "delete.folder",
)
"""Every point there is, in the order they are reached."""

_ARMED, _, _TIMES = os.environ.get(VARIABLE, "").partition(":")
_reached = itertools.count(1)


def failpoint(name: str) -> None:
    """Die here, if this is the point that the environment names."""
    if _ARMED and name == _ARMED and next(_reached) == int(_TIMES or 1):
        os.kill(os.getpid(), signal.SIGKILL)
