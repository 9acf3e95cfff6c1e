"""A released folder whose server is away: all lanes sit in it, and a person still hears of it."""

from hashlib import sha256
from pathlib import Path

import pytest

from checkfirst.model import State
from checkfirst.service.hashing import LARGE_BYTES
from checkfirst.service.lanes import HUGE_BYTES, LARGE_LANES, SMALL_LANES
from tests.stories.house import House, wait_for
from tests.watch.hung import hung

pytestmark = [pytest.mark.story, pytest.mark.timeout(180)]


def test_status_goes_on_while_every_lane_sits_in_a_folder_that_does_not_answer(tmp_path: Path):
    away = tmp_path / "away"
    away.mkdir()
    sizes = [1 + n for n in range(SMALL_LANES)]
    sizes += [LARGE_BYTES + n for n in range(LARGE_LANES)] + [HUGE_BYTES]
    allowed = [_hash_of_zeros(size) for size in sizes]
    house = House(tmp_path / "home", "http://127.0.0.1:9/api/v3", lists={"allow": allowed})
    house.change(released=str(away / "Released"))
    with hung(bytes(away)):
        pass  # or skip, before anything runs
    try:
        house.start()
        with hung(bytes(away)):
            for number, size in enumerate(sizes):
                with open(house.downloads / f"{number}", "wb") as file:
                    file.truncate(size)
                house.until(f"{number}", State.RELEASING)
            before = house.snapshot().settling
            house.drop("one more", b"that waits for a lane")
            wait_for("status says so", lambda: house.snapshot().settling > before)
    finally:
        house.kill()


def test_housekeeping_goes_on_while_a_watched_folder_does_not_answer(tmp_path: Path):
    away = tmp_path / "away"
    away.mkdir()
    house = House(tmp_path / "home", "http://127.0.0.1:9/api/v3")
    house.change(watch=[str(house.downloads), str(away)])
    with hung(bytes(away)):
        pass  # or skip, before anything runs
    try:
        house.start()
        with hung(bytes(away)):
            for path in house.state.glob("checkfirst.sqlite*"):
                path.unlink()
            house.until_said("problem", "The database was removed")
    finally:
        house.kill()


def _hash_of_zeros(size: int) -> str:
    hashed, chunk = sha256(), bytes(1 << 20)
    for start in range(0, size, len(chunk)):
        hashed.update(chunk[: size - start])
    return hashed.hexdigest()
