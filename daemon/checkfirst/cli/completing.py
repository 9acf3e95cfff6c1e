"""What a shell offers where a command wants a file that checkfirst knows.

Quick, and silent whatever is wrong: nobody reads errors while typing.
"""

import contextlib
import string
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from checkfirst.cli.options import Options, database_of
from checkfirst.model import Arrival, State
from checkfirst.policy.names import show
from checkfirst.store.reading import Reading

if TYPE_CHECKING:
    import click
    from click.shell_completion import CompletionItem

HELD = frozenset({State.HELD, State.WAITING})
QUARANTINED = frozenset({State.QUARANTINED})

_MOST = 200
_PLAIN = frozenset(string.ascii_letters + string.digits + "._-+@%")
"""Characters that mean nothing to any shell; a name with others is offered by its number."""

Complete = Callable[["click.Context", "click.Parameter", str], "list[CompletionItem]"]


def files(states: Collection[State] | None = None) -> Complete:
    """Numbers, and names where they are plain, of files in these states (of all, without)."""

    def complete(
        context: "click.Context", _: "click.Parameter", incomplete: str
    ) -> "list[CompletionItem]":
        from click.shell_completion import CompletionItem  # noqa: PLC0415  (for completion alone)

        with contextlib.suppress(Exception):
            options = Options(context.find_root().params.get("settings"))
            with Reading(database_of(options.glance().state)) as reading:
                rows = reading.history(_MOST, states)
            found = [pair for row in rows for pair in _offers(row)]
            return [
                CompletionItem(value, help=told)
                for value, told in dict(found).items()
                if value.startswith(incomplete)
            ]
        return []

    return complete


def teach_fish() -> None:
    """Keep whole what fish shows beside a word; its script takes a comma for the end of it."""
    from click.shell_completion import (  # noqa: PLC0415  (for completion alone)
        CompletionItem,
        FishComplete,
        add_completion_class,
    )

    class Fish(FishComplete):
        def format_completion(self, item: CompletionItem) -> str:
            told = item.help and item.help.replace(",", ";")
            return super().format_completion(CompletionItem(item.value, item.type, told))

    add_completion_class(Fish)


def _offers(row: Arrival) -> list[tuple[str, str]]:
    name = show(row.name)
    told = f"{row.state.value}: {row.reason}" if row.reason else row.state.value
    offers = [(str(row.id), f"{name} ({row.state.value})")]
    if _PLAIN.issuperset(name) and not name.startswith("-"):
        offers.append((name, told))
    return offers
