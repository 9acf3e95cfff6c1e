"""`checkfirst log`: the last lines of the log, or the log as it is written."""

import os
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import click

from checkfirst.cli import completing, log_face, output, screen
from checkfirst.cli.log_choice import Choice
from checkfirst.cli.meant import meant
from checkfirst.cli.options import Options, database_of
from checkfirst.errors import Problem, StoreError
from checkfirst.log_lines import LEVELS
from checkfirst.log_tail import follow, read_last_blocking
from checkfirst.model import Arrival
from checkfirst.policy.names import show
from checkfirst.store.reading import Reading

_MOST_SEARCHED = 1_000_000
"""Lines that are looked through when only some are wanted."""


@click.command()
@click.option("-f", "--follow", "is_followed", is_flag=True, help="Go on as lines are written.")
@click.option(
    "-n", "--lines", type=click.IntRange(0), default=50, show_default=True, help="So many lines."
)
@click.option("--level", type=click.Choice(LEVELS), help="Only lines as grave as this, or graver.")
@click.option(
    "--file",
    "name",
    metavar="NAME",
    shell_complete=completing.files(),
    help="Only lines about this file: its name, a pattern, its id or the start of its SHA-256.",
)
@click.pass_obj
def log(
    options: Options, *, is_followed: bool, lines: int, level: str | None, name: str | None
) -> None:
    """Read the log, or follow it.

    On a terminal it is coloured, and a log in JSON is shown as text; elsewhere lines are as they
    lie in the file.
    """
    glance = options.glance()
    path = Path(glance.log_file)
    known = _known(glance.state, name) if name else []
    choice = Choice(level, name, known)
    searched = lines if choice.takes_all else _MOST_SEARCHED
    about = show(os.fsencode(path))
    try:
        if is_followed:
            if not path.exists():
                output.note(f"There is no log yet: {about}")
                output.note("It is begun when the daemon starts (checkfirst run), and shown then.")
            _follow(path, choice, lines, searched)
            return
        last = read_last_blocking(path, searched)
        is_there = bool(last) or path.exists()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise Problem(
            f"The log cannot be read: {error.strerror}",
            "Look at what lies there, and whose it is; `log.file` in the settings names another.",
            about=about,
        ) from error
    if not is_there:
        raise Problem(
            "There is no log yet", "It is begun when the daemon starts: checkfirst run", about=about
        )
    chosen = [each for each in last if choice.wants(each)]
    for each in chosen[-lines:] if lines else []:
        _print(each)
    if name and not chosen:
        _none_about(name, known, level)


def _none_about(name: str, known: Sequence[Arrival], level: str | None) -> None:
    """Files of a burst have no lines of their own, and old lines go; the journal has them."""
    grave = f" as grave as `{level}`" if level else ""
    output.note(f"No line of the log{grave} is about {name}")
    if known:
        newest = max(row.id for row in known)
        output.note(f"Files of a burst are told of together; of each: checkfirst why {newest}")


def _known(state: str, name: str) -> list[Arrival]:
    """What the journal knows by that name; a broken one is no reason not to read the log."""
    with suppress(StoreError), Reading(database_of(state)) as reading:
        return meant(reading, name)
    return []


def _follow(path: Path, choice: Choice, lines: int, searched: int) -> None:
    """What is there already is only known to be all when nothing more comes at once."""
    before: deque[str] | None = deque(maxlen=lines)

    def pause(seconds: float) -> None:
        nonlocal before
        for each in before or ():
            _print(each)
        before = None
        output.flush()
        time.sleep(seconds)

    for each in follow(path, searched, sleep=pause):
        if not choice.wants(each):
            continue
        if before is not None:
            before.append(each)
        else:
            _print(each)


def _print(line: str) -> None:
    if screen.is_terminal():
        for each in log_face.of(line, screen.width()):
            output.styled(each)
    else:
        output.styled(log_face.in_one(line))
