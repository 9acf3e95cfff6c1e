import asyncio
import contextlib
import logging
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from checkfirst.errors import StoreError
from checkfirst.store.database import Database
from checkfirst.store.problem import PassingStoreError
from tests.fakes.clock import FakeClock

HOLD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.readline()
connection.execute("INSERT INTO wanted VALUES (x'61', 1.0)")
connection.execute("COMMIT")
"""

OPEN = """
import asyncio, concurrent.futures.thread, os, sys
from pathlib import Path
from checkfirst.clock import SystemClock
from checkfirst.errors import StoreError
from checkfirst.store.database import Database
from checkfirst.store.reading import Reading
path = Path(sys.argv[1])
os.setuid(65534)  # only now: the packages may lie where nobody else may read
print("counts", Reading(path).counts())
try:
    asyncio.run(Database.open(path, SystemClock()))
except StoreError as error:
    print("refused", error)
"""


@contextlib.asynccontextmanager
async def another_process_writing(path):
    """Yields an event-free way to let it commit: the process holds the write lock until then."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOLD, path, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert await process.stdout.readline() == b"held\n"
        yield process
    finally:
        process.stdin.close()
        await process.wait()


async def wanted(database):
    return [name for (name,) in await database.rows("SELECT path FROM wanted ORDER BY path")]


async def test_the_file_is_private_and_its_companions_too(database, path):
    await database.execute("INSERT INTO wanted VALUES (x'61', 1.0)")
    modes = {
        name: stat.S_IMODE(os.lstat(path.parent / name).st_mode)
        for name in ("checkfirst.sqlite", "checkfirst.sqlite-wal", "checkfirst.sqlite-shm")
    }
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(os.lstat(path.parent).st_mode) == 0o700


async def test_a_file_that_others_may_read_is_made_private(database, path, clock):
    os.chmod(path, 0o644)
    again = await Database.open(path, clock)
    await again.close()
    assert stat.S_IMODE(os.lstat(path).st_mode) == 0o600


async def test_it_is_durable_by_its_settings(database):
    assert await database.execute("PRAGMA synchronous") == [(2,)]
    assert await database.rows("PRAGMA journal_mode") == [("wal",)]


async def test_an_exception_rolls_back(database):
    def fail_blocking(connection):
        connection.execute("INSERT INTO wanted VALUES (x'61', 1.0)")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await database.write(fail_blocking)
    assert await wanted(database) == []


async def test_sqlite_errors_leave_as_store_errors(database):
    def fail_blocking(connection):
        connection.execute("INSERT INTO wanted VALUES (x'61', 1.0)")
        connection.execute("INSERT INTO nowhere VALUES (1)")

    with pytest.raises(StoreError, match="nowhere"):
        await database.write(fail_blocking)
    with pytest.raises(StoreError, match="nowhere"):
        await database.rows("SELECT * FROM nowhere")
    assert await wanted(database) == []


async def test_a_cancelled_transaction_comes_to_its_end_before_the_cancellation_does(database):
    begun, go_on = threading.Event(), threading.Event()

    def write_two_blocking(connection):
        connection.execute("INSERT INTO wanted VALUES (x'61', 1.0)")
        begun.set()
        assert go_on.wait(10)
        connection.execute("INSERT INTO wanted VALUES (x'62', 1.0)")

    task = asyncio.create_task(database.write(write_two_blocking))
    assert await asyncio.to_thread(begun.wait, 10)
    for _ in range(3):
        task.cancel()
        await asyncio.sleep(0)
    await asyncio.sleep(0.05)
    assert not task.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await wanted(database) == [b"a", b"b"]


async def test_a_cancelled_transaction_that_fails_is_rolled_back_and_the_next_one_works(
    database, caplog
):
    caplog.set_level(logging.DEBUG)
    begun, go_on = threading.Event(), threading.Event()

    def fail_blocking(connection):
        connection.execute("INSERT INTO wanted VALUES (x'61', 1.0)")
        begun.set()
        assert go_on.wait(10)
        connection.execute("INSERT INTO nowhere VALUES (1)")

    task = asyncio.create_task(database.write(fail_blocking))
    assert await asyncio.to_thread(begun.wait, 10)
    task.cancel()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert "no such table: nowhere" in caplog.text
    await database.execute("INSERT INTO wanted VALUES (x'62', 1.0)")
    assert await wanted(database) == [b"b"]


