"""Changes of the lists, on a real database and real files; the line notes what it is given."""

import asyncio
import hashlib
import logging

import pytest

from checkfirst.model import Arrival, Risk, State
from checkfirst.service.heed import Heed
from checkfirst.sources.list_files import ListFiles
from checkfirst.sources.lists import Lists
from checkfirst.store.database import Database
from checkfirst.store.journal import Journal
from checkfirst.store.listed import Listed, ListedBy, ListName
from checkfirst.store.lists import Lists as KeptLists
from tests.fakes.clock import FakeClock


def sha(number: int) -> str:
    return hashlib.sha256(b"%d" % number).hexdigest()


def row(number: int, state: State) -> Arrival:
    facts = {"sha256": sha(number), "size": 1, "risk": Risk.OTHER, "held": b"/h/s/f"}
    return Arrival(id=number, state=state, root=b"/w", origin=b"/w/f", **facts)


ROWS = [row(1, State.WAITING), row(2, State.HELD), row(3, State.RELEASED), row(4, State.WAITING)]


class Scene:
    def __init__(self, database: Database, path) -> None:
        self.clock = FakeClock()
        self.kept = KeptLists(database, self.clock)
        self.path = path
        self.given: list[list[int]] = []
        files = ListFiles([], [path])
        self.lists = Lists(files.read_blocking(), self.kept.look_up)
        journal = Journal(database, "1:1")
        self.heed = Heed(self.lists, files, self.kept, journal, self.clock.now, self._resume)

    async def _resume(self, rows) -> None:
        self.given.append([each.id for each in rows])

    async def block(self, hash_: str, **more) -> None:
        await self.kept.add(Listed(hash_, ListName.BLOCK, ListedBy.USER, 0.0, **more))

    async def looks(self, *changed: bool) -> list[list[int]]:
        """What is put on the line by so many looks."""
        self.given.clear()
        for each in changed:
            await self.heed.look(changed=each)
        return self.given

    async def write(self, text: str) -> None:
        await asyncio.to_thread(self.path.write_text, text)


@pytest.fixture
async def scene(tmp_path):
    path = tmp_path / "block.txt"
    await asyncio.to_thread(path.write_text, "")
    database = await Database.open(tmp_path / "checkfirst.sqlite", FakeClock())
    await Journal(database, "1:1").adopt(ROWS)
    yield await asyncio.to_thread(Scene, database, path)
    await database.close()


async def test_nothing_is_done_while_nothing_changes(scene):
    await scene.block(sha(1))
    assert await scene.looks(False, False, False) == []


async def test_a_change_of_the_database_is_looked_at_twice(scene):
    await scene.block(sha(1))
    await scene.block(sha(3))
    assert await scene.looks(True, False, False) == [[1], [1]]
    assert await scene.looks(True, False) == [[1], [1]]


async def test_what_has_expired_decides_nothing(scene):
    await scene.block(sha(1), expires_at=scene.clock.now())
    assert await scene.looks(True, False) == []
    await scene.heed.prune()
    assert await scene.kept.all() == []


async def test_a_new_sha1_has_all_that_waits_hashed_again_once(scene):
    await scene.block("1" * 40)
    assert await scene.looks(True) == [[1, 2, 4]]
    assert scene.lists.kinds() == {"sha1"}
    assert await scene.looks(False, True, False) == []
    await scene.block("2" * 32)
    assert await scene.looks(True, False) == [[1, 2, 4]]


async def test_a_file_of_hashes_decides_about_what_waits(scene):
    await scene.write(f"{sha(2)}\n{sha(3)}\n")
    assert await scene.looks(False, False, False, False) == [[2], [2]]
    await scene.write("1" * 40)
    assert await scene.looks(False, False, False) == [[1, 2, 4]]


async def test_a_broken_line_is_told_once_and_again_when_it_comes_back(scene, caplog):
    caplog.set_level(logging.ERROR)
    for text in ("rubbish\n", "rubbish\n#\n", "", "rubbish\n"):
        await scene.write(text)
        await scene.looks(False, False)
    told = [each.getMessage() for each in caplog.records]
    assert told == [f"{scene.path}:1: there is no hash in this line, or more than a hash"] * 2
    assert not scene.lists.health().healthy
