"""Which settings file counts, and its bytes.

Looks in the order of how deliberately a file was named: `--settings`, CHECKFIRST_SETTINGS,
settings.yaml in the current folder, the person's own configuration folder. Knows nothing of what
the file says.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from checkfirst.errors import SettingsError
from checkfirst.settings.places import absolute, config_folder, home
from checkfirst.settings.regular import read_regular_blocking

VARIABLE = "CHECKFIRST_SETTINGS"
NAME = "settings.yaml"
_LARGEST = 1024 * 1024


@dataclass(frozen=True, slots=True)
class File:
    """A settings file as it was read."""

    path: Path
    """Absolute."""
    shown: str
    """As the person knows it; fit to be printed."""
    content: bytes
    open_to_others: bool
    """Whether its mode lets anybody else on the machine read it."""
    named: bool
    """Whether somebody named it, or put it into the person's own configuration folder."""


def find_blocking(path: Path | None, environ: Mapping[str, str]) -> File | None:
    """The file that counts, read; None when none was named and none is where we look.

    Raises SettingsError as `unchecked_blocking`, and for a file that is not to be believed.
    """
    file = unchecked_blocking(path, environ)
    if file is not None and not file.named:
        from checkfirst.settings.trusted import refusal_blocking  # noqa: PLC0415  (imports a parser)

        if refusal := refusal_blocking(file, environ):
            raise SettingsError([f"{file.shown}: {refusal}"])
    return file


def unchecked_blocking(path: Path | None, environ: Mapping[str, str]) -> File | None:
    """The same, for who knows already whether it is to be believed.

    Raises SettingsError when a named file is missing, and when one that is there is no file,
    cannot be read or is larger than any settings can be.
    """
    here = os.getcwd()  # noqa: PTH109  (a str is what is needed)
    named, how = (
        (str(path), "--settings") if path is not None else (environ.get(VARIABLE), VARIABLE)
    )
    if named:
        try:
            meant = absolute(named, here, home(environ))
        except ValueError as fault:
            raise SettingsError([f"{how}: {fault}"]) from None
        return _read(meant, named, f"given by {how}", named=True)
    return _read(Path(here, NAME), NAME) or _own(environ)


def own_if_readable_blocking(environ: Mapping[str, str]) -> File | None:
    """The file in the person's own configuration folder, whether it counts or not."""
    try:
        return _own(environ)
    except SettingsError:
        return None


def places_looked_at(environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Where a file that nobody named is looked for, in order."""
    return Path(os.getcwd(), NAME), config_folder(environ) / NAME  # noqa: PTH109  (as above)


def _own(environ: Mapping[str, str]) -> File | None:
    own = config_folder(environ) / NAME
    return _read(own, str(own), named=True)


def _read(
    path: Path, shown: str, must_exist: str | None = None, *, named: bool = False
) -> File | None:
    shown = shown.encode("unicode_escape").decode() if not shown.isprintable() else shown
    try:
        content, mode = read_regular_blocking(path, _LARGEST + 1)
    except (FileNotFoundError, NotADirectoryError):
        if must_exist is None:
            return None
        raise SettingsError(
            [f"{shown}: there is no such file ({must_exist})"],
            "Leave the name out to use the defaults, or write a new file: "
            "`checkfirst settings show` prints every key",
        ) from None
    except OSError as error:
        raise SettingsError([f"{shown}: cannot be read: {error.strerror}"]) from None
    if len(content) > _LARGEST:
        raise SettingsError([f"{shown}: is larger than 1 MiB, which no settings file can be"])
    return File(path, shown, content, os.name == "posix" and bool(mode & 0o044), named)
