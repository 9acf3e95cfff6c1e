"""The remote sources as one: a question goes from one to the next until somebody knows the file.

Only the word of the last one that is asked can be `unknown`. Each source has its own queue, quota
and bad days; one that cannot answer keeps its questions waiting, and nobody is passed over.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from checkfirst.clock import Clock
from checkfirst.model import Answer, Outlook, Question, SourceHealth, Verdict, VerdictKind
from checkfirst.sources.source import Deliver, Remember, RemoteSource

Build = Callable[[Deliver, Remember], RemoteSource]
"""Makes a source that hands its answers to these."""


@dataclass(frozen=True, slots=True)
class _Open:
    """A question that is not answered yet."""

    question: Question
    turn: int
    """Which source has it."""
    since: float
    """Since when; monotonic."""
    submitted_at: float | None = None
    """When an earlier source was sent the bytes."""


class Remotes:
    """Several remote sources in their order, or a single one."""

    def __init__(
        self, builds: Sequence[Build], deliver: Deliver, remember: Remember, clock: Clock
    ) -> None:
        """`deliver` takes the last word on a question, `remember` keeps a verdict."""
        self._deliver = deliver
        self._remember = remember
        self._clock = clock
        self._open: dict[str, _Open] = {}
        self._again: dict[str, tuple[Question, int]] = {}
        """Questions for news, and which source has each."""
        self._answered: Counter[str] = Counter()
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self.sources = tuple(self._built(turn, build) for turn, build in enumerate(builds))
        """Each is to be run."""

    def ask(self, questions: Sequence[Question]) -> None:
        """Put questions to whoever has them already, or to the first source."""
        for question in questions:
            known = self._open.get(question.sha256)
            if known is None:
                known = _Open(question, 0, self._clock.monotonic())
            self._open[question.sha256] = replace(known, question=question)
            self.sources[known.turn].ask([question])

    def ask_again(self, questions: Sequence[Question]) -> None:
        """Ask for news where nobody waits: the first source, and the next where it knows none."""
        self._again |= {question.sha256: (question, 0) for question in questions}
        self.sources[0].ask_again(questions)

    def forget(self, sha256: str) -> None:
        """Nobody waits for this answer any more."""
        self._open.pop(sha256, None)
        for source in self.sources:
            source.forget(sha256)

    def has(self, sha256: str) -> bool:
        """Say whether anything is still to be done for this file."""
        return any(source.has(sha256) for source in self.sources)

    def outlook(self) -> list[Outlook]:
        """Say for each waiting question why it waits and how long."""
        return [each for source in self.sources for each in source.outlook()]

    def health(self) -> list[SourceHealth]:
        """Say how each source is doing, in order."""
        return [self._health_of(source) for source in self.sources]

    def wake(self) -> None:
        """Try again at once: something may have been mended."""
        for source in self.sources:
            source.wake()

    def _built(self, turn: int, build: Build) -> RemoteSource:
        async def deliver(answer: Answer) -> None:
            await self._answer(turn, answer)

        async def remember(sha256: str, verdict: Verdict) -> None:
            # That one does not know it is no answer to be given for copies while others are left.
            if verdict.kind is not VerdictKind.UNKNOWN or self._is_last(turn):
                await self._remember(sha256, verdict)
            self._pass_on(turn, sha256, verdict)

        return build(deliver, remember)

    def _pass_on(self, turn: int, sha256: str, verdict: Verdict) -> None:
        """A question for news goes on when this source had to answer it and knows no file."""
        question, whose = self._again.get(sha256, (None, turn))
        if question is None or whose != turn:
            return
        del self._again[sha256]
        if verdict.kind is VerdictKind.UNKNOWN and not self._is_last(turn):
            self._again[sha256] = (question, turn + 1)
            self.sources[turn + 1].ask_again([question])

    def _is_last(self, turn: int) -> bool:
        return turn == len(self.sources) - 1

    async def _answer(self, turn: int, answer: Answer) -> None:
        """Take an answer over; raises what `deliver` raises, and the question stays open."""
        known = self._open.get(answer.sha256)
        if known is not None and known.submitted_at is not None:
            answer = replace(answer, submitted_at=answer.submitted_at or known.submitted_at)
        goes_on = answer.verdict.kind is VerdictKind.UNKNOWN and not self._is_last(turn)
        if known is None or not goes_on:
            await self._deliver(answer)
        if known is None or known.turn != turn or self._open.get(answer.sha256) is not known:
            return  # it is open no more, or was asked again meanwhile and will be answered again
        now = self._clock.monotonic()
        name = self.sources[turn].name
        self._answered[name] += 1
        self._seconds[name] += now - known.since
        if goes_on:
            self._open[answer.sha256] = _Open(known.question, turn + 1, now, answer.submitted_at)
            self.sources[turn + 1].ask([known.question])
        else:
            del self._open[answer.sha256]

    def _health_of(self, source: RemoteSource) -> SourceHealth:
        answered = self._answered[source.name]
        mean = self._seconds[source.name] / answered if answered else None
        return replace(source.health(), mean_seconds=mean)
