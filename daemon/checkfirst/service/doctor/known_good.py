"""The known-good list, as far as it can be told without reading all of it."""

from collections.abc import Sequence
from pathlib import Path

from checkfirst.errors import Problem
from checkfirst.policy.names import escape
from checkfirst.policy.sizes import readable
from checkfirst.service.doctor.finding import Finding, note, ok, problem
from checkfirst.settings.sources import REMOTE
from checkfirst.sources.knowngood.format import shown_path
from checkfirst.sources.knowngood.reading import KnownGoodList
from checkfirst.sources.remembered import ago

_AT_WORK_SECONDS = 3600.0


def known_good_blocking(path: Path, sources: Sequence[str], now: float) -> list[Finding]:
    """What lies where the list should be; `sources` are those that the settings have asked."""
    asked = "known-good" in sources
    return [*_cut_short_blocking(path, now), *_list_blocking(path, sources, now, asked=asked)]


def _cut_short_blocking(path: Path, now: float) -> list[Finding]:
    """What a killed import has left; one that is at work has written within the hour."""
    draft = path.with_name(f"{path.name}.new")
    try:
        seen = draft.stat()
    except OSError:
        return []
    if now - seen.st_mtime < _AT_WORK_SECONDS:
        return []
    title = f"An import of known-good hashes was cut short and has left {readable(seen.st_size)}"
    return [note(title, "Import again, or delete the file.", shown_path(draft))]


def _list_blocking(path: Path, sources: Sequence[str], now: float, *, asked: bool) -> list[Finding]:
    about = shown_path(path)
    try:
        listed = KnownGoodList.open_blocking(path)
    except Problem as trouble:
        told = problem if asked else note
        return [told(escape(trouble.title), trouble.to_do, about)]
    if listed is None:
        if not asked or not REMOTE.isdisjoint(sources):
            return []  # most people have none, and miss nothing
        text = "There is no known-good list, and nobody else is asked"
        return [note(text, "Make one: checkfirst known-good import PATH", about)]
    with listed:
        facts = listed.facts
    age = ago(max(now - facts.made_at, 0.0))
    text = (
        f"The known-good list has {facts.count:,} hashes ({escape(facts.source)}, imported {age})"
    )
    if asked:
        return [ok(text, about)]
    to_do = "Name known-good in `sources`, or remove it: checkfirst known-good remove"
    return [note(f"{text}, and nobody asks it", to_do, about)]
