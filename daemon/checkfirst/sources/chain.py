"""Asks the local sources in their order, each only for what the earlier ones left open.

A source that fails is passed over, loudly: its health says so until it recovers. What the
verdicts lead to is not known here.
"""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from checkfirst.errors import CheckfirstError
from checkfirst.model import Fingerprint, SourceHealth, Verdict, VerdictKind
from checkfirst.sources.source import LocalSource

_log = logging.getLogger(__name__)


class Chain:
    """The local sources, the one whose word weighs most first."""

    def __init__(self, local: Sequence[LocalSource]) -> None:
        """`local` in the order in which they are asked."""
        self._local = tuple(local)
        self._asked: Counter[str] = Counter()
        self._answered: Counter[str] = Counter()
        self._failing: dict[str, str] = {}

    async def answer(self, prints: Sequence[Fingerprint]) -> dict[str, Verdict]:
        """Give a verdict by SHA-256 for each that some source knows; the others are left out."""
        open_ones = {one.sha256: one for one in prints}
        found: dict[str, Verdict] = {}
        for source in self._local:
            if not open_ones:
                break
            for sha256, verdict in (await self._ask(source, list(open_ones.values()))).items():
                if verdict.kind is not VerdictKind.PENDING and sha256 in open_ones:
                    del open_ones[sha256]
                    self._answered[source.name] += 1
                    found[sha256] = verdict
        return found

    def health(self) -> list[SourceHealth]:
        """Say how each source is doing, in order."""
        return [self._health_of(source) for source in self._local]

    async def _ask(self, source: LocalSource, prints: list[Fingerprint]) -> dict[str, Verdict]:
        self._asked[source.name] += len(prints)
        try:
            answers = await source.answer(prints)
        except Exception as error:  # noqa: BLE001  (one broken source must not stop the others)
            self._failed(source.name, error)
            return {}
        if self._failing.pop(source.name, None) is not None:
            _log.warning("the source %s answers again", source.name)
        return answers

    def _failed(self, name: str, error: Exception) -> None:
        words = (
            str(error) if isinstance(error, CheckfirstError) else f"{type(error).__name__}: {error}"
        )
        if name not in self._failing:
            _log.error("the source %s cannot be asked and is passed over: %s", name, words)
            _log.debug("the source %s failed", name, exc_info=error)
        self._failing[name] = f"The source `{name}` cannot be asked and is passed over: {words}"

    def _health_of(self, source: LocalSource) -> SourceHealth:
        counted = replace(
            source.health(), asked=self._asked[source.name], answered=self._answered[source.name]
        )
        problem = self._failing.get(source.name)
        return replace(counted, healthy=False, problem=problem) if problem else counted
