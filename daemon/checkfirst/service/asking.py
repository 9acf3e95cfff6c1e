"""What waits for the remote source, and its last answers.

An answer is kept for a minute in memory, so that it serves the copies that were on their way while
it was given, even where nothing is remembered.
"""

from collections.abc import Callable, Sequence

from checkfirst.clock import Clock
from checkfirst.model import Answer, Arrival, Question, Verdict
from checkfirst.service.hands import fingerprint_of
from checkfirst.sources.source import Remote

KEPT_SECONDS = 60.0
_MOST = 1024


class Asking:
    """Between the line and the remote source."""

    def __init__(self, remote: Remote, clock: Clock, names: Callable[[str, bytes], None]) -> None:
        """`names` is told the file name behind each hash that is asked about."""
        self._remote = remote
        self._clock = clock
        self._names = names
        self._answers: dict[str, tuple[Verdict, float]] = {}

    def keep(self, answer: Answer) -> None:
        """Have an answer at hand; of very many the oldest goes."""
        if len(self._answers) >= _MOST:
            self._answers.pop(next(iter(self._answers)))
        self._answers[answer.sha256] = (answer.verdict, self._clock.monotonic())

    def answer(self, sha256: str, since: float | None = None) -> Verdict | None:
        """Give what was answered since that monotonic moment; else within the last minute."""
        verdict, at = self._answers.get(sha256, (None, 0.0))
        earliest = self._clock.monotonic() - KEPT_SECONDS if since is None else since
        return verdict if at >= earliest else None

    def needless(self, sha256: str) -> None:
        """A person has decided about this file; nobody else's word is awaited any more."""
        self._remote.forget(sha256)

    def ask(self, arrivals: Sequence[Arrival]) -> None:
        """Put the question for each; the source asks once for all copies of a file."""
        questions = []
        for arrival in arrivals:
            found = fingerprint_of(arrival)
            if found is not None and arrival.held is not None:
                since = arrival.arrived_at or self._clock.now()
                questions.append(
                    Question(found.sha256, found.size, found.risk, arrival.held, since)
                )
                self._names(found.sha256, arrival.name)
        if questions:
            self._remote.ask(questions)
