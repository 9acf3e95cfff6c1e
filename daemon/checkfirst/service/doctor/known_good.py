"""The known-good list, as far as it can be told without reading all of it."""

from pathlib import Path

from checkfirst.errors import Problem
from checkfirst.policy.names import escape
from checkfirst.service.doctor.finding import Finding, note, ok, problem
from checkfirst.sources.knowngood.format import shown_path
from checkfirst.sources.knowngood.reading import KnownGoodList


def known_good_blocking(path: Path, *, asked: bool) -> list[Finding]:
    """What lies where the list should be; `asked`: whether the settings have it asked."""
    about = shown_path(path)
    try:
        listed = KnownGoodList.open_blocking(path)
    except Problem as trouble:
        told = problem if asked else note
        return [told(escape(trouble.title), trouble.to_do, about)]
    if listed is None:
        return []
    with listed:
        facts = listed.facts
    text = f"The known-good list has {facts.count:,} hashes ({escape(facts.source)})"
    if asked:
        return [ok(text, about)]
    to_do = "Name known-good in `sources`, or remove it: checkfirst known-good remove"
    return [note(f"{text}, and nobody asks it", to_do, about)]
