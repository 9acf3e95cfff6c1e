"""`checkfirst quarantine restore` and `delete`: back to the person, or gone for good."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from checkfirst.cli import completing, output
from checkfirst.cli.outside import outside
from checkfirst.cli.picking import (
    OLDER_THAN,
    ask,
    pick,
    pick_quarantined,
    tell,
    tell_json,
)
from checkfirst.cli.progress import Unit, progress
from checkfirst.model import Arrival
from checkfirst.policy.names import show

if TYPE_CHECKING:
    from checkfirst.cli.options import Options


@click.command()
@click.argument(
    "files",
    nargs=-1,
    required=True,
    metavar="FILE...",
    shell_complete=completing.files(completing.QUARANTINED),
)
@click.option(
    "--to",
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder it is put into, in place of the released one.",
)
@click.option("--yes", is_flag=True, help="Do not ask when a pattern means several files.")
@click.option("--json", "is_json", is_flag=True, help="Print JSON for programs.")
@click.pass_context
def restore(
    context: click.Context, files: tuple[str, ...], to: Path | None, *, yes: bool, is_json: bool
) -> None:
    """Give files back, and allow their contents from now on. Nothing is overwritten."""
    options: Options = context.obj
    settings = options.load().settings
    folder = outside((to or settings.released).absolute(), settings, "restored into")
    rows = pick(options, files, completing.QUARANTINED)
    if len(rows) > len(files) and not yes:
        ask(rows, "Restore")
    import asyncio  # noqa: PLC0415  (heavy, like the next; not for the listing)

    from checkfirst.service.deeds import Hand  # noqa: PLC0415

    # Elsewhere it is copied, and the copy is read once more.
    passes = 1 if _is_same_filesystem(settings.quarantine, folder) else 3

    @contextmanager
    def watched(row: Arrival) -> Iterator[Callable[[], bool]]:
        with progress(f"Restoring {show(row.name)}", (row.size or 0) * passes, Unit.SHARE) as bar:
            yield bar.is_stopped

    async def work() -> bool:
        async with Hand.at_work(settings) as hand:
            deeds = await hand.restore(rows, os.fsencode(folder), watched)
            return tell_json(options, deeds) if is_json else tell("restored", deeds)

    context.exit(0 if asyncio.run(work()) else 3)


@click.command()
@click.argument(
    "files", nargs=-1, metavar="[FILE...]", shell_complete=completing.files(completing.QUARANTINED)
)
@OLDER_THAN
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "is_json", is_flag=True, help="Print JSON for programs.")
@click.pass_context
def delete(
    context: click.Context,
    files: tuple[str, ...],
    older_than: float | None,
    *,
    yes: bool,
    is_json: bool,
) -> None:
    """Delete files for good. There is no way back."""
    options: Options = context.obj
    rows = pick_quarantined(options, files, older_than)
    if not rows:
        if is_json:
            output.as_json([])
        else:
            output.line("Nothing is that old.")
        return
    if not yes:
        ask(rows, "Delete for good")
    settings = options.load().settings
    import asyncio  # noqa: PLC0415  (heavy, like the next; not for the listing)

    from checkfirst.service.deeds import Hand  # noqa: PLC0415

    async def work() -> bool:
        async with Hand.at_work(settings) as hand:
            deeds = await hand.delete(rows)
            return tell_json(options, deeds) if is_json else tell("deleted", deeds)

    context.exit(0 if asyncio.run(work()) else 3)


def _is_same_filesystem(one: Path, other: Path) -> bool:
    """Of folders that may be still to be made."""
    there = [next(each for each in (path, *path.parents) if each.exists()) for path in (one, other)]
    return there[0].stat().st_dev == there[1].stat().st_dev