async def test_one_that_is_cancelled_while_it_waits_for_its_turn_changes_nothing(database):
    begun, go_on = threading.Event(), threading.Event()

    def wait_blocking(connection):
        begun.set()
        assert go_on.wait(10)
        connection.execute("INSERT INTO wanted VALUES (x'61', 1.0)")

    first = asyncio.create_task(database.write(wait_blocking))
    assert await asyncio.to_thread(begun.wait, 10)
    second = asyncio.create_task(database.execute("INSERT INTO wanted VALUES (x'62', 1.0)"))
    await asyncio.sleep(0)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    go_on.set()
    await first
    assert await wanted(database) == [b"a"]


@pytest.mark.parametrize("turns", range(12))
async def test_cancelling_at_any_moment_leaves_all_or_nothing(database, turns):
    def write_two_blocking(connection):
        connection.execute("INSERT INTO wanted VALUES (x'61', 1.0)")
        connection.execute("INSERT INTO wanted VALUES (x'62', 1.0)")

    task = asyncio.create_task(database.write(write_two_blocking))
    for _ in range(turns):
        await asyncio.sleep(0.0002)
    task.cancel()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert await wanted(database) in ([], [b"a", b"b"])
    await database.execute("INSERT OR REPLACE INTO wanted VALUES (x'63', 1.0)")
    assert b"c" in await wanted(database)


async def test_a_cancelled_wait_for_another_process_leaves_no_transaction_open(database, path):
    async with another_process_writing(path) as other:
        task = asyncio.create_task(database.write(lambda _connection: None))
        await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.sleep(0.05)
        other.stdin.write(b"\n")
        with pytest.raises(asyncio.CancelledError):
            await task
    await database.execute("INSERT INTO wanted VALUES (x'62', 1.0)")
    assert await wanted(database) == [b"a", b"b"]


async def test_another_process_is_waited_out_while_the_loop_and_reads_go_on(database, path):
    async with another_process_writing(path) as other:
        task = asyncio.create_task(database.execute("INSERT INTO wanted VALUES (x'62', 1.0)"))
        loop = asyncio.get_running_loop()
        longest = 0.0
        for _ in range(100):
            before = loop.time()
            assert await wanted(database) == []
            await asyncio.sleep(0.01)
            longest = max(longest, loop.time() - before)
        assert not task.done()
        other.stdin.write(b"\n")
        await task
    assert await wanted(database) == [b"a", b"b"]
    assert longest < 1.0


async def test_two_databases_on_one_file_take_turns(database, path, clock):
    second = await Database.open(path, clock)

    async def add(which, first):
        for number in range(first, first + 40):
            await which.execute("INSERT INTO wanted VALUES (?, 1.0)", (b"%03d" % number,))

    await asyncio.gather(add(database, 0), add(second, 100), add(database, 200))
    await second.close()
    assert len(await wanted(database)) == 120


async def test_changes_from_elsewhere_are_noticed_and_our_own_are_not(database, path, clock):
    assert not await database.changed_elsewhere()
    await database.execute("INSERT INTO wanted VALUES (x'61', 1.0)")
    assert not await database.changed_elsewhere()
    second = await Database.open(path, clock)
    await second.execute("INSERT INTO wanted VALUES (x'62', 1.0)")
    await second.close()
    assert await database.changed_elsewhere()
    assert not await database.changed_elsewhere()


async def test_opened_at_once_by_many_it_is_made_once(path, clock):
    many = await asyncio.gather(*(Database.open(path, clock) for _ in range(6)))
    for number, each in enumerate(many):
        await each.execute("INSERT INTO wanted VALUES (?, 1.0)", (b"%d" % number,))
    assert len(await wanted(many[0])) == 6
    for each in many:
        await each.close()
    assert [each.notice for each in many] == [""] * 6


def test_a_newer_schema_is_refused_and_the_file_stays_as_it_is(path):
    path.parent.mkdir()
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE future (x)")
        connection.execute("PRAGMA user_version = 99")
    before = path.read_bytes()
    with pytest.raises(StoreError, match=r"schema 99.*none above"):
        asyncio.run(Database.open(path, FakeClock()))
    assert path.read_bytes() == before


def test_a_newer_schema_still_in_the_log_is_not_written_back(path):
    """The newer program died: its last word is in the -wal, which is its own to play back."""
    path.parent.mkdir()
    program = (
        "import os, sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None);"
        "c.execute('PRAGMA journal_mode = WAL'); c.execute('CREATE TABLE future (x)');"
        "c.execute('PRAGMA user_version = 99'); os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", program, path], check=False)
    before = path.read_bytes()
    log = (path.parent / "checkfirst.sqlite-wal").read_bytes()
    assert log
    with pytest.raises(StoreError, match="schema 99"):
        asyncio.run(Database.open(path, FakeClock()))
    assert path.read_bytes() == before
    assert (path.parent / "checkfirst.sqlite-wal").read_bytes() == log


