"""What every command is given: the global options, and the way from them to the settings.

Two ways: a glance for commands that only read and must be quick, and the whole look for those that
move files or keep running.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from checkfirst.settings.find import find_blocking
from checkfirst.settings.glance import Glance, glance_blocking
from checkfirst.settings.places import DATABASE

if TYPE_CHECKING:
    from checkfirst.settings.load import Loaded


@dataclass(frozen=True, slots=True)
class Options:
    """The global options; a command asks for it with `click.pass_obj`."""

    settings: Path | None = None
    """`--settings`."""
    verbose: bool = False

    def glance(self) -> Glance:
        """The few settings that reading needs; raises SettingsError."""
        return glance_blocking(self.settings, os.environ)

    def settings_file(self) -> str | None:
        """Where it is; whether it is sound does not matter here. Raises SettingsError."""
        found = find_blocking(self.settings, os.environ)
        return str(found.path) if found else None

    def load(self, overrides: Mapping[str, object] | None = None) -> "Loaded":
        """All settings; raises SettingsError."""
        from checkfirst.settings.load import load  # noqa: PLC0415  (imports pydantic)

        return load(self.settings, os.environ, overrides)


def database_of(state: str | Path) -> Path:
    """Where the database of this state folder is."""
    return Path(state, DATABASE)
