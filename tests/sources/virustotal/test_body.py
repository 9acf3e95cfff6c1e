import asyncio
import hashlib
import os
import tracemalloc

import pytest

from checkfirst.sources.virustotal.body import READ_BYTES, SENT_BYTES, Body, ChangedError

NOTHING = bytes(1024 * 1024)


class Heard:
    """Notes the pieces that were taken."""

    def __init__(self) -> None:
        self.pieces: list[bool] = []
        self.sent: list[int] = []

    def __call__(self, sent: int, *, done: bool) -> None:
        self.pieces.append(done)
        self.sent.append(sent)


@pytest.mark.parametrize(
    "size", [0, 1, SENT_BYTES, READ_BYTES - 1, READ_BYTES, READ_BYTES + 1, 3 * READ_BYTES + 7]
)
async def test_it_is_one_part_with_the_hash_for_a_name_and_of_the_announced_length(opened, size):
    content = bytes(range(251)) * (size // 251 + 1)
    descriptor, sha256, _ = await asyncio.to_thread(opened, content[:size])
    heard = Heard()
    body = Body(descriptor, sha256, size, heard)
    pieces = [piece async for piece in body.pieces()]
    whole = b"".join(pieces)
    assert len(whole) == body.length
    head, _, rest = whole.partition(b"\r\n\r\n")
    assert f'name="file"; filename="{sha256}"'.encode() in head
    assert b"private" not in whole
    boundary = body.content_type.partition("boundary=")[2]
    assert head.startswith(f"--{boundary}\r\n".encode())
    assert rest == content[:size] + f"\r\n--{boundary}--\r\n".encode()
    assert max(map(len, pieces)) <= SENT_BYTES
    assert heard.pieces[-1] is True
    assert not any(heard.pieces[:-1])
    assert heard.sent == sorted(heard.sent)
    assert heard.sent[-1] == size


@pytest.mark.parametrize("size", [10, READ_BYTES, 3 * READ_BYTES + 7])
@pytest.mark.parametrize("change", [-1, 0, 1])
async def test_bytes_that_are_not_the_announced_ones_never_come_to_an_end(opened, size, change):
    descriptor, _, _ = await asyncio.to_thread(opened, b"x" * (size + change))
    body = Body(descriptor, "0" * 64, size, Heard())
    sent = 0

    async def send():
        nonlocal sent
        async for piece in body.pieces():
            sent += len(piece)

    with pytest.raises(ChangedError):
        await send()
    assert body.changed
    last_piece = size % READ_BYTES or READ_BYTES
    assert sent < body.length - last_piece


async def test_a_large_file_is_never_in_memory(tmp_path):
    """256 MiB, sparse on the disk; what is alive at once is a few pieces."""
    size = 256 * 1024 * 1024
    path = tmp_path / "large"
    await asyncio.to_thread(path.write_bytes, b"")
    await asyncio.to_thread(os.truncate, path, size)
    descriptor = await asyncio.to_thread(os.open, path, os.O_RDONLY)
    digest = hashlib.sha256()
    for _ in range(size // len(NOTHING)):
        digest.update(NOTHING)
    tracemalloc.start()
    try:
        sent = 0
        body = Body(descriptor, digest.hexdigest(), size, Heard())
        async for piece in body.pieces():
            sent += len(piece)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        await asyncio.to_thread(os.close, descriptor)
    assert sent == body.length
    assert peak < 8 * READ_BYTES
