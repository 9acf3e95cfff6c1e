"""How an arrival lies in its row, both ways. Knows no connection."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from checkfirst.model import OPEN_STATES, Arrival, Risk, State, VerdictKind
from checkfirst.policy.names import show

COLUMNS = Arrival._fields
SELECT = f"SELECT {', '.join(COLUMNS)} FROM arrivals"  # noqa: S608  (our own field names)

UNFINISHED = frozenset({*OPEN_STATES, State.LEFT})
"""States of rows that are still somebody's work; only these can be claimed."""

IS_UNFINISHED = "shelf = 'open'"

IS_WAITING = "state IN ('held', 'waiting')"
"""Repeats the WHERE of its partial index, which is not used otherwise; nor is it beside `ORDER BY
id`, which SQLite then reads the whole table for: `ORDER BY +id` sorts the few instead."""

IN_STRETCHES = "id >> 12 IN stretches"
"""True of every row. Goes with whatever is asked of a hash or a name: the indexes of these begin
with it, and without it SQLite reads the whole table."""

IS_ENDED = "state IN ('released', 'restored', 'deleted', 'gone')"
"""Nothing of the file is in our keeping any more."""

GIVEN = "(SELECT value FROM json_each(?))"
"""A list as one parameter: SQLite allows only so many."""

_WHOLE = ("dev", "ino", "size", "mtime_ns")


def arrival(row: Sequence[Any]) -> Arrival:
    """The value of a row read with `SELECT`."""
    found = dict(zip(COLUMNS, row, strict=True))
    found["state"] = State(found["state"])
    for name in _WHOLE:
        if isinstance(found[name], str):
            found[name] = int(found[name])
    if found["risk"] is not None:
        found["risk"] = Risk(found["risk"])
    if found["verdict"] is not None:
        found["verdict"] = VerdictKind(found["verdict"])
    found["threats"] = threats(found["threats"])
    return Arrival(**found)


def shelf(state: str) -> str | None:
    """What rows in this state are found by (see the column)."""
    return _SHELVES[state]


def columns(names: Iterable[str]) -> list[str]:
    """The columns of facts with these names; the printable name goes with the origin."""
    return [*names, "name"] if "origin" in names else [*names]


def values(facts: Mapping[str, Any]) -> list[Any]:
    """What to put into `columns` of the same facts."""
    found = list(facts.values())
    for place, encode in _encoders(tuple(facts)):
        if found[place] is not None:
            found[place] = encode(found[place])
    if "origin" in facts:
        found.append(show(facts["origin"].rpartition(b"/")[2]))
    return found


def text(value: str) -> str:
    """Text as SQLite takes it: JSON may bring lone surrogates, which have no UTF-8."""
    return value if value.isascii() else value.encode(errors="backslashreplace").decode()


def threats_stored(found: Sequence[str]) -> str | None:
    """A JSON array, or nothing for none; JSON's own escapes carry any surrogate."""
    return json.dumps(list(found)) if found else None


def threats(found: str | None) -> tuple[str, ...]:
    """Back from `threats_stored`."""
    return tuple(json.loads(found)) if found else ()


def whole(value: int) -> int | str:
    """An integer of any size: SQLite's own have 63 bits and a sign."""
    return value if -(2**63) <= value < 2**63 else str(value)


_ENCODED: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(_WHOLE, whole),
    **dict.fromkeys(("content_type", "source", "reason", "report_url", "origin_url"), text),
    **dict.fromkeys(("risk", "verdict"), str),
    "threats": threats_stored,
}


@cache
def _encoders(names: tuple[str, ...]) -> tuple[tuple[int, Callable[[Any], Any]], ...]:
    """Which facts need which encoding; a batch has the same names over and over."""
    return tuple((place, _ENCODED[name]) for place, name in enumerate(names) if name in _ENCODED)


_SHELVES: dict[str, str | None] = {
    state: "open" if state in UNFINISHED else None if state is State.RELEASED else state.value
    for state in State
}
