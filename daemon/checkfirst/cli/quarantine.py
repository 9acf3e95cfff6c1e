"""`checkfirst quarantine`: what was stopped, and the ways out of it."""

import os
from pathlib import Path

import click

from checkfirst.cli import completing, output
from checkfirst.cli.completing import QUARANTINED
from checkfirst.cli.options import Options, database_of
from checkfirst.cli.picking import OLDER_THAN, older, pick
from checkfirst.cli.quarantine_export import export
from checkfirst.cli.quarantine_ways import delete, restore
from checkfirst.errors import Problem
from checkfirst.model import Arrival
from checkfirst.policy.names import show
from checkfirst.service.overview import row_json
from checkfirst.store.reading import Reading


@click.group()
def quarantine() -> None:
    """List, show, restore, delete or export what was quarantined.

    A FILE is named by its id, its name, the beginning of its SHA-256, or a pattern such as '*.exe'.
    """


@quarantine.command("list")
@OLDER_THAN
@click.option("--json", "is_json", is_flag=True, help="Print JSON for programs.")
@click.pass_obj
def list_(options: Options, *, older_than: float | None, is_json: bool) -> None:
    """What lies in the quarantine, newest first."""
    glance = options.glance()
    with Reading(database_of(glance.state)) as reading:
        rows = older(reading.quarantined(), older_than)
    if is_json:
        output.as_json([row_json(row) for row in rows])
    elif not rows:
        output.line(
            "Nothing is that old." if older_than is not None else "The quarantine is empty."
        )
    else:
        output.table(
            ["id", "quarantined", "size", "found by", "name", "reason"],
            [
                (
                    row.id,
                    output.moment(row.finished_at or row.decided_at),
                    output.size(row.size),
                    _found_by(row),
                    row.name,
                    row.reason,
                )
                for row in rows
            ],
            spare=("size", "found by"),
        )
        output.line(f"They lie in {glance.quarantine}, each beside a report.txt.")


@quarantine.command("show")
@click.argument("file", shell_complete=completing.files(QUARANTINED))
@click.option("--json", "is_json", is_flag=True, help="Print JSON for programs.")
@click.pass_obj
def show_(options: Options, file: str, *, is_json: bool) -> None:
    """The report of one file, as it lies beside it."""
    rows = pick(options, [file], QUARANTINED)
    if is_json:
        output.as_json([row_json(row) for row in rows])
        return
    for row in rows:
        _print_report(row)


def _print_report(row: Arrival) -> None:
    report = Path(os.fsdecode(row.destination or b""), "report.txt")
    try:
        lines = report.read_text("utf-8", "backslashreplace").splitlines()
    except OSError as error:
        raise Problem(
            f"The report cannot be read: {error.strerror}",
            f"`checkfirst why {row.id}` tells what the journal knows.",
            about=show(os.fsencode(report)),
        ) from error
    for text in lines:
        output.line(text)


def _found_by(row: Arrival) -> str:
    if row.detections is None or row.engines is None:
        return row.source or ""
    return f"{row.detections} of {row.engines}"


for _command in (restore, delete, export):
    quarantine.add_command(_command)
