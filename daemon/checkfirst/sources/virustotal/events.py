"""What the source lets others know, so that they can put it into words in the log."""

from collections.abc import Callable
from dataclasses import dataclass

from checkfirst.policy.quota import Limits


@dataclass(frozen=True, slots=True)
class Asked:
    """VirusTotal is asked about a file for the first time."""

    sha256: str


@dataclass(frozen=True, slots=True)
class AskedAgain:
    """VirusTotal is asked once more about a file that has come to its end."""

    sha256: str


@dataclass(frozen=True, slots=True)
class Sending:
    """An upload goes on; said for every piece, so for whoever shows it and not for a log."""

    sha256: str
    sent: int
    """Bytes handed over so far; fewer than before when it is tried once more."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """A file was uploaded."""

    sha256: str
    size: int
    analysis_id: str
    """Empty where its upload was cut off and has arrived all the same."""
    at: float


@dataclass(frozen=True, slots=True)
class TakenUp:
    """An upload that an earlier run has left undone is to come now."""

    sha256: str
    name: bytes


@dataclass(frozen=True, slots=True)
class Waived:
    """An upload that nobody waits for is not to come any more."""

    sha256: str
    name: str
    """Fit to be shown."""
    reason: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """All questions wait; said once for each reason."""

    reason: str
    until: float
    at: float
    """When it is said; like `until` in seconds since the epoch."""


@dataclass(frozen=True, slots=True)
class Learned:
    """VirusTotal has told what the account may ask for; said when that is news."""

    limits: Limits
    """Of a minute, a day and a month; 0 is none that was told."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something is wrong: with one file when a SHA-256 is given, else with the whole source."""

    text: str
    """Title and what to do."""
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Recovered:
    """The problem of the whole source is over."""


Event = (
    Asked
    | AskedAgain
    | Sending
    | Submitted
    | TakenUp
    | Waived
    | Waiting
    | Learned
    | Problem
    | Recovered
)
OnEvent = Callable[[Event], None]


def nobody_listens(event: Event) -> None:
    """Let it be."""
    del event
