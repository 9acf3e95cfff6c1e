"""`checkfirst history`: what happened to each file, newest first."""

from pathlib import Path

import click

from checkfirst.cli import output
from checkfirst.cli.options import Options, database_of
from checkfirst.model import Arrival, State
from checkfirst.policy.names import show
from checkfirst.service.overview import row_json, with_outlook
from checkfirst.service.status import read_blocking
from checkfirst.store.reading import Reading

_NAME = 48


@click.command()
@click.option("--json", "is_json", is_flag=True, help="Print JSON for programs.")
@click.option(
    "-n", "--limit", type=click.IntRange(1), default=20, show_default=True, help="So many files."
)
@click.option(
    "--state",
    "states",
    type=click.Choice([state.value for state in State]),
    multiple=True,
    help="Only files in this state; may be given several times.",
)
@click.pass_obj
def history(options: Options, *, is_json: bool, limit: int, states: tuple[str, ...]) -> None:
    """What happened to each file, newest first."""
    state = Path(options.glance().state)
    with Reading(database_of(state)) as reading:
        rows = reading.history(limit, {State(each) for each in states} or None)
    rows = with_outlook(rows, read_blocking(state))
    if is_json:
        output.as_json([row_json(row) for row in rows])
    elif rows:
        print_rows(rows)
    else:
        output.line("No file has arrived yet." if not states else "There is no such file.")


def print_rows(rows: list[Arrival]) -> None:
    """A table of files."""
    output.table(
        ["id", "arrived", "state", "verdict", "name", "reason"],
        [
            (
                row.id,
                output.local(row.arrived_at),
                row.state.value,
                row.verdict.value if row.verdict else None,
                show(row.name, _NAME),
                row.reason,
            )
            for row in rows
        ],
    )
