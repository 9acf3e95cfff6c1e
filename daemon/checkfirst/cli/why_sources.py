"""What each source says of a file now, as far as it can be told without asking anybody."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from checkfirst.cli import output
from checkfirst.cli.own_lists import OwnLists
from checkfirst.clock import SystemClock
from checkfirst.errors import Problem
from checkfirst.model import OPEN_STATES, Arrival, VerdictKind
from checkfirst.settings.places import KNOWN_GOOD
from checkfirst.settings.sources import REMOTE
from checkfirst.sources.knowngood.reading import KnownGoodList
from checkfirst.store.reading import Reading

if TYPE_CHECKING:
    from checkfirst.settings.glance import Glance


_UNJUDGED = (None, VerdictKind.PENDING)


def said(reading: Reading, glance: "Glance", row: Arrival, sha256: str) -> list[tuple[str, str]]:
    """The sources in the order in which they are asked, each with its word."""
    return [(name, _said(name, reading, glance, row, sha256)) for name in glance.sources]


def _said(name: str, reading: Reading, glance: "Glance", row: Arrival, sha256: str) -> str:
    match name:
        case "lists":
            return _lists(reading, glance, row, sha256)
        case "remembered":
            return _remembered(reading, sha256)
        case "known-good":
            return _known_good(Path(glance.state, KNOWN_GOOD), sha256)
        case _:
            return _remote(name, glance.sources, row)


def _lists(reading: Reading, glance: "Glance", row: Arrival, sha256: str) -> str:
    """What has no SHA-256 on them may have been blocked by its SHA-1 or MD5."""
    words = OwnLists(glance, reading, SystemClock().now()).words_blocking(sha256)
    if words is None and row.source == "lists":
        return f"not on your lists by its SHA-256 now; they had the word: {row.reason}"
    return words or "not on your lists"


def _remembered(reading: Reading, sha256: str) -> str:
    found = reading.remembered(sha256)
    if found is None:
        return "nothing is remembered"
    verdict, at = found
    return f"{verdict.kind.value}, answered at {output.local(at)}: {verdict.reason}"


def _remote(name: str, sources: Sequence[str], row: Arrival) -> str:
    """One is asked for what those before it do not know."""
    if row.source == name:
        return f"it had the word: {row.reason}"
    if row.asked_at is None:
        return "not asked about this file"
    at = output.local(row.asked_at)
    if row.state in OPEN_STATES and row.verdict in _UNJUDGED:
        return f"waited for since {at}"
    if row.source in REMOTE and row.source in sources:
        is_before = sources.index(name) < sources.index(row.source)
        has_word = f"not asked, as {row.source} had the word"
        return "asked first, and did not know it" if is_before else has_word
    first = f", and {row.source} had the word before it" if row.source else ""
    return f"its turn came at {at}{first}"


def _known_good(path: Path, sha256: str) -> str:
    try:
        listed = KnownGoodList.open_blocking(path)
        if listed is None:
            return "there is no list"
        with listed:
            found = listed.has_blocking(bytes.fromhex(sha256))
            return f"{'' if found else 'not '}on the list ({listed.facts.source})"
    except Problem as problem:
        return str(problem)
