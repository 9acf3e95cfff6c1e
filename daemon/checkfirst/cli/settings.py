"""`checkfirst settings`: what is in force, whether it is right, and where it is written."""

import os

import click

from checkfirst.cli import output
from checkfirst.cli.options import Options


@click.group()
def settings() -> None:
    """Show the settings, check them, or say where they are."""


@settings.command(short_help="Print the settings in force, each with where it is from.")
@click.pass_obj
def show(options: Options) -> None:
    """Print the settings in force, each with where it is from; secrets are masked."""
    from checkfirst.settings.show import as_yaml  # noqa: PLC0415  (imports pydantic)

    loaded = options.load()
    output.script(as_yaml(loaded.settings, loaded.origins))


@settings.command()
@click.pass_obj
def check(options: Options) -> None:
    """Tell everything that is wrong with the settings, all at once."""
    loaded = options.load()
    for warning in loaded.warnings:
        output.note(warning)
    where = os.fsencode(loaded.path).decode(errors="backslashreplace") if loaded.path else None
    output.line(f"The settings are right: {where}" if where else "No settings file; all defaults.")


@settings.command()
@click.pass_obj
def path(options: Options) -> None:
    """Print which settings file counts."""
    from checkfirst.settings.find import find_blocking, places_looked_at  # noqa: PLC0415

    if found := find_blocking(options.settings, os.environ):
        output.line(os.fsencode(found.path))
        return
    output.note("There is no settings file; all settings have their defaults. Looked for:")
    for place in places_looked_at(os.environ):
        output.note(f"  {place}")
