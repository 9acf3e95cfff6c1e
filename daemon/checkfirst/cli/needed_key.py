"""The API key for commands that cannot do without one: found, asked for, or missed in words.

No key is ever shown, and none is taken on the command line, where other people on the machine
could read it.
"""

import os
import sys

import click
from pydantic import SecretStr

from checkfirst.errors import SettingsError
from checkfirst.settings.kept_key import keep_key_blocking
from checkfirst.settings.key import WAYS, Found, search_key, without_fault
from checkfirst.settings.keyring import KeyringError
from checkfirst.settings.schema import Settings

_WHERE = "https://www.virustotal.com/gui/my-apikey"
_TRIES = 3


class NoKeyError(SettingsError):
    """There is no API key, and nobody to ask for one."""

    def __init__(self, trouble: KeyringError | None = None) -> None:
        lines = WAYS.rstrip().splitlines()
        super().__init__([*lines, str(trouble)] if trouble else lines)
        self.title = "There is no VirusTotal API key"


def found_key(settings: Settings) -> Found:
    """The key; raises NoKeyError, and SettingsError where a place of keys is broken."""
    search = search_key(settings, os.environ)
    if search.found is None:
        raise NoKeyError(search.trouble)
    return search.found


def found_or_asked_key(settings: Settings) -> Found:
    """The same, but a person at a terminal is asked for the key, and whether to keep it."""
    try:
        return found_key(settings)
    except NoKeyError:
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise
    return _asked()


def _asked() -> Found:
    click.echo(
        f"checkfirst needs a VirusTotal API key. A free one is on your account page:\n  {_WHERE}",
        err=True,
    )
    for _ in range(_TRIES):
        typed = click.prompt(
            "API key (it is not shown)", hide_input=True, err=True, default="", show_default=False
        )
        try:
            key = without_fault(typed)
        except ValueError as fault:
            click.echo(f"This can be no key: {fault}.", err=True)
            continue
        if click.confirm("Keep it for the next time?", default=True, err=True):
            click.echo(f"It is kept in {keep_key_blocking(key, os.environ).where}.", err=True)
        return Found(SecretStr(key), "typed in")
    raise NoKeyError
