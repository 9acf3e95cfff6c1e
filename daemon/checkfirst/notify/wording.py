"""A burst of news in the words of one notification. Pure, and plain text without any markup."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from checkfirst.notify.news import Kind, News

NAMED = 3
"""So many of a kind are told one by one; the others are counted."""

_LONGEST_LINE = 200
_TITLES: Mapping[Kind, tuple[str, str]] = {
    Kind.QUARANTINED: ("checkfirst stopped a file", "checkfirst stopped %d files"),
    Kind.PROBLEM: ("checkfirst has a problem", "checkfirst has %d problems"),
    Kind.CHANGED: (
        "VirusTotal has changed its mind about a file",
        "VirusTotal has changed its mind about %d files",
    ),
    Kind.HELD: ("checkfirst still holds a file", "checkfirst still holds %d files"),
    Kind.RELEASED: ("A file may be opened", "%d files may be opened"),
}


@dataclass(frozen=True, slots=True)
class Button:
    """What a person can press on a notification."""

    title: str
    target: str | bytes
    """An address, or a folder."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What one notification shows."""

    title: str
    """Never holds a name or any other text from outside."""
    body: str
    is_grave: bool = False
    """A file was stopped: it stays on the screen until somebody has seen it."""
    button: Button | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """The news of one kind in a burst."""

    first: Sequence[News]
    """The first few."""
    number: int
    """Of all."""


def notice(burst: Mapping[Kind, Heard]) -> Notice:
    """Word a burst, the gravest kind first; `burst` is not empty."""
    kinds = [kind for kind in Kind if kind in burst]
    gravest = burst[kinds[0]]
    lines = _lines(gravest)
    for kind in kinds[1:]:
        lines += [f"{_title(kind, burst[kind])}:", *_lines(burst[kind])]
    return Notice(
        title=_title(kinds[0], gravest),
        body="\n".join(lines),
        is_grave=Kind.QUARANTINED in burst,
        button=_button(gravest),
    )


def _title(kind: Kind, heard: Heard) -> str:
    one, many = _TITLES[kind]
    return one if heard.number == 1 else many % heard.number


def _lines(heard: Heard) -> list[str]:
    lines = [_cut(news.text) for news in heard.first]
    more = heard.number - len(lines)
    return [*lines, f"and {more} more"] if more else lines


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_LINE else text[: _LONGEST_LINE - 1] + "…"


def _button(heard: Heard) -> Button | None:
    """To the report of the one, or to the folder where several lie."""
    news = heard.first[0]
    if heard.number == 1 and news.report is not None:
        return Button("Open report", news.report)
    return Button("Open folder", news.folder) if news.folder is not None else None
