"""`checkfirst take`: files that were there before are brought in like any other."""

import asyncio
import os
import stat
from pathlib import Path
from typing import Final

import click

from checkfirst.cli import output
from checkfirst.cli.options import Options
from checkfirst.errors import NotRunningError, Problem
from checkfirst.policy.names import show
from checkfirst.policy.system_folders import is_of_the_system
from checkfirst.service.lock import running_pid

_ELSE: Final = (
    "`checkfirst check` judges it where it lies. To have it taken, copy it into a watched folder."
)


@click.command()
@click.argument(
    "paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH..."
)
@click.pass_obj
def take(options: Options, paths: tuple[Path, ...]) -> None:
    """Have files judged that were there before the first start, or lie somewhere else.

    The running daemon takes them in as if they had just arrived. Outside the watched folders they
    must be your own, and in no folder of the system.
    """
    settings = options.load().settings
    if running_pid(settings.state) is None:
        raise NotRunningError(
            "checkfirst does not run, so nothing would judge the files",
            "Start it with `checkfirst run`.",
            about=f"state folder {settings.state}",
        )
    own = [Path(os.path.realpath(each)) for each in (settings.quarantine, settings.state)]
    own.append(Path(os.path.realpath(settings.released)))
    watched = [Path(os.path.realpath(each)) for each in settings.watch]
    # The last component is kept as it is: a link is no file and is not followed.
    found = [Path(os.path.realpath(path.parent)) / path.name for path in paths]
    sizes: dict[Path, int] = {}
    for path in found:
        seen = _must_be_takeable(path, own)
        if not any(path.is_relative_to(folder) for folder in watched):
            _must_be_spared_by_all(path, seen)
        sizes[path] = seen.st_size
    from checkfirst.clock import SystemClock  # noqa: PLC0415  (heavy; not for --help)
    from checkfirst.service.assemble_deeds import open_database, open_deeds  # noqa: PLC0415

    async def work() -> None:
        clock = SystemClock()
        database = await open_database(settings, clock)
        try:
            deeds = await open_deeds(database, clock)
            await deeds.wish([os.fsencode(path) for path in found])
        finally:
            await database.close()

    asyncio.run(work())
    for path in found:
        more = "" if sizes[path] else "; it is empty, and left alone until something is in it"
        output.line(f"{show(os.fsencode(path))} is handed to the daemon{more}.")
    output.line("`checkfirst history` shows what becomes of it.")


def _must_be_takeable(path: Path, own: list[Path]) -> os.stat_result:
    about = show(os.fsencode(path))
    try:
        seen = path.lstat()
    except OSError as error:
        raise Problem(
            f"The file cannot be found: {error.strerror}", "Look at its path.", about=about
        ) from error
    if not stat.S_ISREG(seen.st_mode):
        raise Problem("Only regular files can be taken", "Name the files in it.", about=about)
    if any(path.is_relative_to(folder) for folder in own):
        raise Problem(
            "This file is checkfirst's already", "`checkfirst why` tells about it.", about=about
        )
    return seen


def _must_be_spared_by_all(path: Path, seen: os.stat_result) -> None:
    """Whoever needs the file where it is would miss it; root might take any there is."""
    name = os.fsencode(path)
    if is_of_the_system(name):
        title = "This file lies in a folder of the system, so it is not taken"
    elif seen.st_uid != os.geteuid():
        title = "This file belongs to somebody else, so it is not taken"
    else:
        return
    raise Problem(title, _ELSE, about=show(name))
