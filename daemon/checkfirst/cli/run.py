"""`checkfirst run`: the daemon, in the foreground.

Without a means to judge files it does not start, so that none is taken away for nothing.
"""

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click
from pydantic import SecretStr

from checkfirst.cli import log_face, output, screen
from checkfirst.cli.needed_key import NoKeyError, found_or_asked_key
from checkfirst.model import Mode
from checkfirst.settings.key import find_key
from checkfirst.settings.load import Loaded, load


@click.command()
@click.option("--mode", type=click.Choice([str(mode) for mode in Mode]), help="Instead of `mode`.")
@click.option(
    "--watch",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Instead of the folders in `watch`; may be given several times.",
)
@click.pass_context
def run(context: click.Context, mode: str | None, watch: Sequence[Path]) -> None:
    """Stand guard over the watched folders until stopped.

    Prints the log; a line with `watching` tells that it is ready. Ctrl-C and SIGTERM stop it, and
    files that wait for an answer stay held. SIGHUP makes it read its settings again.
    """
    overrides: dict[str, object] = {}
    if mode is not None:
        overrides["mode"] = mode
    if watch:
        overrides["watch"] = [str(folder.absolute()) for folder in watch]
    loaded = load(context.obj.settings, os.environ, overrides)
    found = found_or_asked_key(loaded.settings) if _needs_key(loaded) else None
    if found is not None and found.warning is not None:
        loaded = replace(loaded, warnings=(*loaded.warnings, found.warning))

    def reload() -> tuple[Loaded, SecretStr | None]:
        anew = load(context.obj.settings, os.environ, overrides)
        if not _needs_key(anew):
            return anew, None
        now = find_key(anew.settings, os.environ) or found
        if now is None:
            raise NoKeyError
        return anew, now.key

    from checkfirst.service.daemon import serve  # noqa: PLC0415  (heavy; not for --help)

    # The log is all that the daemon has to say, so it is its standard output.
    key = found.key if found is not None else None
    code = serve(
        loaded,
        key,
        reload=reload,
        terminal=sys.stdout,
        face=_face,
        verbose=context.obj.verbose,
    )
    context.exit(code)


def _face(line: str) -> str:
    return "\n".join(map(output.in_colours, log_face.of(line, screen.width())))


def _needs_key(loaded: Loaded) -> bool:
    return "virustotal" in loaded.settings.sources
