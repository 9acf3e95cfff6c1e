"""Reading the log, for `checkfirst log`. Light to import, and no part of the daemon."""

import os
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from itertools import count
from pathlib import Path
from typing import BinaryIO

_BLOCK = 64 * 1024
_PAUSE = 0.25
"""Seconds between two looks at a log that is followed."""


def read_last_blocking(path: Path, lines: int) -> list[str]:
    """Give the last lines, oldest first, going back into rotated files where need be.

    Empty where there is no log yet. Raises OSError where there is one that cannot be read.
    """
    current = _open(path)
    if current is None:  # not there yet, or just being rotated
        return _completed(path, [], lines)
    with current:
        return _completed(path, _last(current, lines, _size(current)), lines)


def follow(
    path: Path, lines: int = 0, *, sleep: Callable[[float], object] = time.sleep
) -> Iterator[str]:
    """Give the last lines, then every new one as it is written, for ever.

    Survives rotation, also several between two looks, and a log that is not there yet, is removed
    or cut short. A line counts once its newline is written. Raises OSError where there is a log
    that cannot be read.
    """
    files = deque[BinaryIO]()
    rest = b""
    try:
        current = _open(path)
        if current is not None:
            files.append(current)
            end = _end_of_last_line(current)
            yield from _completed(path, _last(current, lines, end), lines)
            current.seek(end)
        while True:
            if files:
                # Before reading: what a rotated file holds by now is all that it will hold.
                files.extend(_newer(path, files[0]))
            elif current := _open(path):
                files.append(current)
            while files:
                rest = yield from _new_lines(files[0], rest)
                if len(files) == 1:
                    break
                if rest:  # torn off by a crash or a full disk, and never to be completed
                    yield _text(rest)
                    rest = b""
                files.popleft().close()
            sleep(_PAUSE)
    finally:
        for file in files:
            file.close()


def _open(path: Path) -> BinaryIO | None:
    try:
        return path.open("rb")
    except FileNotFoundError:
        return None


def _size(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_size


def _older(path: Path, n: int) -> Path:
    return path.with_name(f"{path.name}.{n}")


def _completed(path: Path, found: list[str], lines: int) -> list[str]:
    """Put lines of the rotated files before those of the current one, until there are enough."""
    for n in count(1):
        file = _open(_older(path, n)) if len(found) < lines else None
        if file is None:
            break
        with file:
            found = _last(file, lines - len(found), _size(file)) + found
    return found


def _last(file: BinaryIO, lines: int, end: int) -> list[str]:
    """Give the last lines before `end`, reading backwards only as far as they reach."""
    blocks = deque[bytes]()
    at, newlines = end, 0
    while at and newlines <= lines:
        step = min(_BLOCK, at)
        at -= step
        file.seek(at)
        blocks.appendleft(file.read(step))
        newlines += blocks[0].count(b"\n")
    data = b"".join(blocks)
    found = data.removesuffix(b"\n").split(b"\n") if data else []
    return [_text(line) for line in found[-lines:]] if lines else []


def _end_of_last_line(file: BinaryIO) -> int:
    at = _size(file)
    while at:
        step = min(_BLOCK, at)
        at -= step
        file.seek(at)
        newline = file.read(step).rfind(b"\n")
        if newline >= 0:
            return at + newline + 1
    return 0


def _newer(path: Path, known: BinaryIO) -> list[BinaryIO]:
    """Open what has been begun since `known` was, oldest first.

    Where `known` is no longer among the rotated files, only the current file is sure to be newer.
    """
    status = os.fstat(known.fileno())
    newer: list[BinaryIO] = []
    current = _open(path)
    if current is not None:
        if os.path.samestat(status, os.fstat(current.fileno())):
            current.close()
            return []
        newer.append(current)
    for n in count(1):
        file = _open(_older(path, n))
        if file is None:
            break
        if os.path.samestat(status, os.fstat(file.fileno())):
            file.close()
            return newer[::-1]
        newer.append(file)
    sure = newer[: 0 if current is None else 1]
    for file in newer[len(sure) :]:
        file.close()
    return sure


def _new_lines(file: BinaryIO, rest: bytes) -> Generator[str, None, bytes]:
    """Give the lines completed since the last call; returns the beginning of the next."""
    if _size(file) < file.tell():  # cut short from outside
        file.seek(0)
        rest = b""
    *whole, rest = (rest + file.read()).split(b"\n")
    yield from map(_text, whole)
    return rest


def _text(line: bytes) -> str:
    return line.decode("utf-8", "backslashreplace")
