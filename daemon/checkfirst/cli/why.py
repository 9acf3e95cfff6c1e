"""`checkfirst why`: the story of one file, with the reason for what was done."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from checkfirst.cli import completing, output, second_look
from checkfirst.cli.meant import meant
from checkfirst.cli.options import Options, database_of
from checkfirst.cli.why_sources import said
from checkfirst.clock import SystemClock
from checkfirst.errors import Problem
from checkfirst.model import Arrival, State
from checkfirst.policy.names import escape, show
from checkfirst.policy.threats import by_name
from checkfirst.service.overview import row_json, second_look_json, with_outlook
from checkfirst.service.status import read_blocking
from checkfirst.store.reading import Reading
from checkfirst.vault.digest import hash_of_blocking

if TYPE_CHECKING:
    from checkfirst.settings.glance import Glance

_ENDED = {
    State.RELEASED: "released to",
    State.RESTORED: "restored to",
    State.QUARANTINED: "quarantined in",
    State.DELETED: "deleted",
    State.GONE: "gone",
}
_ON_ITS_WAY = {
    State.HOLDING: "being taken out of reach",
    State.HELD: "held, out of reach",
    State.WAITING: "held, waiting for an answer",
    State.RELEASING: "on its way to the released folder",
    State.QUARANTINING: "on its way into the quarantine",
    State.RESTORING: "being restored",
    State.DELETING: "being deleted",
    State.LEFT: "left where it is, as it could not be taken; it is tried again",
}
_MOST_OTHERS = 10
_MOST_NAMES = 5


@click.command()
@click.argument("file", metavar="FILE|SHA256|ID", shell_complete=completing.files())
@click.option("--json", "is_json", is_flag=True, help="Print JSON for programs.")
@click.pass_obj
def why(options: Options, file: str, *, is_json: bool) -> None:
    """All that is known of one file, and the reason for what was done.

    FILE is a name, a path, or a pattern in quotes. A path that leads to a file is also looked up by
    its content. Of a file that was never taken in it says why.
    """
    glance = options.glance()
    state = Path(glance.state)
    with Reading(database_of(state)) as reading:
        found = _find(reading, file)
        if not found:
            raise _unknown(options, file)
        rows = with_outlook(found, read_blocking(state))
        if is_json:
            output.as_json([_json(reading, glance, row) for row in rows])
            return
        _print_story(reading, glance, rows[0])
    if others := rows[1:]:
        output.line()
        output.heading(f"Also meant: {len(others)} other{'s' if len(others) > 1 else ''}")
        output.table(
            [""] * 4,
            [
                (row.id, output.local(row.arrived_at), row.state.value, row.name)
                for row in others[:_MOST_OTHERS]
            ],
            indent=2,
        )


def _find(reading: Reading, file: str) -> list[Arrival]:
    found = meant(reading, file)
    if not found and (sha256 := hash_of_blocking(os.path.abspath(os.fsencode(file)))):  # noqa: PTH100  (dots away, links kept)
        found = reading.find(sha256)
    return found


def _unknown(options: Options, file: str) -> Problem:
    from checkfirst.service.untaken import untaken_blocking  # noqa: PLC0415  (heavy, seldom used)

    found = untaken_blocking(os.fsencode(file), options.load().settings, SystemClock())
    if found is not None:
        title = f"This file was never taken in: {found.why}"
        return Problem(title, found.to_do, about=show(found.path))
    return Problem(
        "Nothing is known of this file",
        "Give a name, a path, the first six or more digits of a SHA-256, or a number that "
        "`checkfirst history` shows. To have a file judged now: checkfirst check FILE",
        about=escape(file),
    )


def _print_story(reading: Reading, glance: "Glance", row: Arrival) -> None:
    output.heading(f"{show(row.name)} ({row.state.value}, number {row.id})")
    output.facts(facts(row))
    output.line()
    output.facts(story(row), indent=2)
    if row.sha256:
        output.line()
        output.heading("What the sources say of it now")
        output.facts(said(reading, glance, row, row.sha256), indent=2)
    if row.sha256 and (looks := reading.second_look(row.sha256)):
        output.line()
        output.line(second_look.story(looks, SystemClock().now()))


def _json(reading: Reading, glance: "Glance", row: Arrival) -> dict[str, object]:
    looks = reading.second_look(row.sha256) if row.sha256 else None
    words = said(reading, glance, row, row.sha256) if row.sha256 else []
    return row_json(row) | {
        "second_look": looks and second_look_json(looks),
        "sources": [{"name": name, "says": text} for name, text in words],
    }


def facts(row: Arrival) -> list[tuple[str, output.Cell]]:
    """What is known, but for what happened."""
    opinions = None
    if row.detections is not None and row.engines is not None:
        opinions = f"{row.detections} of {row.engines} call it harmful"
    return [
        ("reason", row.reason),
        ("verdict", row.verdict.value if row.verdict else None),
        ("said by", row.source),
        ("engines", opinions),
        ("they call it", _names(row)),
        ("report", row.report_url),
        ("size", output.size(row.size)),
        ("kind", row.content_type and f"{row.content_type} ({row.risk or 'other'})"),
        ("loaded from", row.origin_url),
        ("sha256", row.sha256),
    ]


def _names(row: Arrival) -> str:
    """The names on which most engines agree."""
    found = by_name(row.threats)
    told = [f"{name} ({len(engines)})" if engines else name for name, engines in found]
    more = f", and {len(found) - _MOST_NAMES} more names" if len(found) > _MOST_NAMES else ""
    return ", ".join(told[:_MOST_NAMES]) + more


def story(row: Arrival) -> list[tuple[output.Cell, output.Cell]]:
    """What happened, in order, each with its moment in local time."""
    happened: list[tuple[float | None, str]] = [
        (row.arrived_at, f"arrived as {show(row.origin)}"),
        (row.held_at, "taken out of reach and identified"),
        (row.asked_at, "asked about"),
        (row.submitted_at, "uploaded, as nobody had seen it"),
        (row.decided_at, f"judged: {row.verdict.value if row.verdict else 'no verdict'}"),
    ]
    steps: list[tuple[output.Cell, output.Cell]] = [
        (output.local(at), what)
        for at, what in sorted(
            ((at, what) for at, what in happened if at is not None), key=lambda each: each[0]
        )
    ]
    if (end := _ENDED.get(row.state)) is not None:
        place = show(row.destination) if row.destination and row.state is not State.DELETED else ""
        steps.append((output.local(row.finished_at), f"{end} {place}".rstrip()))
    else:
        steps.append(("now", _ON_ITS_WAY[row.state]))
    if row.until is not None:
        steps.append((output.local(row.until), "looked at again"))
    return steps
