"""Writing a settings file: every setting with its comment, and a person's own values among them.

Whatever an older file said is kept, unless it is changed; its own comments are not, so the file
itself stays beside the new one.
"""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from checkfirst.errors import Problem, SettingsError
from checkfirst.policy.names import show
from checkfirst.settings import find, places, yaml
from checkfirst.settings.show import example
from checkfirst.settings.tree import leaves, value_at


@dataclass(frozen=True, slots=True)
class Old:
    """The file that is there already."""

    content: bytes
    values: Mapping[str, object]
    """What it says; nothing where it cannot be read as settings."""
    broken: bool

    @property
    def is_as_shipped(self) -> bool:
        """Whether nobody has changed anything in it."""
        return self.content == example().encode()


def target(path: Path | None, environ: Mapping[str, str]) -> Path:
    """Where the file goes: what was named, else the person's own configuration folder."""
    named = str(path) if path is not None else environ.get(find.VARIABLE)
    if not named:
        return places.config_folder(environ) / find.NAME
    try:
        return places.absolute(named, str(Path.cwd()), places.home(environ))
    except ValueError as fault:
        raise SettingsError([f"--settings: {fault}"]) from None


def old_blocking(path: Path, environ: Mapping[str, str]) -> Old | None:
    """What is there, or None; SettingsError when it is no file or cannot be read."""
    if not os.path.lexists(path):
        return None
    file = find.find_blocking(path, environ)
    if file is None:
        return None
    try:
        written = yaml.parse(file.content.decode("utf-8-sig"), file.shown)
    except UnicodeDecodeError:
        return Old(file.content, {}, broken=True)
    if written.problems:
        return Old(file.content, {}, broken=True)
    return Old(file.content, written.values, broken=False)


def write_blocking(path: Path, values: Mapping[str, object], old: Old | None) -> Path | None:
    """Write the file whole, mode 0600; where the old one is kept, if it says anything of its own.

    A symbolic link stays one, as people keep their settings in other places by links. Raises
    Problem; the old file is then as it was.
    """
    text = example({key: value_at(values, key) for key in leaves(values)})
    content = text.encode("utf-8", "surrogateescape")
    path = Path(os.path.realpath(path))
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    kept = None
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            _write_new(draft, content)
            if old is not None and not old.is_as_shipped and old.content != content:
                kept = _keep(path, old.content)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise Problem(
            f"The settings file cannot be written: {error.strerror}",
            "Name another place with --settings, or see that its folder belongs to you.",
            about=show(os.fsencode(path)),
        ) from None
    return kept


def _keep(path: Path, content: bytes) -> Path:
    number = 0
    while True:
        number += 1
        kept = path.with_name(f"{path.name}.old" + (f"-{number}" if number > 1 else ""))
        try:
            _write_new(kept, content)
        except FileExistsError:
            continue
        return kept


def _write_new(path: Path, content: bytes) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # noqa: PTH123  (0600 from the first moment on)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
