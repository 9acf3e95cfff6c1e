"""Hash sets as text: one SHA-256 on each line.

Plain, or as sha256sum and its like write it, or as the first column of a CSV. `#` begins a comment.
Lines without a hash are passed over and told, as a hash that is not listed costs a question and no
more.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO

from checkfirst.sources.knowngood.hashset import SHA256_BYTES, Chunk, Unit, cut, unreadable

_BLOCK = 1024 * 1024
"""A line as long as that is none."""
_MARK = b"\xef\xbb\xbf"
_LINE = re.compile(
    rb'\s*\\?"?([0-9a-fA-F]{64})(?:["\s,;|]|$)'  # sha256sum(1) marks escaped names by a backslash
    rb"|SHA(?:2-)?256 ?\(.*\) ?= ?([0-9a-fA-F]{64})\s*$"  # sha256sum --tag, BSD's sha256
)
_SHORTER = re.compile(rb'\s*\\?"?(?:[0-9a-fA-F]{32}|[0-9a-fA-F]{40})(?:["\s,;|]|$)')
_MOST_NAMED = 5


class Text:
    """A text of hashes."""

    unit: Unit = "bytes"

    def __init__(self, stream: BinaryIO, name: str, size: int | None) -> None:
        """`name` is fit to be shown; `size` in bytes, where it is known."""
        self.name = name
        self._stream = stream
        self._size = size
        self._number = 0
        self._found = 0
        self._broken: list[int] = []
        self._more_broken = 0
        self._shorter = 0

    def total(self) -> int | None:
        """How many bytes there are."""
        return self._size

    def chunks(self) -> Iterator[Chunk]:
        """All of it. Raises Problem."""
        for lines in self._lines():
            found = _regular(lines)
            if found is None:
                found = self._irregular(lines)
            else:
                self._number += len(found)
            self._found += len(found)
            yield Chunk(found, (), len(lines))
        if not self._found:
            short = "; it seems to hold MD5 or SHA-1" if self._shorter else ""
            raise unreadable(self.name, f"there is no SHA-256 in it{short}")

    def remarks(self) -> list[str]:
        """Which lines were passed over."""
        if not self._broken:
            return []
        count = len(self._broken) + self._more_broken
        named = ", ".join(map(str, self._broken))
        more = ", …" if self._more_broken else ""
        what = "line has no SHA-256 and was" if count == 1 else "lines have no SHA-256 and were"
        return [f"{self.name}: {count:,} {what} passed over ({named}{more})"]

    def _lines(self) -> Iterator[bytes]:
        """Whole lines, many at once."""
        rest = b""
        is_first = True
        try:
            while block := self._stream.read(_BLOCK):
                if is_first:
                    block, is_first = block.removeprefix(_MARK), False
                text = rest + block
                end = text.rfind(b"\n") + 1
                if not end and len(text) > _BLOCK:
                    raise unreadable(self.name, "it is no text of lines")
                if end:
                    yield text[:end]
                rest = text[end:]
        except OSError as error:
            raise unreadable(self.name, error.strerror or str(error)) from error
        if rest:
            yield rest

    def _irregular(self, lines: bytes) -> list[bytes]:
        found = []
        for line in lines.removesuffix(b"\n").split(b"\n"):
            self._number += 1
            if match := _LINE.match(line):
                found.append(bytes.fromhex((match[1] or match[2]).decode("ascii")))
            elif text := line.partition(b"#")[0].strip():
                self._pass_over(text)
        return found

    def _pass_over(self, text: bytes) -> None:
        self._shorter += _SHORTER.match(text) is not None
        if len(self._broken) < _MOST_NAMED:
            self._broken.append(self._number)
        else:
            self._more_broken += 1


def _regular(lines: bytes) -> list[bytes] | None:
    """The hashes of lines that hold one each and nothing else; None where any does not."""
    for end in (b"\n", b"\r\n"):
        width = 2 * SHA256_BYTES + len(end)
        count, over = divmod(len(lines), width)
        if over or any(
            lines[2 * SHA256_BYTES + at :: width] != end[at : at + 1] * count
            for at in range(len(end))
        ):
            continue
        try:
            raw = bytes.fromhex(lines.decode("ascii"))  # which passes over blanks
        except ValueError:
            return None
        return cut(raw) if len(raw) == SHA256_BYTES * count else None
    return None
