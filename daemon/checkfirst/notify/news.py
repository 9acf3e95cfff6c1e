"""What may be told on the desktop: one piece of news, and who wants to hear which kind."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """Of news, the gravest first."""

    QUARANTINED = "quarantined"
    PROBLEM = "problem"
    CHANGED = "changed"
    """VirusTotal has changed its mind about a file that was released or quarantined before."""
    HELD = "held"
    """A file is held for long, because nobody can tell yet."""
    RELEASED = "released"


@dataclass(frozen=True, slots=True)
class News:
    """One thing that happened; all text is printable, but may hold any character besides."""

    kind: Kind
    text: str
    """For a person, such as `setup.exe: 62 of 64 engines call it malicious`."""
    report: str | bytes | None = None
    """What shows more about this one: the address of a report, or a folder with it."""
    folder: bytes | None = None
    """Where this and others of its kind lie."""


_LEVELS: Mapping[str, frozenset[Kind]] = {
    "none": frozenset(),
    "problems": frozenset({Kind.PROBLEM}),
    "quarantine": frozenset({Kind.PROBLEM, Kind.QUARANTINED, Kind.CHANGED, Kind.HELD}),
    "all": frozenset(Kind),
}


def wanted(level: str) -> frozenset[Kind]:
    """The kinds that `notify.level` lets through."""
    return _LEVELS[level]
