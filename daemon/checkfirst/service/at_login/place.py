"""Which file makes this platform start the daemon at login, and where it belongs."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from checkfirst.service.at_login import agent, task, unit
from checkfirst.service.own_file import OwnFile
from checkfirst.settings.places import home

WITHOUT_SYSTEMD = frozenset({"darwin", "win32"})
"""Platforms where nobody asks systemctl."""


def start_file(
    command: Sequence[str], environ: Mapping[str, str], platform: str = sys.platform
) -> OwnFile:
    """The file for this platform; raises Problem where the command cannot be written into it."""
    if platform == "darwin":
        folder = Path(home(environ), "Library", "LaunchAgents")
        return OwnFile(folder / agent.NAME, agent.agent(command))
    if platform == "win32":
        folder = Path(environ.get("APPDATA") or home(environ), "checkfirst")
        return OwnFile(folder / task.NAME, task.task(command), encoding="utf-16")
    given = environ.get("XDG_CONFIG_HOME", "")
    config = Path(given) if given.startswith("/") else Path(home(environ), ".config")
    return OwnFile(config / "systemd" / "user" / unit.NAME, unit.user_unit(command), unit.MARK)
