"""Asks the local sources in their order, each only for what the earlier ones left open.

A source that fails is passed over, loudly: its health says so until it recovers. Only the one that
is needed is not, the person's own lists: a block that cannot be read would let its file through.
What the verdicts lead to is not known here.

Where no remote source comes after them, the silence of all is an answer as well: `unknown`. It
counts only when every one of them could be asked, as one that is broken might have known the file.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from checkfirst.clock import Clock
from checkfirst.errors import CheckfirstError
from checkfirst.model import Fingerprint, SourceHealth, Verdict, VerdictKind
from checkfirst.sources.source import LocalSource

_log = logging.getLogger(__name__)

NOBODY = Verdict(
    VerdictKind.UNKNOWN, "local", "no source on this machine knows it, and no other is asked"
)


class Chain:
    """The local sources, the one whose word weighs most first."""

    def __init__(
        self,
        local: Sequence[LocalSource],
        clock: Clock,
        *,
        alone: bool = False,
        needed: str | None = None,
    ) -> None:
        """`local` in the order in which they are asked; `alone`: nobody is asked after them.

        `needed` is the name of the one without which none is.
        """
        self._needed = needed
        self._local = tuple(local)
        self._clock = clock
        self.alone = alone
        """Whether nobody is asked after these."""
        self._asked: Counter[str] = Counter()
        self._answered: Counter[str] = Counter()
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._failing: dict[str, str] = {}

    async def answer(self, prints: Sequence[Fingerprint]) -> dict[str, Verdict]:
        """Give a verdict by SHA-256 for each that some source knows; the others are left out.

        Raises what the source that is needed has raised.
        """
        open_ones = {one.sha256: one for one in prints}
        found: dict[str, Verdict] = {}
        all_could_tell = True
        for source in self._local:
            if not open_ones:
                break
            answers = await self._ask(source, list(open_ones.values()))
            all_could_tell = all_could_tell and answers is not None and source.health().healthy
            for sha256, verdict in (answers or {}).items():
                if verdict.kind is VerdictKind.PENDING:
                    all_could_tell = False
                elif sha256 in open_ones:
                    del open_ones[sha256]
                    self._answered[source.name] += 1
                    found[sha256] = verdict
        if self.alone and all_could_tell:
            found |= dict.fromkeys(open_ones, NOBODY)
        return found

    async def look_again(self) -> None:
        """See whether sources that are not well can be asked by now, though nobody asks them."""
        for source in self._local:
            if source.name in self._failing or not source.health().healthy:
                await self._ask(source, [])

    def health(self) -> list[SourceHealth]:
        """Say how each source is doing, in order."""
        return [self._health_of(source) for source in self._local]

    async def _ask(
        self, source: LocalSource, prints: list[Fingerprint]
    ) -> Mapping[str, Verdict] | None:
        """None when it cannot be asked."""
        began = self._clock.monotonic()
        self._asked[source.name] += len(prints)
        try:
            answers = await source.answer(prints)
        except Exception as error:
            self._failed(source.name, error)
            if source.name == self._needed:
                raise
            return None
        self._seconds[source.name] += self._clock.monotonic() - began
        if self._failing.pop(source.name, None) is not None:
            _log.warning("the source %s answers again", source.name)
        return answers

    def _failed(self, name: str, error: Exception) -> None:
        words = (
            str(error) if isinstance(error, CheckfirstError) else f"{type(error).__name__}: {error}"
        )
        then = "nothing is judged without it" if name == self._needed else "is passed over"
        if name not in self._failing:
            _log.error("the source %s cannot be asked and %s: %s", name, then, words)
            _log.debug("the source %s failed", name, exc_info=error)
        self._failing[name] = f"The source `{name}` cannot be asked and {then}: {words}"

    def _health_of(self, source: LocalSource) -> SourceHealth:
        asked = self._asked[source.name]
        counted = replace(
            source.health(),
            asked=asked,
            answered=self._answered[source.name],
            mean_seconds=self._seconds[source.name] / asked if asked else None,
        )
        problem = self._failing.get(source.name)
        return replace(counted, healthy=False, problem=problem) if problem else counted
