"""The lists that the settings name: hashes, and files of hashes that are followed as they change.

A broken line is named with its number and the others count; a file that vanishes or cannot be read
goes on counting as it was. A file that has changed is read when two looks have found it the same,
so that one which is just being written never counts by half. What the hashes lead to is not known
here.
"""

import os
import stat
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from checkfirst.policy import hashes
from checkfirst.policy.hashes import Kind
from checkfirst.policy.names import show

IN_SETTINGS: Final = "settings"
"""The place of a hash that stands in the settings themselves."""

LARGEST: Final = 256 * 1024 * 1024
"""Bytes of a file that is believed to be a list: three million lines, 32 bytes each in memory."""

_MOST_PROBLEMS: Final = 20


class Packed:
    """Hashes of one kind: as many bytes as they have, where a set takes a hundred for each."""

    __slots__ = ("_joined", "_width")

    def __init__(self, digests: AbstractSet[bytes]) -> None:
        ordered = sorted(digests)
        self._width = len(ordered[0]) if ordered else 1
        self._joined = b"".join(ordered)

    def __len__(self) -> int:
        return len(self._joined) // self._width

    def __contains__(self, digest: bytes) -> bool:
        place = bisect_left(range(len(self)), digest, key=self._at)
        return place < len(self) and self._at(place) == digest

    def _at(self, place: int) -> bytes:
        return self._joined[place * self._width : (place + 1) * self._width]


@dataclass(frozen=True, slots=True)
class Hashes:
    """Hashes that came from one place."""

    place: str
    """Where they stand, fit to be shown."""
    packed: dict[Kind, Packed] = field(default_factory=dict)

    @classmethod
    def of(cls, place: str, found: Iterable[str]) -> "Hashes":
        """From hexadecimal text, of which nothing is kept longer than need be."""
        digests: dict[Kind, set[bytes]] = {}
        for each in found:
            digests.setdefault(hashes.kind(each), set()).add(bytes.fromhex(each))
        return cls(place, {kind: Packed(digests.pop(kind)) for kind in list(digests)})

    def __contains__(self, found: str) -> bool:
        packed = self.packed.get(hashes.kind(found))
        return packed is not None and bytes.fromhex(found) in packed

    def __len__(self) -> int:
        return sum(map(len, self.packed.values()))


@dataclass(frozen=True, slots=True)
class FromSettings:
    """The lists of the settings, as they were when they were last read."""

    allow: tuple[Hashes, ...] = ()
    block: tuple[Hashes, ...] = ()
    problems: tuple[str, ...] = ()
    """What could not be read, each with its file and line."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a list that is no comment."""

    number: int
    found: str | None
    """The hash."""
    problem: str = ""
    """Why there is none."""


class ListFiles:
    """Reads the lists of the settings, and again what has changed. Not for two threads at once."""

    def __init__(
        self,
        allow: Iterable[str | Path],
        block: Iterable[str | Path],
        before: FromSettings | None = None,
    ) -> None:
        """As the settings have them: a SHA-256 (to block, SHA-1 or MD5 as well), or a file.

        `before`: what was read until now, which a file that cannot be read goes on counting with.
        """
        known = before or FromSettings()
        old = {False: known.allow, True: known.block}
        lists = {False: tuple(allow), True: tuple(block)}
        self._inline = {
            is_block: Hashes.of(
                IN_SETTINGS, [hash_ for each in entries if (hash_ := _inline(each, is_block))]
            )
            for is_block, entries in lists.items()
        }
        self._files = [
            _File(Path(each), old[is_block], is_block=is_block)
            for is_block, entries in lists.items()
            for each in dict.fromkeys(entries)
            if _inline(each, is_block) is None
        ]

    @property
    def has_files(self) -> bool:
        """Whether there is anything to be followed."""
        return bool(self._files)

    def read_blocking(self) -> FromSettings:
        """Read all of it."""
        for file in self._files:
            file.read_blocking()
        return self._all()

    def look_blocking(self) -> FromSettings | None:
        """Read what has changed and settled since; None when there is nothing new."""
        changed = [file.look_blocking() for file in self._files]
        return self._all() if any(changed) else None

    def _all(self) -> FromSettings:
        allow, block = (
            (self._inline[is_block], *(f.hashes for f in self._files if f.is_block is is_block))
            for is_block in (False, True)
        )
        return FromSettings(allow, block, tuple(each for f in self._files for each in f.problems))


class _File:
    """One file of hashes and what was last read of it."""

    def __init__(self, path: Path, old: Iterable[Hashes], *, is_block: bool) -> None:
        self.path = path
        self.is_block = is_block
        place = show(bytes(path))
        self.hashes = next((each for each in old if each.place == place), Hashes(place))
        self.problems: Sequence[str] = ()
        self._read: object = None
        """How it looked when it was last read, a failure included."""
        self._seen: object = None
        """How it looked at the last look."""

    def look_blocking(self) -> bool:
        """Whether it was read anew."""
        before, self._seen = self._seen, _looks_blocking(self.path)
        if self._seen in (self._read, None) or self._seen != before:
            return False
        self.read_blocking()
        return True

    def read_blocking(self) -> None:
        """Read it; where that fails, what was read before stays."""
        place = self.hashes.place
        # Looked at before it is read: a change that comes between is a change.
        self._read = self._seen = _looks_blocking(self.path)
        broken: list[str] = []

        def found_blocking() -> Iterator[str]:
            for line in lines_blocking(self.path, may_be_weak=self.is_block):
                if line.found is not None:
                    yield line.found
                else:
                    broken.append(f"{place}:{line.number}: {line.problem}")

        try:
            self.hashes = Hashes.of(place, found_blocking())
        except OSError as error:
            goes_on = "; what it held goes on counting" if len(self.hashes) else ""
            why = error.strerror or error
            self.problems = (f"{place}: the list cannot be read: {why}{goes_on}",)
            return
        more = len(broken) - _MOST_PROBLEMS
        self.problems = broken[:_MOST_PROBLEMS]
        if more > 0:
            self.problems += [f"{place}: {more} more lines cannot be read"]


def lines_blocking(path: Path, *, may_be_weak: bool) -> Iterator[Line]:
    """The lines of a list that are no comments. Raises OSError, for what is no file too."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # a pipe never waits
    with open(descriptor, encoding="utf-8-sig", errors="replace", newline="\n") as lines:
        seen = os.fstat(descriptor)
        if not stat.S_ISREG(seen.st_mode):
            raise OSError(0, "it is no regular file")
        if seen.st_size > LARGEST:
            raise OSError(0, f"it is larger than {LARGEST // 1024**2} MiB")
        for number, text in enumerate(lines, 1):
            try:
                found = hashes.in_line(text.strip(), may_be_weak=may_be_weak)
            except ValueError as error:
                yield Line(number, None, str(error))
            else:
                if found is not None:
                    yield Line(number, found)


def _looks_blocking(path: Path) -> object:
    """What tells one state of a file from another."""
    try:
        seen = path.stat()
    except OSError as error:
        return error.errno
    return (seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns)


def _inline(entry: str | Path, is_block: bool) -> str | None:  # noqa: FBT001  (see ListFiles)
    with suppress(ValueError):
        return hashes.read(entry, may_be_weak=is_block) if isinstance(entry, str) else None
    return None
