"""How much room text takes on a screen, and making it fit.

Columns are not characters: wide ones (East Asian, emoji) take two, combining ones none.
"""

import unicodedata
from itertools import accumulate

_ELLIPSIS = "…"


def width(text: str) -> int:
    """Columns on a screen."""
    return len(text) if text.isascii() else sum(map(_width_of_one, text))


def shorten(text: str, at_most: int) -> str:
    """Cut in the middle what takes more columns, since a name's end tells as much as its start."""
    if width(text) <= at_most:
        return text
    room = max(at_most - width(_ELLIPSIS), 0)
    tail = room // 2
    return _fitting(text, room - tail) + _ELLIPSIS + _fitting(text[::-1], tail)[::-1]


def cut_end(text: str, at_most: int) -> str:
    """Cut at the end what takes more columns, for sentences."""
    if width(text) <= at_most:
        return text
    return _fitting(text, max(at_most - width(_ELLIPSIS), 0)).rstrip() + _ELLIPSIS


def wrap(text: str, at_most: int) -> list[str]:
    """The words on lines of so many columns at most; a word that is too long is divided."""
    room = max(at_most, 1)
    lines = [""]
    for word in text.split(" "):
        joined = f"{lines[-1]} {word}" if lines[-1] else word
        if width(joined) <= room:
            lines[-1] = joined
            continue
        if lines[-1]:
            lines.append("")
        rest = word
        while width(rest) > room:
            head = _fitting(rest, room) or rest[0]
            lines[-1] = head
            lines.append("")
            rest = rest[len(head) :]
        lines[-1] = rest
    return [line.rstrip() for line in lines]


def _fitting(text: str, columns: int) -> str:
    """As many characters from the start as fit."""
    taken = accumulate(map(_width_of_one, text))
    return text[: sum(each <= columns for each in taken)]


def _width_of_one(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
