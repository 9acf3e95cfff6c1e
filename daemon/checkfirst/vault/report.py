"""What is known of a quarantined file, and report.json, which keeps it beside the payload.

The JSON alone is enough to restore the file when the database is lost. When it is read it is
hostile input: whoever can write to the folder can write to it.
"""

import base64
import json
import re
from dataclasses import dataclass
from typing import Final, Self

from checkfirst.clock import iso
from checkfirst.model import Arrival, Risk, State, VerdictKind
from checkfirst.policy.names import show
from checkfirst.vault.hostile import read_object

LARGEST: Final = 256 * 1024
"""Bytes of JSON that are believed to be a report."""

_NUMBER: Final = re.compile(r"[0-9]{1,18}")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_LINK: Final = re.compile(r"https?://[!-~]+")
_MOST: Final = 2**63 - 1
_NOT_A_NAME: Final = frozenset({b"", b".", b".."})


@dataclass(frozen=True, slots=True)
class Report:
    """Everything known about a quarantined file."""

    id: int
    origin: bytes
    """The absolute path it had."""
    sha256: str
    size: int
    mode: int
    """Permission bits as it arrived."""
    mtime_ns: int
    state: State = State.QUARANTINED
    verdict: VerdictKind | None = None
    source: str | None = None
    reason: str | None = None
    detections: int | None = None
    engines: int | None = None
    threats: tuple[str, ...] = ()
    content_type: str | None = None
    risk: Risk | None = None
    report_url: str | None = None
    destination: bytes | None = None
    """The folder in the quarantine."""
    arrived_at: float | None = None
    decided_at: float | None = None
    until: float | None = None
    submitted_at: float | None = None
    origin_url: str | None = None
    """The address that the file says it came from."""

    @property
    def name(self) -> bytes:
        """The file's own name."""
        return self.origin.rpartition(b"/")[2]

    @classmethod
    def of(cls, arrival: Arrival) -> Self:
        """The report of an arrival that is to be quarantined; ValueError when facts are missing."""
        sha256, size, mtime_ns = arrival.sha256, arrival.size, arrival.mtime_ns
        if sha256 is None or size is None or mtime_ns is None:
            raise ValueError("an arrival without fingerprint cannot be quarantined")
        return cls(
            id=arrival.id,
            origin=arrival.origin,
            sha256=sha256,
            size=size,
            mode=0o600 if arrival.mode is None else arrival.mode & 0o7777,
            mtime_ns=mtime_ns,
            verdict=arrival.verdict,
            source=arrival.source,
            reason=arrival.reason,
            detections=arrival.detections,
            engines=arrival.engines,
            threats=arrival.threats,
            content_type=arrival.content_type,
            risk=arrival.risk,
            report_url=arrival.report_url,
            destination=arrival.destination,
            arrived_at=arrival.arrived_at,
            decided_at=arrival.decided_at,
            until=arrival.until,
            submitted_at=arrival.submitted_at,
            origin_url=arrival.origin_url,
        )

    def arrival(self, folder: bytes) -> Arrival:
        """A row for the journal, as far as the report tells it; its id is the journal's to give."""
        return Arrival(
            id=0,
            state=State.QUARANTINED,
            root=b"",
            origin=self.origin,
            size=self.size,
            mtime_ns=self.mtime_ns,
            mode=self.mode,
            sha256=self.sha256,
            content_type=self.content_type,
            risk=self.risk,
            verdict=self.verdict,
            source=self.source,
            reason=self.reason,
            detections=self.detections,
            engines=self.engines,
            report_url=self.report_url,
            threats=self.threats,
            destination=folder,
            arrived_at=self.arrived_at,
            decided_at=self.decided_at,
            submitted_at=self.submitted_at,
            origin_url=self.origin_url,
        )

    def to_json(self) -> bytes:
        """The contents of report.json."""
        facts: dict[str, object] = {
            "id": str(self.id),
            "name": show(self.name),
            "origin": show(self.origin),
            "sha256": self.sha256,
            "size": self.size,
            "state": self.state,
            "verdict": self.verdict,
            "source": self.source,
            "reason": self.reason,
            "detections": self.detections,
            "engines": self.engines,
            "report_url": self.report_url,
            "destination": None if self.destination is None else show(self.destination),
            "arrived_at": iso(self.arrived_at),
            "decided_at": iso(self.decided_at),
            "until": iso(self.until),
            "submitted_at": iso(self.submitted_at),
            "origin_url": self.origin_url,
            "threats": list(self.threats),
            "content_type": self.content_type,
            "risk": self.risk,
            "mode": self.mode,
            "mtime_ns": self.mtime_ns,
            "name_base64": base64.b64encode(self.name).decode(),
            "origin_base64": base64.b64encode(self.origin).decode(),
        }
        return json.dumps(facts, indent=2).encode() + b"\n"

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Read report.json; ValueError for anything that is not wholly a sound report."""
        facts = read_object(data, LARGEST)
        return cls(
            id=int(facts.text("id", _NUMBER)),
            origin=_origin(facts.base64("origin_base64"), facts.base64("name_base64")),
            sha256=facts.text("sha256", _SHA256),
            size=facts.whole("size", 0, _MOST),
            mode=facts.whole("mode", 0, 0o7777),
            mtime_ns=facts.whole("mtime_ns", -_MOST, _MOST),
            state=State(facts.text("state")),
            verdict=facts.maybe("verdict", lambda key: VerdictKind(facts.text(key))),
            source=facts.maybe("source", facts.text),
            reason=facts.maybe("reason", facts.text),
            detections=facts.maybe("detections", lambda key: facts.whole(key, 0, _MOST)),
            engines=facts.maybe("engines", lambda key: facts.whole(key, 0, _MOST)),
            threats=facts.maybe("threats", facts.texts) or (),
            content_type=facts.maybe("content_type", facts.text),
            risk=facts.maybe("risk", lambda key: Risk(facts.text(key))),
            report_url=facts.maybe("report_url", lambda key: facts.text(key, _LINK)),
            arrived_at=facts.maybe("arrived_at", facts.seconds),
            decided_at=facts.maybe("decided_at", facts.seconds),
            until=facts.maybe("until", facts.seconds),
            submitted_at=facts.maybe("submitted_at", facts.seconds),
            origin_url=facts.maybe("origin_url", facts.text),
        )


def _origin(origin: bytes, name: bytes) -> bytes:
    """The path; its last part must be the name that is given besides."""
    if not origin.startswith(b"/") or b"\0" in origin or name in _NOT_A_NAME:
        raise ValueError("origin is no path of a file")
    if origin.rpartition(b"/")[2] != name:
        raise ValueError("origin and name disagree")
    return origin
