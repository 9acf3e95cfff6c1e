"""`checkfirst history`: what happened to each file, newest first."""

from collections.abc import Collection
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import click

from checkfirst.cli import completing, output
from checkfirst.cli.meant import meant
from checkfirst.cli.options import Options, database_of
from checkfirst.model import Arrival, State
from checkfirst.service.overview import row_json, sent_json, with_outlook
from checkfirst.service.status import read_blocking
from checkfirst.settings.units import duration
from checkfirst.store.reading import Reading
from checkfirst.store.submissions import Sent


def _since(_context: click.Context, _option: click.Parameter, value: str | None) -> float | None:
    """The moment that is meant, in local time where it is a day."""
    if value is None:
        return None
    with suppress(ValueError):
        return datetime.fromisoformat(value).timestamp()
    try:
        age = duration(value).total_seconds()
    except ValueError as error:
        raise click.BadParameter(f"{error}, or a day such as 2026-11-24") from None
    from checkfirst.clock import SystemClock  # noqa: PLC0415  (imports asyncio)

    return SystemClock().now() - age


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
@click.option(
    "--since",
    metavar="WHEN",
    callback=_since,
    help="Only files that arrived since: an age such as 2h or 7d, or a day such as 2026-11-24.",
)
@click.option("--submitted", is_flag=True, help="What was uploaded to VirusTotal, latest first.")
@click.argument("file", required=False, shell_complete=completing.files())
@click.pass_obj
def history(
    options: Options,
    *,
    is_json: bool,
    limit: int,
    states: tuple[str, ...],
    since: float | None,
    file: str | None,
    submitted: bool,
) -> None:
    """What happened to each file, newest first.

    Only to FILE, where it is given: a name, a pattern such as '*.exe', or the start of a SHA-256.
    """
    if submitted and (states or file is not None):
        raise click.UsageError(
            "--submitted lists uploads; they have no state, and are not searched."
        )
    state = Path(options.glance().state)
    wanted = {State(each) for each in states} or None
    with Reading(database_of(state)) as reading:
        if submitted:
            sent = reading.submitted(limit)
            later = [each for each in sent if each[0].submitted_at >= (since or 0.0)]
            print_sent(later, is_json=is_json)
            return
        if file is None:
            rows = reading.history(limit, wanted, since)
        else:
            found = meant(reading, file)
            rows = [row for row in found if _is_meant(row, wanted, since)][:limit]
    rows = with_outlook(rows, read_blocking(state))
    if is_json:
        output.as_json([row_json(row) for row in rows])
    elif rows:
        print_rows(rows)
    elif states or file is not None or since is not None:
        output.line("There is no such file.")
        if file is not None:
            output.note("Why a file was never taken in, `checkfirst why FILE` says.")
    else:
        output.line("No file has arrived yet.")


def _is_meant(row: Arrival, states: Collection[State] | None, since: float | None) -> bool:
    if states is not None and row.state not in states:
        return False
    return since is None or (row.arrived_at is not None and row.arrived_at >= since)


def print_sent(sent: list[tuple[Sent, Arrival | None]], *, is_json: bool) -> None:
    """A table of uploads."""
    if is_json:
        output.as_json([sent_json(each, row) for each, row in sent])
    elif sent:
        output.table(
            ["submitted", "id", "name", "size", "verdict", "sha256"],
            [
                (
                    output.moment(each.submitted_at),
                    row.id if row else "",
                    row.name if row else each.name or b"",
                    output.size(row.size if row else each.size),
                    row.verdict.value if row and row.verdict else None,
                    each.sha256,
                )
                for each, row in sent
            ],
        )
    else:
        output.line("Nothing was ever uploaded.")


def print_rows(rows: list[Arrival]) -> None:
    """A table of files."""
    output.table(
        ["id", "arrived", "state", "verdict", "name", "reason"],
        [
            (
                row.id,
                output.moment(row.arrived_at),
                row.state.value,
                row.verdict.value if row.verdict else None,
                row.name,
                row.reason,
            )
            for row in rows
        ],
        spare=("verdict",),
    )
