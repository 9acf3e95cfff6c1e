"""When has a file stopped changing? The tracker of one path, as a pure step.

A file is ready once its stamp has been the same for the quiet time, it is a regular file that is
not empty, its name is not (or no longer) excused as temporary, and no aria2 control file lies
beside it. A mark of origin that is a file of its own lets the file that it tells of go first, so
that it can still be read there. Whether somebody still holds it open for writing is asked of the
kernel afterwards; a refusal comes back through `refused`. All moments are monotonic seconds.
"""

from dataclasses import dataclass
from math import inf
from stat import S_ISREG
from typing import NamedTuple, assert_never

from checkfirst.model import Stamp
from checkfirst.policy.ignore import Temporary, ignored, temporary
from checkfirst.policy.origin_mark import told_of

OTHER_EXPIRES = 600.0
"""A name that merely looks temporary is excused for ten minutes since the last change."""

LONGER_AT_LEAST = 10.0
"""Quiet seconds where the kernel cannot tell about writers: a stalled server easily pauses 8 s."""

STUCK_AFTER = 600.0
"""A file held open for writing this long without a change is a problem to tell."""

_LOOK_AGAIN_AT_LEAST = 1.0
_LOOK_AGAIN_AT_MOST = 300.0
_REFUSED_FIRST = 0.5
_REFUSED_AT_MOST = 10.0
_DOUBLINGS = 5


@dataclass(frozen=True, slots=True)
class Rules:
    """What the settings and the folder's filesystem ask for."""

    settle: float
    """Quiet seconds before a file counts as finished."""
    longer: bool
    """Leases are not to be had here, so only a longer quiet time protects."""
    temporary_expires: float
    """Seconds without a change after which an inert temporary name is a name like any other."""
    ignore: tuple[str, ...] = ()
    """The user's globs."""

    @property
    def quiet(self) -> float:
        """Seconds without a change that are asked for."""
        return max(self.settle, LONGER_AT_LEAST) if self.longer else self.settle


class Watched(NamedTuple):
    """What is remembered of a path between two looks."""

    stamp: Stamp | None
    quiet_since: float
    """When it was last seen to have changed, or first looked at."""
    first_seen: float
    attempts: int = 0
    """How often in a row the lease was refused."""
    refused_since: float | None = None


class Wait(NamedTuple):
    """Look again at `due`, or sooner when there is a hint."""

    entry: Watched
    due: float
    postponed: bool = False
    """Quiet, and yet not finished by its name or its emptiness: nobody knows how long."""


class Ready(NamedTuple):
    """It has settled as far as looking can tell."""

    entry: Watched


class Forget(NamedTuple):
    """There is nothing to take here."""

    reason: str


Step = Wait | Ready | Forget
"""What a look leads to."""


def begin(now: float) -> Watched:
    """Start to follow a path that has not been looked at yet."""
    return Watched(stamp=None, quiet_since=now, first_seen=now)


def observe(
    entry: Watched,
    name: bytes,
    seen: Stamp | None,
    has_partner: bool,  # noqa: FBT001  (a fact of the look like the others)
    now: float,
    rules: Rules,
) -> Step:
    """Say what follows from one look: `seen` is the stamp without following links, None if gone."""
    if seen is None:
        return Forget("it is gone")
    if not S_ISREG(seen.mode):
        return Forget("it is not a regular file")
    if glob := ignored(name, rules.ignore):
        return Forget(f"it matches {glob} of the setting intake.ignore")
    if seen != entry.stamp:
        entry = Watched(stamp=seen, quiet_since=now, first_seen=entry.first_seen)
    due = entry.quiet_since + rules.quiet
    if now < due:
        return Wait(entry, due)
    is_mark = told_of(name) is not None
    if seen.size == 0 or (has_partner and not is_mark):
        return _postponed(entry, now)
    excused = OTHER_EXPIRES if has_partner else _excused(name, rules)
    expires = entry.quiet_since + excused
    return Ready(entry) if now >= expires else _postponed(entry, now, expires)


def refused(entry: Watched, now: float) -> Wait:
    """Say when to ask again for a lease that was refused, since somebody has the file open."""
    pause = min(_REFUSED_FIRST * 2 ** min(entry.attempts, _DOUBLINGS), _REFUSED_AT_MOST)
    since = now if entry.refused_since is None else entry.refused_since
    return Wait(entry._replace(attempts=entry.attempts + 1, refused_since=since), now + pause)


def stuck(entry: Watched, now: float) -> bool:
    """Whether leases have been refused for so long that a person should hear who holds the file."""
    return entry.refused_since is not None and now >= entry.refused_since + STUCK_AFTER


def _excused(name: bytes, rules: Rules) -> float:
    """Seconds without a change for which the name alone is a reason to wait."""
    match temporary(name):
        case Temporary.INERT:
            return rules.temporary_expires
        case Temporary.OTHER:
            return OTHER_EXPIRES
        case Temporary.NO:
            return 0.0
        case other:  # pragma: no cover
            assert_never(other)


def _postponed(entry: Watched, now: float, expires: float = inf) -> Wait:
    """Look again after as long as it has already been still.

    What has just changed is looked at often, what lies about for hours every five minutes: tens of
    thousands of leftovers then cost next to nothing, even where no event ever comes.
    """
    still = now - entry.quiet_since
    pause = min(max(still, _LOOK_AGAIN_AT_LEAST), _LOOK_AGAIN_AT_MOST)
    return Wait(entry, min(now + pause, expires), postponed=True)
