"""What keeps the whole source from asking: no network, too many requests, a bad key or address.

While it stands nothing is sent; when its time is up one request is let through to see whether it
is still there, and it stands again, for longer, when that fails.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from checkfirst.policy.retry import backoff
from checkfirst.sources.virustotal.reply import Failure, FailureKind, Reach
from checkfirst.sources.virustotal.rules import Gap, Rules

LONGEST_RETRY_AFTER = 86_400.0
"""No server is believed that asks for a longer pause."""


class Kind(StrEnum):
    """Which obstacle."""

    NETWORK = "network"
    THROTTLED = "throttled"
    KEY = "key"
    ADDRESS = "address"


_ADVICE = {
    Kind.THROTTLED: "Something else may use the same key or address, or the limits in the settings"
    " are higher than the key's.",
    Kind.KEY: "Give a key with `checkfirst key set`.",
    Kind.ADDRESS: "Mend `virustotal.url` in the settings, or what answers there: it must lead to"
    " version 3 of the API.",
}
"""What a person can do; a network comes back by itself."""

_MEANWHILE = "checkfirst tries again by itself; files stay held meanwhile."
"""What the daemon promises, and a command could not keep."""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One that stands."""

    kind: Kind
    reason: str
    """One clause in plain words."""
    until: float
    """Monotonic; then one request is let through."""


@dataclass(slots=True)
class Obstacles:
    """The one that stands, if any, and how often each has been run into."""

    rules: Rules
    standing: Obstacle | None = None
    times: dict[Kind, int] = field(default_factory=dict)

    @property
    def problem(self) -> str | None:
        """What is wrong, what to do, and what becomes of the files; None when nothing stands."""
        if self.standing is None:
            return None
        reason = self.standing.reason
        words = [f"{reason[:1].upper()}{reason[1:]}.", _ADVICE.get(self.standing.kind)]
        words += [_MEANWHILE] if self.rules.stands_guard else []
        return " ".join(filter(None, words))

    def hit(self, kind: Kind, failure: Failure, now: float, random: float) -> Obstacle:
        """Raise one because of a failure."""
        gap: Gap = self.rules.retry if kind is Kind.NETWORK else self.rules.pause
        times = self.times.get(kind, 0)
        self.times[kind] = times + 1
        seconds = backoff(times, gap.first, gap.at_most, random)
        if failure.retry_after is not None:
            seconds = max(seconds, min(failure.retry_after, LONGEST_RETRY_AFTER))
        self.standing = Obstacle(kind, _reason(kind, failure), now + seconds)
        return self.standing

    def clear(self, *kinds: Kind) -> bool:
        """Take these away; say whether one of them stood."""
        for kind in kinds:
            self.times.pop(kind, None)
        if self.standing is None or self.standing.kind not in kinds:
            return False
        self.standing = None
        return True

    def try_now(self, now: float) -> None:
        """Let a request through at once."""
        if self.standing is not None:
            self.standing = Obstacle(self.standing.kind, self.standing.reason, now)


def kind_of(failure: Failure) -> Kind | None:
    """Say what obstacle a failure means for the whole source, if any, by itself."""
    match failure.kind:
        case FailureKind.THROTTLED:
            return Kind.THROTTLED
        case FailureKind.KEY_REFUSED:
            return Kind.KEY
        case FailureKind.UNPROVEN:
            return Kind.ADDRESS
        case FailureKind.RETRY if failure.reach is Reach.UNSENT:
            return Kind.NETWORK
        case _:
            return None


def _reason(kind: Kind, failure: Failure) -> str:
    match kind:
        case Kind.NETWORK if failure.reach is Reach.UNSENT:
            return f"VirusTotal cannot be reached: {failure.message}"
        case Kind.NETWORK:
            return f"VirusTotal does not answer as it should: {failure.message}"
        case Kind.THROTTLED:
            return f"VirusTotal refuses more requests for now: {failure.message}"
        case Kind.KEY if failure.reach is Reach.UNSENT:
            return f"VirusTotal cannot be asked: {failure.message}"
        case Kind.KEY:
            return f"the API key was refused by VirusTotal: {failure.message}"
        case Kind.ADDRESS:
            return failure.message
