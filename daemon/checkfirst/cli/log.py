"""`checkfirst log`: the last lines of the log, or the log as it is written."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import click

from checkfirst.cli import output
from checkfirst.cli.options import Options
from checkfirst.errors import Problem
from checkfirst.log_tail import follow, read_last_blocking
from checkfirst.policy.names import escape

LEVELS = ("debug", "info", "warning", "error")

_TEXT_LEVELS = {"problem": "error", "quarantined": "warning", "submitted": "warning"}
"""The text form tells events and no levels; other events are as good as information."""
_MOST_SEARCHED = 1_000_000
"""Lines that are looked through when only some are wanted."""


@click.command()
@click.option("-f", "--follow", "is_followed", is_flag=True, help="Go on as lines are written.")
@click.option(
    "-n", "--lines", type=click.IntRange(0), default=50, show_default=True, help="So many lines."
)
@click.option("--level", type=click.Choice(LEVELS), help="Only lines as grave as this, or graver.")
@click.option("--file", "name", metavar="NAME", help="Only lines that speak of this file.")
@click.pass_obj
def log(
    options: Options, *, is_followed: bool, lines: int, level: str | None, name: str | None
) -> None:
    """Read the log, or follow it."""
    path = Path(options.glance().log_file)
    wanted = wants(level, escape(name) if name else None)
    if is_followed:
        for each in follow(path, lines):
            if wanted(each):
                output.line(each)
                output.flush()
        return
    last = read_last_blocking(path, _MOST_SEARCHED if level or name else lines)
    if not last and not path.exists():
        raise Problem(
            "There is no log yet",
            "It is begun when the daemon starts: checkfirst run",
            about=os.fsencode(path).decode(errors="backslashreplace"),
        )
    chosen = [each for each in last if wanted(each)]
    for each in chosen[-lines:] if lines else []:
        output.line(each)


def wants(level: str | None, name: str | None) -> Callable[[str], bool]:
    """Whether a line is asked for; a traceback's lines belong to no file and have no level."""
    least = LEVELS.index(level) if level else 0

    def wanted(line: str) -> bool:
        if name is not None and name not in line and json.dumps(name)[1:-1] not in line:
            return False
        return LEVELS.index(_level_of(line)) >= least

    return wanted


def _level_of(line: str) -> str:
    if line.startswith("{"):
        try:
            found = json.loads(line).get("level")
        except ValueError:
            return "info"
        return found if found in LEVELS else "error"
    words = line.split(maxsplit=3)
    return _TEXT_LEVELS.get(words[2], "info") if len(words) > 2 else "info"  # noqa: PLR2004
