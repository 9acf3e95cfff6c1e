"""Which files a person means, and what became of them."""

from collections.abc import Collection, Sequence
from math import inf
from typing import TYPE_CHECKING

import click

from checkfirst.cli import output
from checkfirst.cli.completing import QUARANTINED
from checkfirst.cli.meant import meant
from checkfirst.cli.options import Options, database_of
from checkfirst.cli.span import SPAN
from checkfirst.errors import Problem
from checkfirst.model import Arrival, State
from checkfirst.policy.names import escape, show
from checkfirst.service.overview import row_json
from checkfirst.store.reading import Reading

if TYPE_CHECKING:
    from checkfirst.service.passage import Deed

OLDER_THAN = click.option(
    "--older-than",
    type=SPAN,
    metavar="AGE",
    help="All that have lain there for longer, such as 30d.",
)

_PATTERN = frozenset("*?[")
_MOST_NAMED = 20


def pick(options: Options, texts: Sequence[str], states: Collection[State]) -> list[Arrival]:
    """The rows in these states that the texts mean; a name that means several needs a pattern.

    Raises Problem when a text means nothing, or more than one file without saying so.
    """
    found: dict[int, Arrival] = {}
    with Reading(database_of(options.glance().state)) as reading:
        for text in texts:
            known = meant(reading, text)
            rows = [row for row in known if row.state in states]
            if not rows:
                to_do = "Name it by its id, its name, or the first six digits of its SHA-256."
                if len(known) == 1:
                    to_do = f"It is {known[0].state.value} now: checkfirst why {known[0].id}"
                elif known:
                    to_do = f"{len(known)} others are meant by that: checkfirst history"
                raise Problem(
                    f"There is no such file ({' or '.join(sorted(states))})",
                    to_do,
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


def pick_quarantined(
    options: Options, texts: Sequence[str], older_than: float | None
) -> list[Arrival]:
    """Quarantined files that are named, or that have lain there for longer; one of the two."""
    if bool(texts) == (older_than is not None):
        raise click.UsageError("Name files, or give --older-than.")
    if texts:
        return pick(options, texts, QUARANTINED)
    with Reading(database_of(options.glance().state)) as reading:
        return older(reading.quarantined(), older_than)


def older(rows: Sequence[Arrival], age: float | None) -> list[Arrival]:
    """Those that were quarantined longer ago than that; all when no age is given."""
    if age is None:
        return list(rows)
    from checkfirst.clock import SystemClock  # noqa: PLC0415  (imports asyncio)

    before = SystemClock().now() - age
    return [row for row in rows if _since(row) < before]


def ask(rows: Sequence[Arrival], what: str) -> None:
    """Go on only if the person means it; raises Problem where nobody can be asked."""
    for row in rows[:_MOST_NAMED]:
        output.note(f"  {row.id}  {show(row.name)}")
    if len(rows) > _MOST_NAMED:
        output.note(f"  and {len(rows) - _MOST_NAMED} more")
    confirm(f"{what}: {len(rows)} {'file' if len(rows) == 1 else 'files'}?")


def confirm(question: str) -> None:
    """Go on only if the person says yes; raises Problem where nobody can be asked."""
    if not output.may_ask():
        raise Problem(f"{question} Nobody is there to be asked", "Add --yes to mean it.")
    if not output.confirm(question):
        raise click.Abort


def tell(word: str, deeds: Sequence["Deed"]) -> bool:
    """A line for each; whether all could be done."""
    for deed in deeds:
        if deed.problem is None:
            name, where = output.text(deed.arrival.name), output.text(deed.where)
            output.line(f"{word}  {name} -> {where}" if word != "deleted" else f"{word}  {name}")
    return _told_problems(deeds)


def tell_json(options: Options, deeds: Sequence["Deed"]) -> bool:
    """The rows as they are now, for programs; whether all could be done."""
    with Reading(database_of(options.glance().state)) as reading:
        rows = [reading.by_id(deed.arrival.id) or deed.arrival for deed in deeds]
    output.as_json([row_json(row) for row in rows])
    return _told_problems(deeds)


def _told_problems(deeds: Sequence["Deed"]) -> bool:
    for deed in deeds:
        if deed.problem is not None:
            output.problem(deed.problem)
        if deed.remains is not None:
            output.note(f"{show(deed.arrival.name)} is deleted. {deed.remains}")
        for stranger in deed.strangers:
            output.note("A file that is not checkfirst's own stays there:")
            output.note(output.text(stranger))
    return all(deed.problem is None for deed in deeds)


def _since(row: Arrival) -> float:
    """When it was quarantined; a file of which nobody knows counts as new."""
    known = (row.finished_at, row.decided_at, row.arrived_at)
    return next((at for at in known if at is not None), inf)
