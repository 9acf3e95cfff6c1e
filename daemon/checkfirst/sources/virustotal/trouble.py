"""What becomes of a question that got no answer, and of the whole source when that is no accident.

No failure ever becomes a verdict: the question waits and is put again.
"""

from checkfirst.policy.retry import backoff
from checkfirst.sources.virustotal.events import Problem, Recovered
from checkfirst.sources.virustotal.obstacle import LONGEST_RETRY_AFTER, Kind, Obstacles, kind_of
from checkfirst.sources.virustotal.outside import Outside
from checkfirst.sources.virustotal.queue import Case, Queue
from checkfirst.sources.virustotal.reply import Failure, FailureKind, Reach
from checkfirst.sources.virustotal.rules import Rules

REFUSED_SECONDS = 6 * 3600.0
"""A question that was refused as it was put is not put again sooner."""

STREAK = 3
"""So many questions in a row without a usable answer are an outage, and then all wait: each
attempt costs quota that will be missed when the outage is over."""


class Trouble:
    """Keeps what stands in the way, and puts off what failed."""

    def __init__(self, rules: Rules, outside: Outside, queue: Queue) -> None:
        self.rules = rules
        self.obstacles = Obstacles(rules)
        self._out = outside
        self._queue = queue
        self._streak: set[str] = set()
        self._unreached: set[str] = set()
        """Questions whose last failure may lie with the network."""

    def reload(self, rules: Rules) -> None:
        """Go by these rules from now on."""
        self.rules = self.obstacles.rules = rules

    def answered(self) -> None:
        """VirusTotal has answered a question: nothing stands in the way."""
        self._reached()
        if self.obstacles.clear(*Kind):
            self._out.on_event(Recovered())

    def failed(self, case: Case, failure: Failure) -> None:
        """Put a question back after a failure, and stop the whole source where that is due."""
        kind = kind_of(failure)
        if failure.reach is Reach.ANSWERED:
            self._reached()
            # A network that is back with a refusal has not recovered for whoever waits.
            if self.obstacles.clear(Kind.NETWORK) and kind is None:
                self._out.on_event(Recovered())
        if failure.kind is FailureKind.RETRY and kind is None:
            self._streak.add(case.sha256)
            kind = Kind.NETWORK if len(self._streak) >= STREAK else None
        if kind is not None:
            self._stop(kind, failure)
        case.why = f"VirusTotal gave no answer: {failure.message}"
        if failure.kind is FailureKind.RETRY and failure.reach is not Reach.UNSENT:
            if failure.reach is Reach.SENT:
                self._unreached.add(case.sha256)
            self.put_off(case, failure.retry_after)
        elif failure.kind is FailureKind.UNPROVEN:  # another file may show that it is VirusTotal
            case.why = failure.message
            self.put_off(case)
        elif kind is None:
            case.failures += 1
            case.why = f"VirusTotal refuses the question: {failure.message}"
            self._queue.place(case, due=self._out.clock.monotonic() + REFUSED_SECONDS)
            if not case.wanted:
                return
            to_do = (
                "It is asked again in some hours and stays held; `checkfirst release` lets it go."
            )
            self._out.on_event(Problem(f"{case.name}: {case.why}. {to_do}", case.sha256))
        else:
            self._queue.place(case)

    def put_off(self, case: Case, at_least: float | None = None) -> None:
        """Try a question again after a wait that grows with each time."""
        retry = self.rules.retry
        seconds = backoff(case.failures, retry.first, retry.at_most, self._out.random())
        case.failures += 1
        seconds = max(seconds, min(at_least or 0.0, LONGEST_RETRY_AFTER))
        self._queue.place(case, due=self._out.clock.monotonic() + seconds)

    def try_now(self) -> None:
        """Try all at once that waits because something failed."""
        self.obstacles.try_now(self._out.clock.monotonic())
        for case in self._queue.cases.values():
            if case.failures and not case.in_hand and case.due > 0.0:
                self._queue.place(case)

    def _reached(self) -> None:
        """The network is there: what waits for it need not wait any longer."""
        self._streak.clear()
        for sha256 in self._unreached:
            case = self._queue.cases.get(sha256)
            if case is not None and not case.in_hand and case.failures:
                self._queue.place(case)
        self._unreached.clear()

    def _stop(self, kind: Kind, failure: Failure) -> None:
        before = self.obstacles.standing
        now = self._out.clock.monotonic()
        standing = self.obstacles.hit(kind, failure, now, self._out.random())
        if before is None or before.kind is not standing.kind:
            self._out.on_event(Problem(self.obstacles.problem or standing.reason))
