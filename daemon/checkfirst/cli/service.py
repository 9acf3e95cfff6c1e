"""`checkfirst service`: has the daemon started at login, by whatever does that on this platform.

`checkfirst init` calls `install_blocking` too.
"""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from checkfirst.cli import output
from checkfirst.cli.options import Options
from checkfirst.service.at_login import systemctl, unit
from checkfirst.service.at_login.place import start_file
from checkfirst.service.command import own_command
from checkfirst.service.own_file import OwnFile

if TYPE_CHECKING:
    from checkfirst.settings.load import Loaded

NOT_INSTALLED = 3
NOT_WELL = 1

_BY_HAND = {
    "darwin": "Start it with: launchctl bootstrap gui/$(id -u) {path}",
    "win32": 'Register it with: schtasks /Create /TN checkfirst /XML "{path}"',
}
_NOT_RUN = "(checkfirst does not run on this platform yet, and this file was never tried there.)"


@click.group()
def service() -> None:
    """Have the daemon started when you log in."""


@service.command()
@click.option("--dry-run", is_flag=True, help="Print what would be written, and write nothing.")
@click.option("--force", is_flag=True, help="Replace a file that says something else.")
@click.pass_obj
def install(options: Options, *, dry_run: bool, force: bool) -> None:
    """Write the file that starts the daemon at login, and start it now.

    On Linux that is a unit of your own systemd, on macOS a launchd agent, on Windows a scheduled
    task. The settings file in force now is named in it.
    """
    path = options.settings_file()
    if dry_run:
        file = _file(path)
        output.line(f"# {file.path}")
        output.script(file.content)
        return
    install_blocking(Path(path) if path else None, force=force)


@service.command()
@click.option("--force", is_flag=True, help="Remove a file that checkfirst did not write.")
@click.pass_obj
def remove(options: Options, *, force: bool) -> int:
    """Stop the service and take its file away. Settings, journal and files stay."""
    file = _file(options.settings_file())
    if file.written_blocking() is None:
        output.line("There is no such service.")
        return 0
    file.remove_blocking(force=force)
    if _has_systemd():
        systemctl.ask_blocking("disable", "--now", unit.NAME)
        systemctl.ask_blocking("daemon-reload")
    output.line(f"Removed: {file.path}")
    return 0


@service.command()
@click.option("--json", "is_json", is_flag=True, help="Print JSON for programs.")
@click.pass_obj
def status(options: Options, *, is_json: bool) -> int:
    """Whether the daemon is started at login.

    Exit code 0: it is, and runs. 1: something is not as it should be. 3: it is not installed.
    """
    file = _file(options.settings_file())
    is_installed = file.written_blocking() is not None
    is_current = file.is_written_blocking()
    ask = is_installed and _has_systemd() and systemctl.is_there_blocking()
    enabled = systemctl.is_enabled_blocking() if ask else None
    active = systemctl.is_active_blocking() if ask else None
    if is_json:
        output.as_json(
            {
                "installed": is_installed,
                "path": str(file.path),
                "up_to_date": is_current,
                "enabled": enabled,
                "active": active,
            }
        )
    elif not is_installed:
        output.line("checkfirst is not started at login; `checkfirst service install` changes it.")
    else:
        output.facts(
            [
                ("file", str(file.path)),
                ("up to date", "yes" if is_current else "no: checkfirst service install --force"),
                ("starts at login", _answer(enabled)),
                ("runs now", _answer(active)),
            ]
        )
    if not is_installed:
        return NOT_INSTALLED
    return 0 if is_current and enabled is not False and active is not False else NOT_WELL


def install_blocking(settings_path: Path | None, *, force: bool = False) -> list[Path]:
    """Have the daemon started at login with these settings, and start it now; the files written.

    `settings_path` None: the settings are looked for as ever. Prints what it did and what is left
    to do. Raises SettingsError where the settings are broken, and Problem where a file cannot be
    written or another one is in its place (unless `force`).
    """
    from checkfirst.settings.load import load  # noqa: PLC0415  (imports pydantic)

    # What a variable says here is not said to the service.
    theirs = {key: text for key, text in os.environ.items() if not key.startswith("CHECKFIRST_")}
    loaded = load(settings_path, theirs)
    named = str(settings_path.absolute()) if settings_path else None
    file = _file(named)
    was_written = file.write_blocking(force=force)
    output.line(f"{'Written' if was_written else 'Unchanged'}: {file.path}")
    output.line(f"Settings: {named or loaded.path or 'none, all defaults'}")
    if lost := sorted(os.environ.keys() - theirs.keys() - {"CHECKFIRST_SETTINGS"}):
        output.note(f"The service does not see these variables: {', '.join(lost)}.")
    if not _has_systemd():
        output.line(_BY_HAND[sys.platform].format(path=file.path))
        output.note(_NOT_RUN)
    elif systemctl.is_there_blocking():
        _start(loaded, theirs, was_written=was_written)
    else:
        output.line(
            "Here is no systemd of yours that answers, so nothing was started. Where there is one: "
            f"systemctl --user enable --now {unit.NAME}"
        )
    return [file.path] if was_written else []


def _start(loaded: "Loaded", environ: dict[str, str], *, was_written: bool) -> None:
    from checkfirst.service.lock import running_pid  # noqa: PLC0415
    from checkfirst.settings.key import find_key  # noqa: PLC0415  (imports pydantic)

    systemctl.ask_blocking("daemon-reload")
    enabled = systemctl.ask_blocking("enable", unit.NAME)
    if not enabled.is_well:
        output.note(f"systemd did not enable it: {enabled.text}")
        return
    is_active = systemctl.is_active_blocking()
    pid = None if is_active else running_pid(loaded.settings.state)
    if pid is not None:
        output.line(
            f"It starts when you log in. Until then the daemon that runs now (process {pid}) goes "
            "on; to change over, stop that one and run: systemctl --user start checkfirst"
        )
        return
    if "virustotal" in loaded.settings.sources and find_key(loaded.settings, environ) is None:
        output.line(
            "It starts when you log in, but it has no API key yet. Then: "
            "checkfirst key set && systemctl --user start checkfirst"
        )
        return
    if is_active and not was_written:
        output.line("It runs, and starts when you log in.")
        return
    started = systemctl.ask_blocking("restart", unit.NAME)
    if started.is_well:
        output.line("It runs, and starts when you log in: checkfirst status")
    elif started.is_late:
        output.line("It is starting, which takes a while: checkfirst service status")
    else:
        output.note(f"It did not start: {started.text}")
        output.note("Its last words: checkfirst log, or journalctl --user -u checkfirst")
    output.line("To have it run before you log in: loginctl enable-linger")


def _file(settings: str | None) -> OwnFile:
    return start_file(own_command(settings, ["run"]), os.environ)


def _has_systemd() -> bool:
    return sys.platform not in _BY_HAND


def _answer(known: bool | None) -> str:  # noqa: FBT001  (an answer to be put into a word)
    return "nobody here can tell" if known is None else ("yes" if known else "no")
