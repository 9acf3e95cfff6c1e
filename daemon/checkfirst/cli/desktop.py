"""`checkfirst desktop`: puts "Open with Check First" into file managers, and takes it out."""

import contextlib
import os
import subprocess
import sys

import click

from checkfirst import extras
from checkfirst.cli import output
from checkfirst.cli.options import Options
from checkfirst.service import open_with
from checkfirst.service.command import own_command
from checkfirst.service.own_file import OwnFile

_LIMIT_SECONDS = 20.0
_UNTRIED = ("darwin", "win32")


@click.group()
def desktop() -> None:
    """Put "Open with Check First" into your file manager."""


@desktop.command(short_help="Write an entry of the menu `Open with`.")
@click.option("--dry-run", is_flag=True, help="Print what would be written, and write nothing.")
@click.option("--force", is_flag=True, help="Replace files that say something else.")
@click.pass_obj
def install(options: Options, *, dry_run: bool, force: bool) -> None:
    """Write an entry that judges a file and then opens it, or the page about it.

    It runs `checkfirst check --open --browse` on what is opened with it. Nothing is uploaded and
    nothing is moved; what was not opened is told by a notification.
    """
    files = _files(options)
    if dry_run:
        for file in files:
            output.line(f"# {file.path}")
            output.script(file.content)
        return
    for file in files:
        was_written = file.write_blocking(force=force)
        output.line(f"{'Written' if was_written else 'Unchanged'}: {file.path}")
    _tell_the_desktop(files)
    if sys.platform in _UNTRIED:
        output.note("(checkfirst was never tried on this platform, and nor were these files.)")
    elif not extras.is_there_blocking("desktop_notifier"):
        output.note(
            "What is not opened can only be told where notifications are installed: "
            f"{extras.install_command_blocking('desktop_notifier')}"
        )


@desktop.command()
@click.option("--force", is_flag=True, help="Remove files that checkfirst did not write.")
@click.pass_obj
def remove(options: Options, *, force: bool) -> None:
    """Take the entry away."""
    files = _files(options)
    removed = [file for file in files if file.remove_blocking(force=force)]
    for file in removed:
        output.line(f"Removed: {file.path}")
    if removed:
        _tell_the_desktop(removed)
    else:
        output.line("There is no such entry.")


def _files(options: Options) -> list[OwnFile]:
    command = own_command(options.settings_file(), open_with.WORDS)
    return open_with.files(command, os.environ)


def _tell_the_desktop(files: list[OwnFile]) -> None:
    """Have the list of what opens what made anew; a desktop without this tool looks by itself."""
    entries = [file.path.parent for file in files if file.path.suffix == ".desktop"]
    for folder in entries:
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            subprocess.run(  # noqa: S603  (a folder of the person's own)
                ["update-desktop-database", str(folder)],  # noqa: S607  (as a person would)
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=_LIMIT_SECONDS,
                check=False,
            )
