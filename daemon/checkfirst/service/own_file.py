"""A file that we put among a person's own: a unit, a menu entry, a command.

A file that is there already and says something else is somebody's work, and is neither overwritten
nor removed unasked.
"""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from checkfirst.errors import Problem
from checkfirst.policy.names import show

_LARGEST = 64 * 1024


@dataclass(frozen=True, slots=True)
class OwnFile:
    """What is to be where."""

    path: Path
    content: str
    mark: str = ""
    """What tells that an older one was ours too; without one, only the same content does."""
    encoding: str = "utf-8"
    is_program: bool = False

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
                if self.is_program:
                    draft.chmod(0o755)
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
        is_ours = before == self._bytes() or (self.mark and self.mark.encode() in before)
        if not is_ours and not force:
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


def _shown(path: Path) -> str:
    return show(os.fsencode(path))
