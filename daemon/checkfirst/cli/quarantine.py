"""`checkfirst quarantine`: what was stopped, and the two ways out of it."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import inf
from pathlib import Path

import click

from checkfirst.cli import output
from checkfirst.cli.options import Options, database_of
from checkfirst.cli.picking import pick, tell
from checkfirst.cli.progress import Unit, progress
from checkfirst.errors import Problem
from checkfirst.model import Arrival, State
from checkfirst.policy.names import show
from checkfirst.service.overview import row_json
from checkfirst.store.reading import Reading

_STOPPED = frozenset({State.QUARANTINED})
_NAME = 48


@click.group()
def quarantine() -> None:
    """List, restore or delete what was quarantined.

    A FILE is named by its id, its name, the beginning of its SHA-256, or a pattern such as '*.exe'.
    """


@quarantine.command("list")
@click.option("--json", "is_json", is_flag=True, help="Print JSON for programs.")
@click.pass_obj
def list_(options: Options, *, is_json: bool) -> None:
    """What lies in the quarantine, newest first."""
    glance = options.glance()
    with Reading(database_of(glance.state)) as reading:
        rows = reading.quarantined()
    if is_json:
        output.as_json([row_json(row) for row in rows])
    elif not rows:
        output.line("The quarantine is empty.")
    else:
        output.table(
            ["id", "quarantined", "size", "found by", "name", "reason"],
            [
                (
                    row.id,
                    output.local(row.finished_at or row.decided_at),
                    output.size(row.size),
                    _found_by(row),
                    show(row.name, _NAME),
                    row.reason,
                )
                for row in rows
            ],
        )
        output.line(f"They lie in {glance.quarantine}, each beside a report.txt.")


@quarantine.command("show")
@click.argument("file")
@click.pass_obj
def show_(options: Options, file: str) -> None:
    """The report of one file, as it lies beside it."""
    for row in pick(options, [file], _STOPPED):
        report = Path(os.fsdecode(row.destination or b""), "report.txt")
        try:
            for text in report.read_text("utf-8", "backslashreplace").splitlines():
                output.line(text)
        except OSError as error:
            raise Problem(
                f"The report cannot be read: {error.strerror}",
                f"`checkfirst why {row.id}` tells what the journal knows.",
                about=show(os.fsencode(report)),
            ) from error


@quarantine.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--to",
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder it is put into, in place of the released one.",
)
@click.option("--yes", is_flag=True, help="Do not ask when a pattern means several files.")
@click.pass_context
def restore(context: click.Context, files: tuple[str, ...], to: Path | None, *, yes: bool) -> None:
    """Give files back, and allow their contents from now on. Nothing is overwritten."""
    options: Options = context.obj
    settings = options.load().settings
    folder = (to or settings.released).absolute()
    watched = {os.path.realpath(path) for path in settings.watch}
    real = Path(os.path.realpath(folder))
    within = [real, *(real.parents if settings.intake.recursive else [])]
    own = {os.path.realpath(settings.released)}
    if str(real) not in own and any(str(each) in watched for each in within):
        raise Problem(
            "A file cannot be restored into a watched folder",
            "It would be taken again. Choose another folder with --to.",
            about=show(os.fsencode(folder)),
        )
    private = [Path(os.path.realpath(each)) for each in (settings.quarantine, settings.state)]
    if any(real.is_relative_to(each) for each in private):
        raise Problem(
            "A file cannot be restored into checkfirst's own folders",
            "Choose another folder with --to.",
            about=show(os.fsencode(folder)),
        )
    rows = pick(options, files, _STOPPED)
    if len(rows) > len(files) and not yes:
        _ask(rows, "Restore")
    import asyncio  # noqa: PLC0415  (heavy, like the next; not for the listing)

    from checkfirst.service.deeds import Hand  # noqa: PLC0415

    # Elsewhere it is copied, and the copy is read once more.
    passes = 1 if _is_same_filesystem(settings.quarantine, real) else 3

    @contextmanager
    def shown(row: Arrival) -> Iterator[Callable[[], bool]]:
        with progress(f"Restoring {show(row.name)}", (row.size or 0) * passes, Unit.SHARE) as bar:
            yield bar.is_stopped

    async def work() -> bool:
        async with Hand.at_work(settings) as hand:
            return tell("restored", await hand.restore(rows, os.fsencode(real), shown))

    context.exit(0 if asyncio.run(work()) else 3)


@quarantine.command()
@click.argument("files", nargs=-1, metavar="[FILE...]")
@click.option("--older-than", metavar="AGE", help="All that lie there for longer, such as 30d.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_context
def delete(
    context: click.Context, files: tuple[str, ...], older_than: str | None, *, yes: bool
) -> None:
    """Delete files for good. There is no way back."""
    options: Options = context.obj
    if bool(files) == bool(older_than):
        raise click.UsageError("Name files, or give --older-than.")
    rows = pick(options, files, _STOPPED) if files else _old(options, older_than or "")
    if not rows:
        output.line("Nothing is that old.")
        return
    if not yes:
        _ask(rows, "Delete for good")
    settings = options.load().settings
    import asyncio  # noqa: PLC0415  (heavy, like the next; not for the listing)

    from checkfirst.service.deeds import Hand  # noqa: PLC0415

    async def work() -> bool:
        async with Hand.at_work(settings) as hand:
            return tell("deleted", await hand.delete(rows))

    context.exit(0 if asyncio.run(work()) else 3)


def _is_same_filesystem(one: Path, other: Path) -> bool:
    """Of folders that may be still to be made."""
    there = [next(each for each in (path, *path.parents) if each.exists()) for path in (one, other)]
    return there[0].stat().st_dev == there[1].stat().st_dev


def _old(options: Options, age: str) -> list[Arrival]:
    from checkfirst.clock import SystemClock  # noqa: PLC0415  (imports asyncio)
    from checkfirst.settings.units import duration  # noqa: PLC0415  (for this option alone)

    try:
        before = SystemClock().now() - duration(age).total_seconds()
    except ValueError as error:
        raise click.UsageError(f"--older-than: {error}") from error
    with Reading(database_of(options.glance().state)) as reading:
        return [row for row in reading.quarantined() if _since(row) < before]


def _since(row: Arrival) -> float:
    """When it was quarantined; a file of which nobody knows counts as new."""
    known = (row.finished_at, row.decided_at, row.arrived_at)
    return next((at for at in known if at is not None), inf)


def _ask(rows: list[Arrival], what: str) -> None:
    for row in rows:
        output.note(f"  {row.id}  {show(row.name)}")
    if not output.may_ask():
        raise Problem(
            f"{what}: {len(rows)} files? Nobody is there to be asked", "Add --yes to mean it."
        )
    if not output.confirm(f"{what}: {len(rows)} {'file' if len(rows) == 1 else 'files'}?"):
        raise click.Abort


def _found_by(row: Arrival) -> str:
    if row.detections is None or row.engines is None:
        return row.source or ""
    return f"{row.detections} of {row.engines}"
