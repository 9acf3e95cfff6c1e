"""Answers from what was answered before, while that is fresh.

Where the answers are kept is not known here, nor what a verdict leads to.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from checkfirst.clock import Clock
from checkfirst.model import Fingerprint, Risk, SourceHealth, Verdict, VerdictKind
from checkfirst.policy.judge import still_stands

Recall = Callable[[Sequence[str]], Awaitable[Mapping[str, tuple[Verdict, float]]]]
"""Gives what is kept on each SHA-256: the verdict, and when it was answered."""

_SET_BACK_AT_MOST = 86_400.0
"""After the clock was set back, answers seem to come from the future. So far, by a time zone or an
hour of summer time, they count as new; those given while the clock was wrong by years would be
believed for years."""

_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60))


@dataclass(frozen=True, slots=True)
class Freshness:
    """How many seconds each kind of verdict is believed; 0 is not at all."""

    malicious: float
    clean: float
    unknown: float
    submits: frozenset[Risk] = frozenset()
    """Files of these types are uploaded when they are unknown: that somebody asked before who does
    not upload is no answer for them."""
    malicious_at: int = 1
    opinions_at_least: int = 1
    """What was let pass by other thresholds than these is not believed."""

    def of(self, kind: VerdictKind) -> float:
        """Give the seconds for a kind; a pending one is never believed."""
        return {
            VerdictKind.MALICIOUS: self.malicious,
            VerdictKind.CLEAN: self.clean,
            VerdictKind.UNKNOWN: self.unknown,
            VerdictKind.PENDING: 0.0,
        }[kind]


class Remembered:
    """A local source over remembered verdicts."""

    name = "remembered"

    def __init__(self, recall: Recall, fresh: Freshness, clock: Clock) -> None:
        """`recall` finds what is kept, whatever its age."""
        self._recall = recall
        self._fresh = fresh
        self._clock = clock
        self._asked = self._answered = 0

    async def answer(self, prints: Sequence[Fingerprint]) -> dict[str, Verdict]:
        """Give the verdicts that are fresh enough, saying how old they are."""
        kept = await self._recall([one.sha256 for one in prints])
        now = self._clock.now()
        found: dict[str, Verdict] = {}
        for one in prints:
            if one.sha256 in kept:
                verdict, answered_at = kept[one.sha256]
                if answered_at > now + _SET_BACK_AT_MOST:
                    continue
                age = max(now - answered_at, 0.0)
                if age < self._fresh.of(verdict.kind) and self._is_believed(one, verdict):
                    found[one.sha256] = verdict._replace(
                        source=self.name, reason=f"{verdict.reason} (answered {ago(age)})"
                    )
        self._asked += len(prints)
        self._answered += len(found)
        return found

    def _is_believed(self, one: Fingerprint, verdict: Verdict) -> bool:
        stands = still_stands(
            verdict.kind,
            verdict.detections,
            verdict.engines,
            malicious_at=self._fresh.malicious_at,
            opinions_at_least=self._fresh.opinions_at_least,
        )
        return stands and not self._may_submit(one, verdict)

    def _may_submit(self, one: Fingerprint, verdict: Verdict) -> bool:
        was_submitted = verdict.report_url is not None
        is_unknown = verdict.kind is VerdictKind.UNKNOWN
        return is_unknown and one.risk in self._fresh.submits and not was_submitted

    def health(self) -> SourceHealth:
        """It is well whenever it can be asked; the chain notices when it cannot."""
        return SourceHealth(self.name, self._asked, self._answered, healthy=True)


def ago(seconds: float) -> str:
    """Say an age in words, `3 days ago`."""
    for unit, length in _UNITS:
        count = int(seconds // length)
        if count:
            return f"{count} {unit}{'' if count == 1 else 's'} ago"
    return "just now"
