"""What the simulated service knows of a file, and ways to make such knowledge up.

Engine results are the only truth held here: the statistics of a report are the tally of their
categories, so the two can never disagree. Nothing here knows of HTTP.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from checkfirst.simulator import engines

CATEGORIES = (
    "malicious",
    "suspicious",
    "undetected",
    "harmless",
    "timeout",
    "confirmed-timeout",
    "failure",
    "type-unsupported",
)
"""The eight keys of today's statistics (documentation of the analysis object); two are hyphened."""

FIRST_SEEN = 1_700_000_000
ANALYSED = 1_763_900_000
THREATS = {"malicious": "Trojan.Generic", "suspicious": "Suspicious.Heuristic"}

Content = bytes | str
"""A file's bytes, or the SHA-256 of a file whose bytes nobody has."""


@dataclass(frozen=True, slots=True)
class EngineResult:
    """One engine's opinion; `result` names the threat and is None when nothing was found."""

    category: str
    result: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFile:
    """One file of the service's collection."""

    sha256: str
    md5: str
    sha1: str
    size: int
    results: Mapping[str, EngineResult]
    last_analysis_date: int | None = ANALYSED
    """Seconds since the epoch; None (the attribute is absent) while nothing was finished."""
    first_submission_date: int = FIRST_SEEN
    names: tuple[str, ...] = ()
    type_description: str = "unknown"
    type_tag: str = "unknown"
    tags: tuple[str, ...] = ()
    reputation: int = 0
    without: frozenset[str] = frozenset()
    """Attributes that the report leaves out, as real reports do at times."""
    extra: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    """Attributes put into the report as they are, over the usual ones."""

    @property
    def stats(self) -> dict[str, int]:
        """The tally of the categories, all eight of them."""
        return tally(self.results)


def tally(results: Mapping[str, EngineResult]) -> dict[str, int]:
    """How many engines gave which category."""
    counted = Counter(result.category for result in results.values())
    return {category: counted[category] for category in CATEGORIES}


def engine_results(votes: Mapping[str, int]) -> dict[str, EngineResult]:
    """So many engines for each category, the malicious ones first."""
    if not votes.keys() <= set(CATEGORIES):
        raise ValueError(f"no such category: {sorted(votes.keys() - set(CATEGORIES))}")
    names = engines.names()
    return {
        next(names): EngineResult(category, THREATS.get(category))
        for category in CATEGORIES
        for _ in range(votes.get(category, 0))
    }


def judged(content: Content, votes: Mapping[str, int]) -> KnownFile:
    """A file with so many votes for each category; everything else by `dataclasses.replace`."""
    results = engine_results(votes)
    if isinstance(content, bytes):
        return KnownFile(
            sha256=hashlib.sha256(content).hexdigest(),
            md5=hashlib.md5(content, usedforsecurity=False).hexdigest(),
            sha1=hashlib.sha1(content, usedforsecurity=False).hexdigest(),
            size=len(content),
            results=results,
        )
    made_up = content.lower().encode()
    return KnownFile(
        sha256=content.lower(),
        md5=hashlib.md5(made_up, usedforsecurity=False).hexdigest(),
        sha1=hashlib.sha1(made_up, usedforsecurity=False).hexdigest(),
        size=4096,
        results=results,
    )


def malicious(content: Content, detections: int = 62) -> KnownFile:
    """Found bad by so many engines; 62 of 73 is what EICAR gets."""
    votes = {
        "malicious": detections,
        "undetected": max(0, 64 - detections),
        "type-unsupported": 9,
    }
    return judged(content, votes)


def clean(content: Content, undetected: int = 63) -> KnownFile:
    """Nothing found. For files that is `undetected`: `harmless` is 0 in every recorded report."""
    return judged(content, {"undetected": undetected, "type-unsupported": 14})


def few_opinions(content: Content, opinions: int = 2) -> KnownFile:
    """Nothing found by the few engines that could look at all, as with large bundles."""
    votes = {"undetected": opinions, "timeout": 30, "failure": 8, "type-unsupported": 35}
    return judged(content, votes)


def only_suspicious(content: Content, suspicious: int = 5) -> KnownFile:
    """Nobody says malicious, some say suspicious."""
    votes = {
        "suspicious": suspicious,
        "undetected": max(0, 63 - suspicious),
        "type-unsupported": 14,
    }
    return judged(content, votes)


def pending_without_stats(content: Content) -> KnownFile:
    """Known, never judged: no statistics and no date, as seen with a pending URL object."""
    without = frozenset({"last_analysis_stats"})
    return replace(judged(content, {}), last_analysis_date=None, without=without)


def pending_with_zeros(content: Content) -> KnownFile:
    """Known, never judged: all eight statistics are 0, as in a queued analysis."""
    return replace(judged(content, {}), last_analysis_date=None)
