"""What the journal is told: an arrival that begins, and a step that one takes."""

import stat
from typing import Any, Final, NamedTuple, TypedDict

from checkfirst.model import Risk, Stamp, State, VerdictKind


class Facts(TypedDict, total=False):
    """What a step learns of an arrival; a key that is left out keeps its value."""

    root: bytes
    origin: bytes
    held: bytes | None
    dev: int
    ino: int
    size: int
    mtime_ns: int
    mode: int
    sha256: str
    content_type: str
    risk: Risk
    verdict: VerdictKind
    source: str
    reason: str
    detections: int | None
    engines: int | None
    report_url: str | None
    threats: tuple[str, ...]
    destination: bytes | None
    arrived_at: float
    held_at: float
    asked_at: float
    decided_at: float | None
    finished_at: float | None
    until: float | None
    submitted_at: float | None
    origin_url: str | None


class NewArrival(NamedTuple):
    """A file that is about to be held, or (`LEFT`) could not be."""

    root: bytes
    origin: bytes
    held: bytes | None
    """Where it is to lie."""
    stamp: Stamp | None
    arrived_at: float
    state: State = State.HOLDING
    reason: str | None = None

    def facts(self) -> dict[str, Any]:
        """What its row says at first."""
        stamp = self.stamp
        return {
            "root": self.root,
            "origin": self.origin,
            "held": self.held,
            "arrived_at": self.arrived_at,
            "reason": self.reason,
            "dev": stamp and stamp.dev,
            "ino": stamp and stamp.ino,
            "size": stamp and stamp.size,
            "mtime_ns": stamp and stamp.mtime_ns,
            "mode": stamp and stat.S_IMODE(stamp.mode),
        }


_NOTHING: Final = Facts()


class Step(NamedTuple):
    """From one of the states `before` to `after`, if nobody else has been there."""

    id: int
    before: frozenset[State]
    after: State
    facts: Facts = _NOTHING
    keep: bool = False
    """Keep the claim, as more is to come; at an end state it goes all the same."""
