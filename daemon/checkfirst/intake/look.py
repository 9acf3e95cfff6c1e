"""One look at many paths, in one thread hop: stat, the rules, and for what is quiet the lease.

The only step of settling that touches files. It keeps nothing: what it needs to know of a path
comes in with it, and what follows goes out.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from checkfirst.model import Sighting, Stamp
from checkfirst.policy.ignore import Temporary, is_partner, partner, temporary
from checkfirst.policy.origin_mark import told_of
from checkfirst.policy.settle import (
    Forget,
    Ready,
    Rules,
    Wait,
    Watched,
    observe,
    refused,
)
from checkfirst.vault.grip import lease_blocking, stamp_of

_TOLD_WITHIN = 0.1
"""Seconds in which the kernel's news of a file comes here, in a burst as well."""

_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY


class Settled(NamedTuple):
    """A file that has stopped changing, as far as can be told without taking it."""

    sighting: Sighting
    stamp: Stamp
    leased: bool | None
    """True: the kernel says that nobody writes. None: it cannot say, so a longer quiet time did."""


class Asked(NamedTuple):
    """A path whose time has come."""

    sighting: Sighting
    watched: Watched
    leases: bool
    """Whether leases are to be had below its root."""


Result = Settled | Wait | Forget


@dataclass(frozen=True, slots=True)
class Looker:
    """What a look goes by."""

    rules: Rules
    spares: Callable[[Sighting, Stamp], bool]
    """Called in a thread: whether the file was there before the first start."""
    paired: set[bytes] = field(default_factory=set)
    """Roots below which a file has been sighted that belongs to the one beside it: a control file
    or a mark of origin. To look for such beside each file would cost as much as all else here."""

    def heed(self, sightings: Iterable[Sighting]) -> None:
        """Learn which files may have such beside them, before any of these is looked at."""
        for root, path, asked in sightings:
            # What lies beside a file that a person asked for need not have been sighted.
            if asked or is_partner(path) or told_of(path) is not None:
                self.paired.add(root)

    def may_be_paired(self, root: bytes) -> bool:
        """Whether one may lie beside a file there: was sighted, or there was no time for that."""
        return root in self.paired or self.rules.settle < _TOLD_WITHIN

    def look_blocking(
        self, asked: Sequence[Asked], now: Callable[[], float]
    ) -> list[tuple[Asked, Result]]:
        """Look at each; `now` gives monotonic seconds."""
        return [(one, self._look_blocking(one, now())) for one in asked]

    def _look_blocking(self, asked: Asked, now: float) -> Result:
        sighting, watched = asked.sighting, asked.watched
        seen = _stamp_blocking(sighting.path)
        if seen is None:
            return Forget("it is gone")
        is_news = watched.stamp is None or not watched.stamp.same_file(seen)
        if is_news and self.spares(sighting, seen):
            return Forget("it was here before the first start")
        name = _telling_name(sighting)
        rules = self.rules if asked.leases else replace(self.rules, longer=True)
        # Where the look is too early for a partner to matter, its system call is saved.
        may_be_quiet = not is_news or rules.quiet == 0
        # Where leases mean nothing events do not tell of everything either.
        may_have = may_be_quiet and (not asked.leases or self.may_be_paired(sighting.root))
        beside = told_of(sighting.path) or partner(sighting.path)
        has_partner = may_have and os.path.lexists(beside)
        step = observe(watched, name, seen, has_partner, now, rules)
        if not isinstance(step, Ready):
            return step
        lease = _lease_blocking(sighting.path) if asked.leases else None
        if lease is False:
            return refused(step.entry, now)
        if lease is None:
            longer = replace(rules, longer=True)
            step = observe(step.entry, name, seen, has_partner, now, longer)
            if not isinstance(step, Ready):
                return step
        return Settled(sighting, seen, lease)


def _stamp_blocking(path: bytes) -> Stamp | None:
    try:
        return stamp_of(os.lstat(path))
    except OSError:  # what cannot be looked at now is brought back by an event or the next sweep
        return None


def _lease_blocking(path: bytes) -> bool | None:
    try:
        descriptor = os.open(path, _OPEN)
    except OSError:  # unreadable, or gone by now: the longer quiet time and the next look decide
        return None
    try:
        return lease_blocking(descriptor)
    finally:
        os.close(descriptor)  # and the lease with it


def _telling_name(sighting: Sighting) -> bytes:
    """The first folder on the way that is temporary as a whole, such as Safari's, or the name."""
    below = sighting.path[len(sighting.root) :].lstrip(b"/")
    if b"/" not in below:
        return below
    *folders, name = below.split(b"/")
    return next((part for part in folders if temporary(part) is not Temporary.NO), name)