@pytest.mark.parametrize(
    "damage",
    [b"this is no database at all, but long enough to look like one" * 40, b"SQLite format 3\0"],
)
def test_a_damaged_file_is_set_aside_and_said_so(path, damage):
    path.parent.mkdir()
    path.write_bytes(damage)
    (path.parent / "checkfirst.sqlite-wal").write_bytes(b"log")
    clock = FakeClock()

    async def story():
        for expected in (True, False):
            database = await Database.open(path, clock)
            assert bool(database.notice) == expected
            assert await wanted(database) == []
            await database.close()

    asyncio.run(story())
    aside = path.parent / "checkfirst.sqlite.corrupt-20251124T160000Z"
    assert aside.read_bytes() == damage
    assert (path.parent / f"{aside.name}-wal").read_bytes() == b"log"


def test_damage_found_by_a_statement_is_looked_into_at_the_next_start(path):
    """The schema reads well, only a table's own pages are spoilt: the first query finds it."""
    clock = FakeClock()

    async def fill():
        database = await Database.open(path, clock)
        await database.execute_many(
            "INSERT INTO wanted VALUES (?, 1.0)", [(b"%0500d" % n,) for n in range(200)]
        )
        await database.close()

    async def find():
        database = await Database.open(path, clock)
        assert database.notice == ""
        with pytest.raises(StoreError, match="damaged") as caught:
            await database.rows("SELECT count(*), max(path || '') FROM wanted")
        assert not isinstance(caught.value, PassingStoreError)
        await database.close()

    async def again():
        database = await Database.open(path, clock)
        assert "set aside" in database.notice
        assert await wanted(database) == []
        await database.close()

    asyncio.run(fill())
    with path.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(size - 12 * 4096)
        file.write(b"\xff" * 12 * 4096)
    asyncio.run(find())
    asyncio.run(again())
    assert len(list(path.parent.glob("*.corrupt-*"))) == 1


def test_two_damaged_files_in_one_second_are_both_kept(path):
    path.parent.mkdir()

    async def opened():
        await (await Database.open(path, FakeClock())).close()

    for text in (b"one " * 400, b"two " * 400):
        path.write_bytes(text)
        asyncio.run(opened())
    kept = {each.read_bytes()[:3] for each in path.parent.glob("*.corrupt-*")}
    assert kept == {b"one", b"two"}


def test_a_folder_that_is_no_folder_is_a_problem_in_words(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreError, match="cannot be opened"):
        asyncio.run(Database.open(tmp_path / "file" / "checkfirst.sqlite", FakeClock()))
    with pytest.raises(StoreError, match="cannot be"):
        asyncio.run(Database.open(tmp_path, FakeClock()))


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_a_folder_that_cannot_be_written_can_be_read_and_is_refused_in_words():
    """Nobody has it open, so there is no -shm beside it, and none can be made."""
    folder = Path(tempfile.mkdtemp())
    try:
        path = folder / "checkfirst.sqlite"

        async def fill():
            database = await Database.open(path, FakeClock())
            await database.execute("INSERT INTO counts VALUES ('released', 3)")
            await database.close()

        asyncio.run(fill())
        path.chmod(0o644)
        folder.chmod(0o755)
        done = subprocess.run(
            [sys.executable, "-c", OPEN, path],
            check=False,
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
    finally:
        shutil.rmtree(folder)
    assert done.stderr == ""
    counts, refused = done.stdout.splitlines()
    assert "released" in counts
    assert "3" in counts
    assert refused.startswith("refused The database cannot be")


async def test_a_full_disk_is_trouble_that_may_pass(database):
    """max_page_count makes SQLite say SQLITE_FULL just as a full disk does."""
    await database.execute("PRAGMA max_page_count = 1")
    with pytest.raises(PassingStoreError, match="no room"):
        await database.execute_many(
            "INSERT INTO wanted VALUES (?, 1.0)", [(b"%09999d" % n,) for n in range(99)]
        )
    await database.execute("PRAGMA max_page_count = 1000000")
    await database.execute("INSERT INTO wanted VALUES (x'61', 1.0)")
    assert await wanted(database) == [b"a"]
