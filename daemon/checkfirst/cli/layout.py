"""Making a table fit the screen: which columns stay, and where their cells are cut. Prints nothing.

What is no sentence but a name is cut in the middle, because its end tells as much as its start.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from checkfirst.policy.columns import cut_end, shorten, width

GAP = 2
"""Columns of the screen between two of the table."""

_COMFORTABLE = 24
"""A column is dropped rather than that a wider one gets less than this."""
_LEAST = 8


@dataclass(frozen=True, slots=True)
class Cell:
    """Text that can be printed, and how it may be shortened."""

    text: str
    is_name: bool = False

    def cut(self, at_most: int) -> str:
        """So much of it as fits."""
        return shorten(self.text, at_most) if self.is_name else cut_end(self.text, at_most)


@dataclass(frozen=True, slots=True)
class Fitted:
    """A table as it is to be printed."""

    headings: list[str]
    rows: list[list[str]]
    widths: list[int]


def fit(
    headings: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    room: int | None,
    spare: Collection[str] = (),
) -> Fitted:
    """Let it take `room` columns of the screen at most, or as many as it likes.

    Columns whose headings are in `spare` are left out, the last first, where the others would get
    too narrow; then the widest are cut.
    """
    natural = [
        max([width(heading), *(width(row[n].text) for row in rows)])
        for n, heading in enumerate(headings)
    ]
    kept = [n for n in range(len(headings)) if natural[n]]
    if room is None:
        return _taken(headings, rows, kept, natural)
    for n in reversed(range(len(headings))):
        if headings[n] in spare and _total(kept, lambda k: min(natural[k], _COMFORTABLE)) > room:
            kept.remove(n)
    level = max([_LEAST, *(natural[n] for n in kept)])
    widths = natural
    while level > _LEAST and _total(kept, widths.__getitem__) > room:
        level -= 1
        widths = [min(each, level) for each in natural]
    for n in sorted(kept, key=lambda k: natural[k]):  # what rounding left over
        more = room - _total(kept, lambda k: widths[k])
        widths[n] = min(natural[n], widths[n] + max(more, 0))
    return _taken(headings, rows, kept, widths)


def _total(kept: Sequence[int], width_of: Callable[[int], int]) -> int:
    return sum(map(width_of, kept)) + GAP * (len(kept) - 1)


def _taken(
    headings: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    kept: Sequence[int],
    widths: Sequence[int],
) -> Fitted:
    return Fitted(
        [cut_end(headings[n], widths[n]) for n in kept],
        [[row[n].cut(widths[n]) for n in kept] for row in rows],
        [widths[n] for n in kept],
    )
