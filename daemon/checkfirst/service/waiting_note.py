"""`Waiting.txt`: for whoever looks into the released folder and misses a file.

There while a file has been held for over a minute; it says which, why and until when.
"""

import os
import secrets
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from checkfirst.model import Arrival, Outlook
from checkfirst.policy.names import WAITING_NOTE, show
from checkfirst.vault.rename import rename_noreplace

_FIRST_LINE: Final = "checkfirst holds these files until they have been judged."
_MOST: Final = 100
_LONGEST: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class Waits:
    """Who waits, and what is known of it."""

    rows: tuple[Arrival, ...]
    outlook: Mapping[str, Outlook]


def note_blocking(folder: bytes, waits: Waits) -> None:
    """Write, renew or remove the note; a file of that name that is not ours is left alone.

    Raises OSError.
    """
    path = Path(os.fsdecode(os.path.join(folder, WAITING_NOTE)))
    old = _ours_blocking(path)
    if old is None and os.path.lexists(path):
        return
    if not waits.rows:
        if old is not None:
            path.unlink(missing_ok=True)
        return
    text = words(waits)
    if text != old:
        _put_blocking(text, path, replace=old is not None)


def words(waits: Waits) -> str:
    """The note's text."""
    lines = [_FIRST_LINE, "Nothing is lost; `checkfirst status` tells more.", ""]
    for row in waits.rows[:_MOST]:
        outlook = waits.outlook.get(row.sha256 or "")
        reason = outlook.reason if outlook else row.reason or "it is being looked at"
        until = outlook.until if outlook else row.until
        about = "" if until is None else f", until about {_on_the_wall(until)}"
        lines.append(f"{show(row.name)}: {reason}{about}")
    if len(waits.rows) > _MOST:
        lines.append(f"... and {len(waits.rows) - _MOST} more")
    return "\n".join(lines) + "\n"


def _put_blocking(text: str, path: Path, *, replace: bool) -> None:
    # A released file may have any name but the note's, so this one has to be new.
    staged = path.with_name(f".checkfirst-{secrets.token_hex(6)}.partial")
    with staged.open("x", encoding="utf-8") as file, ExitStack() as at_last:
        at_last.callback(staged.unlink, missing_ok=True)
        file.write(text)
        file.flush()
        if replace:
            staged.replace(path)
        else:
            with suppress(FileExistsError):  # a file of that name may have come just now
                rename_noreplace(os.fsencode(staged), os.fsencode(path))


def _on_the_wall(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).astimezone().strftime("%Y-%m-%d %H:%M (UTC%z)")


def _ours_blocking(path: Path) -> str | None:
    with suppress(OSError, UnicodeDecodeError):
        if path.is_symlink() or not path.is_file():
            return None
        with path.open(encoding="utf-8") as file:
            text = file.read(_LONGEST)
        return text if text.startswith(_FIRST_LINE) else None
    return None
