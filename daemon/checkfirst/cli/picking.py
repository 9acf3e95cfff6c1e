"""Which files a person means, and what became of them."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from checkfirst.cli import output
from checkfirst.cli.options import Options, database_of
from checkfirst.errors import Problem
from checkfirst.model import Arrival, State
from checkfirst.policy.names import escape
from checkfirst.store.reading import Reading

if TYPE_CHECKING:
    from checkfirst.service.deeds import Deed

_PATTERN = frozenset("*?[")


def pick(options: Options, texts: Sequence[str], states: Collection[State]) -> list[Arrival]:
    """The rows in these states that the texts mean; a name that means several needs a pattern.

    Raises Problem when a text means nothing, or more than one file without saying so.
    """
    found: dict[int, Arrival] = {}
    with Reading(database_of(options.glance().state)) as reading:
        for text in texts:
            rows = [row for row in reading.find(text) if row.state in states]
            if not rows:
                raise Problem(
                    f"There is no such file ({' or '.join(sorted(states))})",
                    "Name it by its id, its name, or the first six digits of its SHA-256.",
                    about=escape(text),
                )
            if len(rows) > 1 and not _PATTERN & set(text):
                ids = ", ".join(str(row.id) for row in rows[:10])
                raise Problem(
                    f"{len(rows)} files are meant by that",
                    f"Name one by its id: {ids}.",
                    about=escape(text),
                )
            found.update((row.id, row) for row in rows)
    return list(found.values())


def tell(word: str, deeds: Sequence["Deed"]) -> bool:
    """A line for each; whether all could be done."""
    for deed in deeds:
        if deed.problem is not None:
            output.problem(deed.problem)
        else:
            output.table(["", "", "", ""], [(word, deed.arrival.name, "->", deed.where)])
        for stranger in deed.strangers:
            output.note("A file that is not checkfirst's own stays there:")
            output.note(output.text(stranger))
    return all(deed.problem is None for deed in deeds)
