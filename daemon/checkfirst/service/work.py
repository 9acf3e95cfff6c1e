"""What one lane hands from step to step: frozen values around an arrival."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Self

from checkfirst.model import (
    Action,
    Arrival,
    Decision,
    Fingerprint,
    Sighting,
    Stamp,
    State,
    Verdict,
    VerdictKind,
)
from checkfirst.vault.grip import Grip


class Below(NamedTuple):
    """What holds of the files below a watched folder."""

    leases: bool
    """Leases mean something there."""
    marks: bool
    """A mark of origin may lie beside a file."""


class Work(NamedTuple):
    """An arrival that is to be brought a step further."""

    arrival: Arrival
    stamp: Stamp | None = None
    """The file as it was when it settled; None once it is held."""
    sighting: Sighting | None = None
    verdict: Verdict | None = None
    """A remote source's answer; without one the local sources are asked."""
    submitted_at: float | None = None


class InHand(NamedTuple):
    """A held file, open, with the fingerprint of the bytes under that descriptor."""

    work: Work
    grip: Grip
    fingerprint: Fingerprint
    origin_url: str | None = None
    """The address that the file says it came from."""

    @property
    def verdict(self) -> Verdict | None:
        """The answer that came along, unless it was given for other bytes than these."""
        judged = self.work.arrival.sha256
        return self.work.verdict if judged == self.fingerprint.sha256 else None


@dataclass(frozen=True, slots=True)
class Missed:
    """A file that could not be brought to hand."""

    work: Work
    state: State
    """`gone`, `left`, or `held` when it lies in the held folder but cannot be judged yet."""
    reason: str
    quiet: bool = False
    """It will pass by itself (somebody still writes): nothing to alarm a person with."""


class Ordered(NamedTuple):
    """A file in hand with what is to be done with it."""

    hand: InHand
    verdict: Verdict
    decision: Decision
    decided_at: float


class Done(NamedTuple):
    """A decision that was carried out."""

    order: Ordered
    destination: bytes
    other_names: int = 0
    """Hard links that still give these bytes elsewhere."""

    @property
    def end(self) -> "End":
        """What there is to tell of it."""
        order, verdict = self.order, self.order.verdict
        arrival = order.hand.work.arrival
        return End(
            id=arrival.id,
            name=arrival.name,
            state=_AFTER[order.decision.action],
            reason=order.decision.reason,
            sha256=order.hand.fingerprint.sha256,
            verdict=verdict.kind,
            source=verdict.source,
            report_url=verdict.report_url,
            destination=self.destination,
        )


_AFTER = {Action.RELEASE: State.RELEASED, Action.QUARANTINE: State.QUARANTINED}


@dataclass(frozen=True, slots=True)
class End:
    """How a file has ended, as a person is told of it."""

    id: int
    name: bytes
    state: State
    reason: str
    sha256: str | None
    verdict: VerdictKind | None
    source: str | None
    report_url: str | None
    destination: bytes | None

    @classmethod
    def of(cls, row: Arrival) -> Self:
        """The same of a row that says so."""
        return cls(
            id=row.id,
            name=row.name,
            state=row.state,
            reason=row.reason or "",
            sha256=row.sha256,
            verdict=row.verdict,
            source=row.source,
            report_url=row.report_url,
            destination=row.destination,
        )


@dataclass(frozen=True, slots=True)
class Undone:
    """A decision that could not be carried out; the file is still held."""

    order: Ordered
    reason: str
    quiet: bool = False
    """It will pass by itself."""


class Turn(StrEnum):
    """What follows when the second look at a file says something else than the first."""

    TAKEN_BACK = "taken-back"
    """It was let go, is malicious, and is being taken back."""
    UNCLEAR = "unclear"
    """The same, but it cannot be read now."""
    CHANGED = "changed"
    """The same, but what was put there was changed."""
    MISSING = "missing"
    """The same, but what was put there is no longer there."""
    CLEARED = "cleared"
    """It was stopped for being unknown, is clean, and can be restored."""
    RESTORED = "restored"
    """The same, and it was."""
    CONFIRMED = "confirmed"
    """It was stopped for being unknown, and is malicious."""
    NOTHING = "nothing"
    """It stays where it is."""


ASTRAY = frozenset({Turn.CHANGED, Turn.MISSING})
"""A malicious file is where nobody knows."""


@dataclass(frozen=True, slots=True)
class Again:
    """A second look at a file that had come to its end."""

    file: Arrival
    verdict: Verdict
    turn: Turn
    place: bytes | None = None
    """Where a restored one lies."""
