"""`checkfirst key`: keeps the VirusTotal API key, tries it, or forgets it."""

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from checkfirst import interruptible
from checkfirst.cli import output
from checkfirst.cli.options import Options
from checkfirst.clock import SystemClock, iso

if TYPE_CHECKING:
    from checkfirst.settings.key import Found
    from checkfirst.sources.virustotal.probe import Probed

EXIT_CODES = {"accepted": 0, "refused": 1, "quota": 3, "unreachable": 3}

_USUAL = 64
"""Characters of every key that VirusTotal gives out today."""
_LONGEST_LINE = 4096


@click.group()
def key() -> None:
    """Keep a VirusTotal API key for the daemon, try it, or remove it."""


@key.command("set")
@click.option("--file", "in_file", is_flag=True, help="Keep it in a private file in any case.")
@click.pass_obj
def set_(options: Options, *, in_file: bool) -> None:
    """Ask for the key, or read it from standard input, and keep it.

    It goes into the system keyring where there is one (and the extra `keyring` is installed), else
    into a file of mode 0600; a daemon that runs uses it at once. A daemon that is started before
    anybody has unlocked the keyring needs --file.
    """
    from checkfirst.settings.kept_key import keep_key_blocking  # noqa: PLC0415  (imports pydantic)

    if output.may_ask():
        text = click.prompt("VirusTotal API key", hide_input=True, err=True)
    else:
        text = interruptible.line_of_standard_input(_LONGEST_LINE)
    kept = keep_key_blocking(text, os.environ, in_file=in_file)
    if kept.note:
        output.note(kept.note)
    used = " The running daemon uses it from now on." if _wake_daemon(options) else ""
    output.line(f"The key is kept in {kept.where}.{used}")
    if not _is_usual(text):
        output.note("VirusTotal's keys are 64 letters and digits, and this one is not.")
    if output.may_ask() or not _is_usual(text):
        output.note("Try it: checkfirst key test")


@key.command(short_help="Try the key with one request to VirusTotal.")
@click.option("--json", "is_json", is_flag=True, help="Print JSON for programs.")
@click.pass_obj
def test(options: Options, *, is_json: bool) -> int:
    """Try the key with one request to VirusTotal, which counts towards the quota.

    Exit code 0: accepted. 1: refused. 3: it could not be tried, for want of quota or of an answer.
    """
    from checkfirst.cli.needed_key import found_key  # noqa: PLC0415  (imports pydantic)
    from checkfirst.service.assemble_probe import probe_key  # noqa: PLC0415  (heavy)

    loaded = options.load()
    found = found_key(loaded.settings)
    if found.warning:
        output.note(found.warning)
    probed = asyncio.run(probe_key(loaded.settings, found.key, SystemClock()))
    if is_json:
        output.as_json(_as_json(found, probed))
    else:
        output.line(f"{probed.message[:1].upper()}{probed.message[1:]}.")
        facts: list[tuple[str, str | None]] = [("key from", found.where)]
        if probed.until is not None:
            facts.append(("next try", output.until(probed.until, SystemClock().now())))
        output.facts(facts)
        if probed.standing == "refused":
            output.line("Give another one: checkfirst key set")
    return EXIT_CODES[probed.standing]


@key.command()
def clear() -> int:
    """Remove the kept key. A key in a variable or in the settings stays where it is."""
    from checkfirst.settings.kept_key import clear_key_blocking  # noqa: PLC0415  (imports pydantic)

    cleared = clear_key_blocking(os.environ)
    for place in cleared.places:
        output.line(f"The key is removed from {place}.")
    if cleared.trouble is not None:
        output.problem(cleared.trouble)
        return cleared.trouble.exit_code
    if not cleared.places:
        output.line("There is no key to be removed.")
    return 0


def _as_json(found: "Found", probed: "Probed") -> dict[str, object]:
    return {
        "result": probed.standing.value,
        "message": probed.message,
        "code": probed.code or None,
        "until": iso(probed.until),
        "from": found.where,
    }


def _is_usual(key: str) -> bool:
    return len(key := key.strip()) == _USUAL and key.isascii() and key.isalnum()


def _wake_daemon(options: Options) -> bool:
    """Let a running daemon look for its key again; settings that cannot be read are no reason."""
    from checkfirst.errors import SettingsError  # noqa: PLC0415
    from checkfirst.service.lock import hang_up  # noqa: PLC0415

    try:
        return hang_up(Path(options.glance().state))
    except SettingsError:
        return False
