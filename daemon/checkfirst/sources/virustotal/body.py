"""The body of an upload: one file as multipart/form-data, read while it is sent.

The part carries the SHA-256 as its file name, never the name on this machine. The file is hashed
on its way, and its last piece is kept back until the hash is right: bytes that are not the ones
that were judged are never taken for them by the server, as the body stays shorter than announced.
HTTP and what an upload is for are not known here.
"""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Callable
from typing import Protocol

READ_BYTES = 1024 * 1024
"""Read and hashed at a time, in a thread."""

SENT_BYTES = 64 * 1024
"""Handed over at a time, so that even a slow line shows some progress within a time-out."""


class Progress(Protocol):
    """Hears of each piece that is handed over."""

    def __call__(self, sent: int, *, done: bool) -> None:
        """`sent`: bytes of the file so far; `done` with the last one."""
        ...


class ChangedError(Exception):
    """The bytes are not those that were announced."""


class Body:
    """An upload's body over an open descriptor, which it neither moves nor closes."""

    def __init__(self, descriptor: int, sha256: str, size: int, progress: Progress) -> None:
        """`sha256` and `size` are what the file must turn out to have."""
        self._descriptor = descriptor
        self._sha256 = sha256
        self._size = size
        self._progress = progress
        self.changed = False
        """Whether the bytes turned out not to be those of `sha256`."""
        # It cannot occur in the file: that would have to hold its own SHA-256.
        boundary = sha256  # at most 70 characters, RFC 2046
        self.content_type = f"multipart/form-data; boundary={boundary}"
        self._head = (
            f"--{boundary}\r\n"
            f'Content-Disposition: form-data; name="file"; filename="{sha256}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        ).encode()
        self._tail = f"\r\n--{boundary}--\r\n".encode()

    @property
    def length(self) -> int:
        """Bytes in all."""
        return len(self._head) + self._size + len(self._tail)

    async def pieces(self) -> AsyncIterator[bytes]:
        """Give the body piece by piece.

        Raises ChangedError in place of the last piece, with `changed` set, when the hash is wrong.
        """
        yield self._head
        digest = hashlib.sha256()
        offset, kept, sent = 0, b"", 0
        while offset < self._size:
            piece = await asyncio.to_thread(self._read_blocking, offset, digest.update)
            if not piece:
                break
            offset += len(piece)
            for part in _cut(kept):
                sent += len(part)
                self._progress(sent, done=False)
                yield part
            kept = piece
        if offset != self._size or digest.hexdigest() != self._sha256:
            self.changed = True
            raise ChangedError
        for part in _cut(kept):
            sent += len(part)
            self._progress(sent, done=False)
            yield part
        self._progress(sent, done=True)
        yield self._tail

    def _read_blocking(self, offset: int, update: Callable[[bytes], None]) -> bytes:
        piece = os.pread(self._descriptor, min(READ_BYTES, self._size - offset), offset)
        update(piece)
        return piece


def _cut(piece: bytes) -> list[bytes]:
    return [piece[at : at + SENT_BYTES] for at in range(0, len(piece), SENT_BYTES)]
