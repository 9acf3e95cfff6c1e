"""The bytes of a file that was decided on, opened wherever they are."""

import asyncio
import hashlib
import os

import pytest

from checkfirst.errors import FileProblem
from checkfirst.model import Arrival, State
from checkfirst.service.found_again import FoundAgain

CONTENT = b"the bytes"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def file(state: State, **places: object) -> Arrival:
    raw = {name: os.fsencode(place) for name, place in places.items()}
    return Arrival(1, state, b"/w", b"/w/a", sha256=SHA256, **raw)


async def read(*rows: Arrival, stopped: bool = False) -> bytes | None:
    async def whereabouts(sha256: str) -> list[Arrival]:
        assert sha256 == SHA256
        return list(rows)

    descriptor = await FoundAgain(whereabouts, lambda: stopped).open(SHA256)
    if descriptor is None:
        return None
    try:
        return await asyncio.to_thread(os.pread, descriptor, 100, 0)
    finally:
        os.close(descriptor)


@pytest.fixture
def places(tmp_path):
    (tmp_path / "right").write_bytes(CONTENT)
    (tmp_path / "other").write_bytes(CONTENT[::-1])
    (tmp_path / "link").symlink_to(tmp_path / "right")
    (tmp_path / "quarantined").mkdir()
    payload = tmp_path / "quarantined" / "payload.quarantined"
    payload.write_bytes(CONTENT)
    payload.chmod(0)
    return tmp_path


@pytest.mark.parametrize("state", [State.RELEASED, State.RESTORED])
async def test_a_file_that_was_let_go_is_where_it_was_let_go_to(places, state):
    row = file(state, destination=places / "right", held=places / "other")
    assert await read(row) == CONTENT


async def test_a_file_that_waits_is_where_it_is_held(places):
    assert await read(file(State.WAITING, held=places / "right")) == CONTENT


async def test_a_file_on_its_way_is_at_either_end_of_it(places):
    row = file(State.RELEASING, destination=places / "missing", held=places / "right")
    assert await read(row) == CONTENT


async def test_a_quarantined_file_is_read_and_stays_unreadable(places):
    row = file(State.QUARANTINED, destination=places / "quarantined")
    assert await read(row) == CONTENT
    payload = places / "quarantined" / "payload.quarantined"
    assert (await asyncio.to_thread(payload.stat)).st_mode & 0o777 == 0


async def test_a_file_that_is_being_moved_is_to_be_had_later(places):
    assert await read(file(State.RESTORING, destination=places / "missing")) is None
    assert await read(file(State.DELETING, destination=places / "link")) is None


async def test_a_file_that_was_moved_meanwhile_is_to_be_had_later(places):
    known = [
        [file(State.QUARANTINED, destination=places / "missing")],
        [file(State.RESTORED, destination=places / "right")],
    ]

    async def whereabouts(sha256: str) -> list[Arrival]:
        return known.pop(0) if len(known) > 1 else known[0]

    assert await FoundAgain(whereabouts, lambda: False).open(SHA256) is None
    os.close(await FoundAgain(whereabouts, lambda: False).open(SHA256))


async def test_of_several_files_the_one_with_these_bytes_is_taken(places):
    rows = [file(State.RELEASED, destination=places / name) for name in ("other", "link", "right")]
    assert await read(*rows) == CONTENT


@pytest.mark.parametrize(
    ("name", "error"),
    [("other", FileProblem), ("link", FileProblem), ("missing", FileNotFoundError)],
)
async def test_other_bytes_and_none_are_told_apart(places, name, error):
    with pytest.raises(error):
        await read(file(State.RELEASED, destination=places / name))


async def test_without_any_row_nothing_is_found():
    with pytest.raises(FileNotFoundError):
        await read()


async def test_a_stop_breaks_the_reading_of_a_large_file_off(places):
    def grow():
        with (places / "large").open("wb") as large:
            large.truncate(20 * 1024 * 1024)

    await asyncio.to_thread(grow)
    row = file(State.RELEASED, destination=places / "large")
    assert await read(row, stopped=True) is None
    with pytest.raises(FileProblem):
        await read(row)
