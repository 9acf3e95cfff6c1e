"""What VirusTotal can say, and how it can fail to: the values that the client gives back."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from checkfirst.policy.quota import Limits


class FailureKind(StrEnum):
    """What can be done about a failure."""

    RETRY = "retry"
    """Again later: the network, the server, or something between us and it."""
    THROTTLED = "throttled"
    """Too many requests; says nothing about which quota ran out."""
    KEY_REFUSED = "key-refused"
    """No request will be answered until a person does something about the key."""
    TOO_LARGE = "too-large"
    """This file cannot be submitted."""
    REFUSED = "refused"
    """This question will not be answered as it was put."""
    UNPROVEN = "unproven"
    """The file is said to be unknown, and nothing shows that it was VirusTotal who was asked."""
    CHANGED = "changed"
    """The bytes are not those that were to be sent; the server has not got them."""


class Reach(StrEnum):
    """How far a request that failed has come."""

    UNSENT = "unsent"
    """It never left."""
    SENT = "sent"
    """It left, and nothing that VirusTotal could have said came back."""
    ANSWERED = "answered"
    """VirusTotal itself has answered."""


@dataclass(frozen=True, slots=True)
class Report:
    """GET /files/{id}: what is known of the file."""

    sha256: str
    stats: Mapping[str, int] | None
    last_analysis_date: int | None
    threats: tuple[str, ...] = ()
    first_seen: int | None = None


@dataclass(frozen=True, slots=True)
class NotKnown:
    """Nothing by that id, in VirusTotal's own words."""


@dataclass(frozen=True, slots=True)
class AnalysisStatus:
    """GET /analyses/{id}: how far an analysis is."""

    finished: bool
    stats: Mapping[str, int] | None
    date: int | None
    threats: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Descriptor:
    """An upload was taken; this analysis will tell."""

    analysis_id: str


@dataclass(frozen=True, slots=True)
class UploadUrl:
    """Where one large file may be sent, once."""

    url: str


@dataclass(frozen=True, slots=True)
class Allowed:
    """GET /users/{id}/overall_quotas: how much an account may ask for."""

    limits: Limits
    """0 is none that was told."""


@dataclass(frozen=True, slots=True)
class Failure:
    """No answer, and why."""

    kind: FailureKind
    code: str
    message: str
    """Fit to be shown: without the key, escaped, cut."""
    reach: Reach = Reach.ANSWERED
    retry_after: float | None = None
    """Seconds that the server asked for."""
