"""Writing to the table of arrivals: whole batches, its shelf and the running totals kept in step.

Each function blocks, and is part of the caller's transaction. Who may do what is the journal's to
decide.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from checkfirst.store import row

if TYPE_CHECKING:
    import sqlite3

    from checkfirst.model import State


def next_id_blocking(connection: "sqlite3.Connection") -> int:
    """An id is never given twice, not even when its row is gone: people write them down."""
    found = connection.execute("SELECT max(seq) FROM sqlite_sequence WHERE name = 'arrivals'")
    return (next(iter(found))[0] or 0) + 1


def existing_blocking(connection: "sqlite3.Connection", ids: Sequence[int]) -> set[int]:
    """Which of the ids have a row."""
    found = connection.execute(
        f"SELECT id FROM arrivals WHERE id IN {row.GIVEN}",  # noqa: S608
        (json.dumps(ids),),
    )
    return {number for (number,) in found}


def insert_blocking(
    connection: "sqlite3.Connection",
    rows: Sequence[tuple[int, "State", str | None, Mapping[str, Any]]],
) -> None:
    """New rows: id, state, claim, facts. All must have the same facts."""
    if not rows:
        return
    columns = ["id", "state", "shelf", "claim", *row.columns(rows[0][3])]
    marks = ", ".join("?" * len(columns))
    connection.executemany(
        f"INSERT INTO arrivals ({', '.join(columns)}) VALUES ({marks})",  # noqa: S608
        [
            [number, str(state), row.shelf(state), claim, *row.values(facts)]
            for number, state, claim, facts in rows
        ],
    )
    _count_blocking(connection, Counter(state for _, state, _, _ in rows))


def update_blocking(
    connection: "sqlite3.Connection",
    rows: Iterable[tuple[int, str, "State", str | None, Mapping[str, Any]]],
) -> None:
    """Id, the state it is in, the new one, claim, new facts; a statement for all of one shape."""
    alike: defaultdict[tuple[bool, tuple[str, ...]], list[list[Any]]] = defaultdict(list)
    changes: Counter[str] = Counter()
    for number, before, after, claim, facts in rows:
        changes[before] -= 1
        changes[after] += 1
        shelf = row.shelf(after)
        # The shelf is set only where it changes, as an index costs with every column it reads.
        moves = shelf != row.shelf(before)
        head = [str(after), claim, shelf] if moves else [str(after), claim]
        alike[moves, tuple(facts)].append([*head, *row.values(facts), number])
    for (moves, names), values in alike.items():
        columns = ["state", "claim", *(["shelf"] if moves else []), *row.columns(names)]
        settings = ", ".join(f"{column} = ?" for column in columns)
        connection.executemany(f"UPDATE arrivals SET {settings} WHERE id = ?", values)  # noqa: S608
    _count_blocking(connection, changes)


def delete_blocking(connection: "sqlite3.Connection", ids: Sequence[int]) -> None:
    """Drop those rows that are still at an end."""
    gone = connection.execute(
        f"DELETE FROM arrivals WHERE id IN {row.GIVEN} AND {row.IS_ENDED} RETURNING state",  # noqa: S608
        (json.dumps(ids),),
    )
    changes: Counter[str] = Counter()
    changes.subtract(state for (state,) in gone)
    _count_blocking(connection, changes)


def _count_blocking(connection: "sqlite3.Connection", changes: Mapping[str, int]) -> None:
    connection.executemany(
        "INSERT INTO counts (state, rows) VALUES (?, ?)"
        " ON CONFLICT (state) DO UPDATE SET rows = rows + excluded.rows",
        [(str(state), change) for state, change in changes.items() if change],
    )
