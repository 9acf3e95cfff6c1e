"""What `checkfirst allow list` and `block list` print."""

from checkfirst.cli import output
from checkfirst.cli.options import Options, database_of
from checkfirst.cli.own_lists import BY, OwnLists, Placed
from checkfirst.clock import SystemClock, iso
from checkfirst.policy import hashes
from checkfirst.policy.hashes import Kind
from checkfirst.store.listed import Listed, ListName
from checkfirst.store.reading import Reading

_DIGITS = 16
"""So many tell one from another, and `remove` takes them."""
_MOST_PLACED = 100
"""So many lines of the settings' files are shown; JSON has all."""


def show(options: Options, name: ListName, *, is_json: bool) -> None:
    """Print the list; lines that cannot be read are told on stderr."""
    glance = options.glance()
    with Reading(database_of(glance.state)) as reading:
        lists = OwnLists(glance, reading, SystemClock().now())
        kept = lists.kept(name)
        placed = []
        for line in lists.placed_blocking(name):
            if line.hash is None:
                output.note(f"{line.place}: {line.problem}")
            else:
                placed.append(line)
    if is_json:
        output.as_json([*map(_kept_json, kept), *map(_placed_json, placed)])
    elif not kept and not placed:
        output.line(f"Your {name.value} list is empty.")
    else:
        output.table(
            ["hash", "since", "until", "by", "note"],
            [*map(_kept_row, kept), *map(_placed_row, placed[:_MOST_PLACED])],
        )
        if len(placed) > _MOST_PLACED:
            more = len(placed) - _MOST_PLACED
            output.line(f"The files of the settings list {more} more; --json shows them.")


def _kept_row(entry: Listed) -> list[output.Cell]:
    since, until = output.local(entry.added_at), output.local(entry.expires_at)
    return [_digits(entry.hash), since, until, BY[entry.origin], entry.note]


def _placed_row(line: Placed) -> list[output.Cell]:
    return [_digits(line.hash or ""), None, None, "settings", line.place]


def _digits(found: str) -> str:
    kind = hashes.kind(found)
    return found[:_DIGITS] + ("" if kind is Kind.SHA256 else f" ({hashes.shown(found)})")


def _kept_json(entry: Listed) -> dict[str, object]:
    return {
        "hash": entry.hash,
        "kind": hashes.kind(entry.hash),
        "by": entry.origin,
        "note": entry.note,
        "added_at": iso(entry.added_at),
        "expires_at": iso(entry.expires_at),
        "place": None,
    }


def _placed_json(line: Placed) -> dict[str, object]:
    found = line.hash or ""
    facts = {"hash": found, "kind": hashes.kind(found), "by": "settings", "note": ""}
    return {**facts, "added_at": None, "expires_at": None, "place": line.place}
