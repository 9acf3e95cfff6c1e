"""Which files a person means, where a wrong guess would do something that stays done."""

from collections.abc import Callable, Sequence

from checkfirst.cli import output
from checkfirst.errors import Problem
from checkfirst.model import Arrival
from checkfirst.policy.names import escape
from checkfirst.store.reading import Reading

_MOST_SHOWN = 20


def chosen(
    reading: Reading, texts: Sequence[str], wanted: Callable[[Arrival], bool], what: str
) -> list[Arrival]:
    """The files that are meant, each once: by number, name, digits of the SHA-256, or a pattern.

    `what` they are, in words. Problem when a text means none of them, or several without being a
    pattern.
    """
    found: dict[int, Arrival] = {}
    for text in texts:
        matches = [row for row in reading.find(text) if wanted(row)]
        if not matches:
            raise Problem(
                f"There is no {what} file like that",
                "Give a number, a name, six or more digits of the SHA-256, or a pattern in "
                "quotes. To see what there is: checkfirst history",
                about=escape(text),
            )
        if len(matches) > 1 and not set(text) & set("*?["):
            show_rows(matches)
            raise Problem(
                f"{len(matches)} {what} files are called that; say which by its number",
                "Nothing was done.",
                about=escape(text),
            )
        found.update((row.id, row) for row in matches)
    return list(found.values())


def show_rows(rows: Sequence[Arrival]) -> None:
    """The files in question."""
    output.table(
        [""] * 4,
        [
            (row.id, output.local(row.arrived_at), row.name, row.reason)
            for row in rows[:_MOST_SHOWN]
        ],
        indent=2,
    )
    if len(rows) > _MOST_SHOWN:
        output.line(f"  and {len(rows) - _MOST_SHOWN} more")
