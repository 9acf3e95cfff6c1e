"""`checkfirst release`: held files go, on the person's own responsibility."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from checkfirst.cli import completing, output
from checkfirst.cli.options import Options, database_of
from checkfirst.cli.picking import confirm, pick, tell
from checkfirst.cli.progress import Unit, progress
from checkfirst.model import Arrival
from checkfirst.policy.names import show
from checkfirst.store.reading import Reading


@click.command()
@click.argument(
    "files", nargs=-1, metavar="[FILE...]", shell_complete=completing.files(completing.HELD)
)
@click.option("--all", "is_all", is_flag=True, help="All that are held now.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_context
def release(context: click.Context, files: tuple[str, ...], *, is_all: bool, yes: bool) -> None:
    """Let held files go that nobody has judged yet, on your own responsibility.

    A FILE is named by its id, its name, the beginning of its SHA-256, or a pattern. Their contents
    are allowed from now on.
    """
    options: Options = context.obj
    if bool(files) == is_all:
        raise click.UsageError("Name files, or give --all.")
    if is_all:
        with Reading(database_of(options.glance().state)) as reading:
            rows = reading.waiting()
    else:
        rows = pick(options, files, completing.HELD)
    if not rows:
        output.line("No file is held.")
        return
    if not yes:
        for row in rows:
            output.note(f"  {row.id}  {show(row.name)}: {row.reason or 'not judged yet'}")
        confirm(f"Release {len(rows)} unjudged {'file' if len(rows) == 1 else 'files'}?")
    settings = options.load().settings
    from checkfirst.service.deeds import Hand  # noqa: PLC0415  (heavy; not for --help)

    @contextmanager
    def shown(row: Arrival) -> Iterator[Callable[[], bool]]:
        with progress(f"Releasing {show(row.name)}", row.size or 0, Unit.SHARE) as bar:
            yield bar.is_stopped

    async def work() -> bool:
        async with Hand.at_work(settings) as hand:
            return tell("released", await hand.release(rows, shown))

    context.exit(0 if asyncio.run(work()) else 3)
