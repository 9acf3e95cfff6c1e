"""Takes a file in as it streams: hashes it, keeps its beginning, refuses what is too large."""

import hashlib
from collections.abc import AsyncIterator

from aiohttp import BodyPartReader, web

from checkfirst.simulator.state import Upload

CHUNK_BYTES = 256 * 1024


class TooLargeError(Exception):
    """The body is larger than this path takes."""


class NoFileError(Exception):
    """The body is no form, or the form has no part named `file`."""


async def receive(
    request: web.Request, *, at_most_bytes: int, kept_bytes: int, key: str | None
) -> Upload:
    """Read the whole form; parts of unknown names are tolerated, as by the real service.

    Raises TooLargeError, as early as it can be known, and NoFileError.
    """
    if (request.content_length or 0) > at_most_bytes:
        raise TooLargeError
    if not request.content_type.startswith("multipart/"):
        raise NoFileError
    upload: Upload | None = None
    fields: dict[str, str] = {}
    try:
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader):
                continue
            chunks = _chunks(part, at_most_bytes)
            if part.name != "file":
                text = b"".join([chunk async for chunk in chunks])
                fields[part.name or ""] = text.decode(errors="replace")
                continue
            size, kept = 0, bytearray()
            hashes = [hashlib.new(name, usedforsecurity=False) for name in ("sha256", "sha1")]
            md5 = hashlib.md5(usedforsecurity=False)
            async for chunk in chunks:
                size += len(chunk)
                kept += chunk[: max(0, kept_bytes - len(kept))]
                for digest in (*hashes, md5):
                    digest.update(chunk)
            upload = Upload(
                sha256=hashes[0].hexdigest(),
                sha1=hashes[1].hexdigest(),
                md5=md5.hexdigest(),
                size=size,
                content=bytes(kept),
                file_name=part.filename,
                disposition=part.headers.get("Content-Disposition", ""),
                fields=fields,
                via=request.path,
                key=key,
            )
    except ValueError as error:
        raise NoFileError from error
    if upload is None:
        raise NoFileError
    return upload


async def _chunks(part: BodyPartReader, at_most_bytes: int) -> AsyncIterator[bytes]:
    size = 0
    while chunk := await part.read_chunk(CHUNK_BYTES):
        size += len(chunk)
        if size > at_most_bytes:
            raise TooLargeError
        yield chunk
