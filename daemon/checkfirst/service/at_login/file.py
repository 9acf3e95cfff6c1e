"""The one file that makes this platform start the daemon at login: which, where, written, removed.

A file that is there already and says something else is somebody's work, and is never overwritten
unasked.
"""

import os
import secrets
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from checkfirst.errors import Problem
from checkfirst.policy.names import show
from checkfirst.service.at_login import agent, task, unit
from checkfirst.settings.places import home

_LARGEST = 64 * 1024


@dataclass(frozen=True, slots=True)
class StartFile:
    """What is to be where."""

    path: Path
    content: str
    encoding: str = "utf-8"

    def written_blocking(self) -> bytes | None:
        """What is there now; None when nothing is. Raises Problem."""
        try:
            with self.path.open("rb") as file:
                return file.read(_LARGEST)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise self._problem("It cannot be read", error) from error

    def is_written_blocking(self) -> bool:
        """Whether exactly this is there; raises Problem."""
        return self.written_blocking() == self._bytes()

    def write_blocking(self, *, force: bool) -> bool:
        """Put it there, whole or not at all; False when it was there already. Raises Problem."""
        before = self.written_blocking()
        if before == self._bytes():
            return False
        if before is not None and not force:
            raise Problem(
                "There is a file already, and it says something else",
                "See what would be written with --dry-run, and replace the file with --force.",
                about=_shown(self.path),
            )
        draft = self.path.with_name(f".{self.path.name}.{secrets.token_hex(4)}")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            try:
                draft.write_bytes(self._bytes())
                draft.replace(self.path)
            finally:
                draft.unlink(missing_ok=True)
        except OSError as error:
            raise self._problem("It cannot be written", error) from error
        return True

    def remove_blocking(self, *, force: bool) -> bool:
        """Take it away; False when nothing was there. Raises Problem."""
        before = self.written_blocking()
        if before is None:
            return False
        if before != self._bytes() and unit.MARK.encode() not in before and not force:
            raise Problem(
                "This file was not written by checkfirst",
                "Look at it, and remove it with --force.",
                about=_shown(self.path),
            )
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise self._problem("It cannot be removed", error) from error
        return True

    def _bytes(self) -> bytes:
        return self.content.encode(self.encoding)

    def _problem(self, title: str, error: OSError) -> Problem:
        return Problem(f"{title}: {error.strerror}", about=_shown(self.path))


def start_file(
    command: Sequence[str], environ: Mapping[str, str], platform: str = sys.platform
) -> StartFile:
    """The file for this platform; raises Problem where the command cannot be written into it."""
    if platform == "darwin":
        folder = Path(home(environ), "Library", "LaunchAgents")
        return StartFile(folder / agent.NAME, agent.agent(command))
    if platform == "win32":
        folder = Path(environ.get("APPDATA") or home(environ), "checkfirst")
        return StartFile(folder / task.NAME, task.task(command), "utf-16")
    given = environ.get("XDG_CONFIG_HOME", "")
    config = Path(given) if given.startswith("/") else Path(home(environ), ".config")
    return StartFile(config / "systemd" / "user" / unit.NAME, unit.user_unit(command))


def run_command(settings: str | None, interpreter: str = sys.executable) -> list[str]:
    """What starts the daemon: this interpreter, whatever the working folder holds.

    Without -P the interpreter would import a `checkfirst.py` that lies in the working folder.
    """
    named = ["--settings", settings] if settings is not None else []
    return [interpreter, "-P", "-m", "checkfirst", *named, "run"]


def _shown(path: Path) -> str:
    return show(os.fsencode(path))
