"""Where settings, keys and caches lie on this platform, and what a written path means.

Knows folders by name alone: nothing here opens a file, and nothing heavy is imported, because
every command comes through here.
"""

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

DATABASE = "checkfirst.sqlite"
"""The database's name in the state folder."""

KNOWN_GOOD = "known-good.cfk"
"""The known-good list's name in the state folder."""

_VARIABLE = re.compile(r"\$\w|\$\{|%\w+%")


def home(environ: Mapping[str, str]) -> str:
    """The person's home folder; `~` itself where nobody can tell."""
    return environ.get("HOME") or environ.get("USERPROFILE") or os.path.expanduser("~")  # noqa: PTH111  (Path.home raises where this says `~`)


def config_folder(environ: Mapping[str, str], platform: str = sys.platform) -> Path:
    """The folder of a person's own settings.yaml and virustotal.key."""
    if platform == "darwin":
        return Path(home(environ), "Library", "Application Support", "checkfirst")
    if platform == "win32":
        return Path(environ.get("APPDATA") or home(environ), "checkfirst")
    return _xdg(environ, "XDG_CONFIG_HOME", ".config")


def cache_folder(environ: Mapping[str, str], platform: str = sys.platform) -> Path:
    """The folder of what may be thrown away at any time."""
    if platform == "darwin":
        return Path(home(environ), "Library", "Caches", "checkfirst")
    if platform == "win32":
        return Path(environ.get("LOCALAPPDATA") or home(environ), "checkfirst", "cache")
    return _xdg(environ, "XDG_CACHE_HOME", ".cache")


def _xdg(environ: Mapping[str, str], variable: str, fallback: str) -> Path:
    """XDG Base Directory Specification: a relative path in the variable is to be ignored."""
    given = environ.get(variable, "")
    folder = Path(given) if given.startswith("/") else Path(home(environ), fallback)
    return folder / "checkfirst"


def default_state(platform: str = sys.platform) -> str:
    """The `state` folder of a person who has not chosen one.

    `XDG_STATE_HOME` has no say: a daemon started by systemd and a command typed in a terminal
    would look at different folders wherever only one of them has the variable.
    """
    if platform == "darwin":
        return "~/Library/Application Support/checkfirst/state"
    if platform == "win32":
        return "~/AppData/Local/checkfirst/state"
    return "~/.local/state/checkfirst"


def absolute(text: object, base: str, at_home: str) -> Path:
    """The path that is meant: `~` expanded, a relative one taken from `base`, dots resolved.

    Raises ValueError in words where it is no path.
    """
    if isinstance(text, Path):
        text = str(text)
    if text is None:
        raise ValueError(
            "give a path, such as ~/Downloads; a lone ~ means nothing in YAML, ~/ is home"
        )
    if not isinstance(text, str) or not text.strip():
        raise ValueError("give a path, such as ~/Downloads")
    if "\0" in text:
        raise ValueError("a path cannot hold a NUL character")
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        raise ValueError("a path cannot hold half a character; write it anew") from None
    if _VARIABLE.match(text):
        raise ValueError(
            "variables are not filled in here; write ~ for the home folder, or the whole path"
        )
    if text == "~" or text.startswith("~/"):
        text = at_home + text[1:]
    elif text.startswith("~"):
        text = os.path.expanduser(text)  # noqa: PTH111  (Path.expanduser raises RuntimeError)
    if text.startswith("~"):
        raise ValueError("there is no such home folder; give the whole path")
    return Path(os.path.normpath(os.path.join(base, text)))  # noqa: PTH118  (Path keeps `..`)
