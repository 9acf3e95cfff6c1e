r"""The baseline as a JSON file: atomic to write, strict to read.

Names are text with surrogate escapes, which JSON carries as `\udcNN`. The file says in its own
first key which layout it has.
"""

import contextlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple, cast

_LAYOUT = 1
_AT_MOST = 256 * 1024 * 1024


class Known(NamedTuple):
    """One file; a tuple, as there may be very many."""

    ino: int
    birth: int
    """Nanoseconds since the epoch, 0 when the filesystem does not tell."""
    dev: int | None
    """None when it is the folder's own, so that renumbered devices do not matter."""


@dataclass(frozen=True, slots=True)
class Existing:
    """One watched folder and what was in it."""

    dev: int
    ino: int
    fsid: int
    files: Mapping[bytes, Known]
    """By path below the folder."""

    def with_files(self, files: Mapping[bytes, Known]) -> "Existing":
        """Give the same folder with other files."""
        return replace(self, files=files)


def read_blocking(path: bytes) -> dict[bytes, Existing]:
    """Read all folders; raises OSError, or ValueError when it is not such a file."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    with open(descriptor, "rb") as file:
        data = file.read(_AT_MOST + 1)
    if len(data) > _AT_MOST:
        raise ValueError("the file is far too large")
    try:
        content: object = json.loads(data)
        if not isinstance(content, dict) or content.get("layout") != _LAYOUT:
            raise ValueError("the file is of an unknown layout")
        return dict(_folder(entry) for entry in _list(content.get("folders")))
    except RecursionError as error:
        raise ValueError("the file is nested too deeply") from error


def write_blocking(path: bytes, folders: Mapping[bytes, Existing]) -> None:
    """Replace the file as a whole, or leave it as it was; raises OSError."""
    content = {
        "layout": _LAYOUT,
        "folders": [
            {
                "path": _text(folder),
                "dev": existing.dev,
                "ino": existing.ino,
                "fsid": existing.fsid,
                "files": [[_text(name), *known] for name, known in existing.files.items()],
            }
            for folder, existing in folders.items()
        ],
    }
    fresh = path + b".new"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(fresh)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with open(descriptor, "wb") as file:
        file.write(json.dumps(content, separators=(",", ":")).encode("ascii"))
        file.flush()
        os.fsync(file.fileno())
    os.replace(fresh, path)
    above = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(above)
    finally:
        os.close(above)


def _folder(entry: object) -> tuple[bytes, Existing]:
    if not isinstance(entry, dict):
        raise ValueError("a folder is expected")  # noqa: TRY004  (hostile content, no wrong call)
    files = dict(_file(file) for file in _list(entry.get("files")))
    dev, ino, fsid = (_number(entry.get(key)) for key in ("dev", "ino", "fsid"))
    return _bytes(entry.get("path")), Existing(dev=dev, ino=ino, fsid=fsid, files=files)


def _file(entry: object) -> tuple[bytes, Known]:
    match entry:
        case [name, ino, birth, dev]:
            device = None if dev is None else _number(dev)
            return _bytes(name), Known(ino=_number(ino), birth=_number(birth), dev=device)
        case _:
            raise ValueError("a file is expected")


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise ValueError("a list is expected")  # noqa: TRY004  (hostile content, no wrong call)
    return cast("list[object]", value)


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError("a number is expected")  # noqa: TRY004  (hostile content, no wrong call)
    return value


def _bytes(value: object) -> bytes:
    if not isinstance(value, str):
        raise ValueError("a name is expected")  # noqa: TRY004  (hostile content, no wrong call)
    return value.encode("utf-8", "surrogateescape")


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")
