"""`checkfirst key`: keeps the VirusTotal API key in a private file, or removes it."""

import os
import sys

import click

from checkfirst.cli import output
from checkfirst.settings.key import KEY_FILE, store_key_blocking
from checkfirst.settings.places import config_folder


@click.group()
def key() -> None:
    """Keep a VirusTotal API key for the daemon, or remove it."""


@key.command("set")
def set_() -> None:
    """Ask for the key, or read it from standard input, and keep it in a file of mode 0600."""
    if output.may_ask():
        text = click.prompt("VirusTotal API key", hide_input=True, err=True)
    else:
        text = sys.stdin.readline(4096)
    path = store_key_blocking(text.strip())
    output.line(f"The key is kept in {path}. A running daemon uses it after SIGHUP.")


@key.command()
def clear() -> None:
    """Remove the kept key. A key in a variable or in the settings stays where it is."""
    path = config_folder(os.environ) / KEY_FILE
    if path.exists():
        path.unlink()
        output.line(f"{path} is removed.")
    else:
        output.line(f"There is no key in {path}.")
