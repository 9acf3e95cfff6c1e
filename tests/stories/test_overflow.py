"""More files than the kernel's queue of events holds, dropped while the daemon cannot look."""

import os
import sqlite3
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from checkfirst.settings.places import DATABASE
from checkfirst.simulator.thread import Elsewhere
from tests.stories.house import House, wait_for

pytestmark = [pytest.mark.story, pytest.mark.timeout(300)]

FILES = 40_000
CONTENT = b"one of very many"


def test_none_of_forty_thousand_files_is_missed_when_the_daemon_was_stopped(
    home: Path, simulator: Elsewhere
):
    known = {"allow": [sha256(CONTENT).hexdigest()]}
    with House(home, simulator.url, lists=known).running() as house:
        with house.asleep():
            for number in range(FILES):
                house.drop(f"{number}", CONTENT)
        house.until_said("problem", "More happened than the kernel could tell")
        wait_for("all are released", lambda: _released(house) == FILES, 240)
        assert house.below_downloads() == set()
        assert len(os.listdir(house.released)) == FILES
        wait_for("all is well", lambda: house.snapshot().watching[0].healthy)
        house.drop("afterwards", CONTENT)
        wait_for("one more", lambda: _released(house) == FILES + 1)


def _released(house: House) -> int:
    with closing(sqlite3.connect(house.state / DATABASE)) as database:
        found = database.execute("SELECT rows FROM counts WHERE state = 'released'").fetchone()
    return int(found[0]) if found else 0
