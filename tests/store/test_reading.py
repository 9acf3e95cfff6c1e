import asyncio
import contextlib
import os
import random
import re
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from checkfirst.errors import StoreError
from checkfirst.model import Arrival, Risk, State, Verdict, VerdictKind
from checkfirst.policy.quota import Limits
from checkfirst.store.allowances import Allowances
from checkfirst.store.database import Database
from checkfirst.store.journal import Journal
from checkfirst.store.ledger import Ledger
from checkfirst.store.listed import Listed, ListedBy, ListName
from checkfirst.store.lists import Lists
from checkfirst.store.problem import PassingStoreError
from checkfirst.store.reading import Reading
from checkfirst.store.remembered import Remembered
from checkfirst.store.second_looks import SecondLooks
from checkfirst.store.submissions import Sent, Submissions
from checkfirst.store.usage import Usage
from checkfirst.store.whereabouts import whereabouts
from tests.fakes.clock import FakeClock

READS_ALL = re.compile(
    r"SCAN (arrivals|a)\b(?! USING INDEX arrivals_waiting)|AUTOMATIC"
    r"|arrivals_(sha256|name)(?! \(<expr>=\?)"
)
"""A step of a query that goes through the whole table, or through the whole of an index of it."""

CLEAN = Verdict(VerdictKind.CLEAN, "virustotal", "0 of 60", threats=("x",))


def row(number, state=State.RELEASED, name=b"file", **more):
    return Arrival(id=number, state=state, root=b"/w", origin=b"/w/" + name, **more)


ROWS = [
    row(1, State.RELEASED, b"report.pdf", sha256="aabbcc" + "0" * 58, decided_at=5.0),
    row(2, State.QUARANTINED, b"setup.exe", sha256="aabbcc" + "1" * 58, decided_at=9.0),
    row(3, State.WAITING, b"report.pdf", sha256="1234567" + "2" * 57, risk=Risk.DOCUMENT),
    row(4, State.LEFT, b"\xff\n[1] x.pdf"),
    row(5, State.QUARANTINED, b"other.exe", destination=b"/q/other", decided_at=7.0),
    row(6, State.HELD, b"1", held=b"/h/1/1"),
]


def numbers(found):
    return [each.id for each in found]


@pytest.fixture(scope="module")
def filled():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a ?#%25 folder" / "checkfirst.sqlite"

        async def fill():
            clock = FakeClock()
            database = await Database.open(path, clock)
            await Journal(database, "1:1").adopt(ROWS)
            await Lists(database, clock).add(Listed("aa" * 32, ListName.ALLOW, ListedBy.USER, 1.0))
            await Remembered(database).remember("aa" * 32, CLEAN, 3.0)
            await Ledger(database, clock, Limits(0, 0, 0), 30.0).used()
            await database.close()

        asyncio.run(fill())
        yield path


@pytest.fixture
def reading(filled):
    with Reading(filled) as opened:
        yield opened


def test_where_there_is_no_database_nothing_is_found(tmp_path):
    with Reading(tmp_path / "none" / "x") as reading:
        assert reading.history(5) == reading.quarantined() == reading.waiting() == []
        assert reading.find("x") == []
        assert reading.counts() == {}
        assert reading.by_id(1) is reading.last_verdict_at() is reading.listed("x") is None
        assert reading.quota(1e9) == Usage(0, 0, 0)
        assert (reading.second_looks().number, reading.second_look("x")) == (0, None)
        assert reading.submitted(1) == reading.troubles() == []
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_comes_to_be_later_is_found(tmp_path):
    path = tmp_path / "checkfirst.sqlite"
    with Reading(path) as reading:
        path.touch()
        assert reading.counts() == {}

        async def fill():
            database = await Database.open(path, FakeClock())
            await Journal(database, "1:1").adopt(ROWS)
            await database.close()

        asyncio.run(fill())
        assert reading.counts()[State.QUARANTINED] == 2


def test_a_damaged_database_is_a_problem_in_words(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"no database " * 500)
    with Reading(path) as reading, pytest.raises(StoreError, match="damaged"):
        reading.counts()


def test_history_is_newest_first_and_can_be_narrowed(reading):
    assert numbers(reading.history(3)) == [6, 5, 4]
    assert numbers(reading.history(9, {State.QUARANTINED})) == [5, 2]
    assert numbers(reading.history(1, {State.QUARANTINED, State.LEFT})) == [5]
    assert numbers(reading.history(9, {State.RELEASED, State.WAITING})) == [3, 1]
    assert reading.history(9, {State.GONE}) == reading.history(9, set()) == []


def test_rows_come_back_as_arrivals(reading):
    assert reading.by_id(3) == ROWS[2]
    assert reading.by_id(99) is None
    assert numbers(reading.quarantined()) == [5, 2]
    assert numbers(reading.waiting()) == [3, 6]
    assert numbers(reading.unfinished()) == [3, 4, 6]
    assert reading.counts()[State.LEFT] == 1
    assert reading.last_verdict_at() == 9.0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3", [3]),
        ("1", [1]),
        ("99", []),
        ("9" * 40, []),
        ("²", []),
        ("report.pdf", [3, 1]),
        ("/w/report.pdf", [3, 1]),
        ("/elsewhere/report.pdf", []),
        ("/h/1/1", [6]),
        ("AABBCC", [2, 1]),
        ("aabbc", []),
        ("1234567", [3]),
        ("aabbcc" + "1" * 58, [2]),
        ("*.exe", [5, 2]),
        ("report*", [3, 1]),
        ("\udcff\n[1] x.pdf", [4]),
        ("\\xff\\x0a[1] x.pdf", [4]),
        ("nothing", []),
        ("", []),
        ("\ud800*", []),
        ("'; DROP TABLE arrivals; --", []),
    ],
)
def test_what_a_person_types_is_found(reading, text, expected):
    assert numbers(reading.find(text)) == expected


def test_lists_and_answers_are_read(reading):
    assert reading.listed("aa" * 32).list is ListName.ALLOW
    assert reading.remembered("aa" * 32) == (CLEAN, 3.0)
    assert reading.listed("bb" * 32) is reading.remembered("bb" * 32) is None


async def test_it_reads_beside_a_process_that_writes(database, path):
    journal = Journal(database, "1:1")
    await journal.adopt(ROWS)

    def look():
        with Reading(path) as reading:
            return reading.counts()

    def look_while_writing(connection):
        connection.execute("DELETE FROM counts")
        return look()

    assert (await database.write(look_while_writing))[State.QUARANTINED] == 2
    assert await asyncio.to_thread(look) == {}


async def test_quota_is_what_the_ledger_says(database, path, clock):
    from checkfirst.policy.quota import Limits

    ledger = Ledger(database, clock, Limits(4, 0, 0), 30.0)
    first = await ledger.acquire()
    await ledger.acquire()
    await ledger.answered(first)

    def look():
        with Reading(path) as reading:
            return reading.quota(clock.now())

    for seconds in (0.0, 61.0, 30.0):
        await clock.advance(seconds)
        assert await asyncio.to_thread(look) == await ledger.used()


def test_nothing_is_written_and_no_loop_is_imported(filled):
    before = filled.read_bytes()
    program = (
        "import sys; from pathlib import Path; from checkfirst.store.reading import Reading;"
        "r = Reading(Path(sys.argv[1])); r.history(5); r.find('*');"
        "print({'asyncio', 'aiosqlite', 'aiohttp', 'watchdog'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, filled],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert done.stdout == "set()\n"
    assert filled.read_bytes() == before


@pytest.fixture(scope="module")
def large():
    """50,000 released files, and a few of everything else."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "checkfirst.sqlite"

        async def fill():
            database = await Database.open(path, FakeClock())
            rare = [*State] * 3
            rows = [
                row(
                    0,
                    rare[n // 1000] if n % 1000 == 0 and n // 1000 < len(rare) else State.RELEASED,
                    sha256=f"{n:064x}",
                )
                for n in range(50_000)
            ]
            await Journal(database, "1:1").adopt(rows)
            await database.close()

        asyncio.run(fill())
        yield path


@pytest.mark.parametrize(
    "look",
    [
        lambda r: r.history(20),
        lambda r: r.history(20, {State.GONE}),
        lambda r: r.history(20, {State.DELETED, State.WAITING}),
        lambda r: r.history(20, {State.RELEASED}),
        lambda r: r.quarantined(),
        lambda r: r.waiting(),
        lambda r: r.unfinished(),
        lambda r: r.by_id(7),
        lambda r: r.find("7"),
        lambda r: r.find("no such name"),
        lambda r: r.find("abcdef0123"),
        lambda r: r.with_hash("ab" * 32, {State.RELEASED}),
        lambda r: r.counts(),
        lambda r: r.last_verdict_at(),
    ],
)
def test_a_question_reads_few_of_many_rows(large, look):
    """SQLite calls back after every 1,000 instructions; going through the table takes 250,000."""
    steps = []
    with Reading(large) as reading:
        reading.counts()
        reading._connection.set_progress_handler(lambda: steps.append(1), 1000)
        look(reading)
    assert len(steps) < 10


async def test_the_journal_too_reads_few_of_many_rows(large):
    statements = []

    class Listening:
        async def rows(self, sql, args=()):
            statements.append((sql, args))
            return []

        async def write(self, change):
            return change(self)

        def execute(self, sql, args=()):
            statements.append((sql, args))

    listening = Listening()
    journal = Journal(listening, "1:1")
    await journal.open_rows()
    await journal.waiting_for(["ab"])
    await journal.held_since(5.0)
    await journal.destinations([b"x"])
    await journal.get(3)
    await journal.counts()
    await journal.release_dead_claims(lambda _: True)
    await journal.given_out(["ab"])
    await whereabouts(listening, "ab")
    looks = SecondLooks(listening)
    await looks.enrol(9.0, 5.0, 1.0)
    await looks.prune()
    await looks.due(9.0, 5)
    await looks.files("ab")
    await looks.taken_since(row(3))
    await Submissions(listening).begin(Sent("ab", 1.0, 1, b"name"), "analysis")

    def plans():
        with contextlib.closing(sqlite3.connect(large)) as connection:
            for sql, args in statements:
                yield [each[3] for each in connection.execute(f"EXPLAIN QUERY PLAN {sql}", args)]

    found = await asyncio.to_thread(lambda: list(plans()))
    assert len(found) == 17
    assert [plan for plan in found if any(map(READS_ALL.search, plan))] == []


async def test_what_is_journalled_writes_as_little_with_a_long_past_as_with_a_short_one(
    database, path
):
    """Hashes and names that come in no order: pages of the log for 240 files."""
    journal = Journal(database, "1:1")
    log = path.with_name(f"{path.name}-wal")
    draw = random.Random(7)

    def some(count):
        return [
            row(0, name=draw.randbytes(12).hex().encode(), sha256=draw.randbytes(32).hex())
            for _ in range(count)
        ]

    async def pages_written():
        await database.rows("PRAGMA wal_checkpoint(TRUNCATE)")
        await journal.adopt(some(240))
        return (await asyncio.to_thread(log.stat)).st_size // 4096

    await journal.adopt(some(2000))
    short = await pages_written()
    await journal.adopt(some(10 * 4096 - 240))
    assert await pages_written() < 1.2 * short


@pytest.mark.parametrize("far", [4096, 2**40, 2**63 - 2])
async def test_a_hash_and_a_name_are_found_wherever_their_rows_lie(database, path, far):
    """Some reports.json of a quarantine that was put here name ids that lie far apart."""
    rows = [
        row(number, name=b"name", sha256="abcdef" + "0" * 58) for number in (1, far // 2, far + 1)
    ]
    await Journal(database, "1:1").adopt(rows)

    def look():
        with Reading(path) as reading:
            return [numbers(reading.find(text)) for text in ("name", "abcdef", "abcdef" + "0" * 58)]

    expected = [far + 1, far // 2, 1]
    assert await asyncio.to_thread(look) == [expected] * 3


@pytest.fixture
def small_disk(tmp_path):
    """A disk of its own; gives what fills it to the last byte."""
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", tmp_path],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"mount is not possible here: {done.stderr.strip()}")

    def fill():
        descriptor = os.open(tmp_path / "fill", os.O_WRONLY | os.O_CREAT)
        with contextlib.suppress(OSError):
            while True:
                os.write(descriptor, bytes(4096))
        os.close(descriptor)

    yield fill
    subprocess.run(["umount", "-l", tmp_path], check=True)


def test_a_database_on_a_full_disk_that_nobody_has_open_can_be_read(small_disk, tmp_path):
    path = tmp_path / "checkfirst.sqlite"

    async def write():
        database = await Database.open(path, FakeClock())
        await Journal(database, "1:1").adopt(ROWS)
        await database.close()

    asyncio.run(write())
    small_disk()
    with Reading(path) as reading:
        assert numbers(reading.quarantined()) == [5, 2]
    with pytest.raises(PassingStoreError, match="full"):
        asyncio.run(Database.open(path, FakeClock()))
    (tmp_path / "fill").unlink()
    with Reading(path) as reading:
        assert numbers(reading.quarantined()) == [5, 2]


def test_what_only_the_log_of_a_killed_daemon_tells_is_not_passed_over_on_a_full_disk(
    small_disk, tmp_path
):
    """Reading without the log would show a past that is over."""
    path = tmp_path / "checkfirst.sqlite"
    program = (
        "import asyncio, os, sys; from pathlib import Path\n"
        "from checkfirst.clock import SystemClock\n"
        "from checkfirst.store.database import Database\n"
        "async def run():\n"
        "    database = await Database.open(Path(sys.argv[1]), SystemClock())\n"
        "    await database.execute(\"INSERT INTO counts VALUES ('released', 3)\")\n"
        "    os._exit(9)\n"
        "asyncio.run(run())\n"
    )
    subprocess.run([sys.executable, "-c", program, path], check=False)
    path.with_name(f"{path.name}-shm").unlink()
    small_disk()
    with Reading(path) as reading, pytest.raises(PassingStoreError, match="full"):
        reading.counts()
    (tmp_path / "fill").unlink()
    with Reading(path) as reading:
        assert reading.counts() == {State.RELEASED: 3}


def test_a_folder_where_the_database_should_be_is_told_in_words(tmp_path):
    with Reading(tmp_path) as reading, pytest.raises(StoreError, match="cannot be read"):
        reading.counts()


def test_a_path_that_the_system_refuses_is_told_in_words(tmp_path):
    with Reading(tmp_path / ("x" * 300)) as reading, pytest.raises(StoreError) as raised:
        reading.history(1)
    assert "cannot be opened" in raised.value.title
    assert raised.value.about.startswith(str(tmp_path))


async def test_what_an_account_is_told_to_be_allowed_is_read(database, path):
    from checkfirst.policy.quota import Limits

    await Allowances(database).learn("ann", Limits(4, 500, 15500), 1.0)

    def look(account):
        with Reading(path) as reading:
            return reading.allowance(account)

    assert await asyncio.to_thread(look, "ann") == Limits(4, 500, 15500)
    assert await asyncio.to_thread(look, "bob") is await asyncio.to_thread(look, None) is None


def test_a_whole_list_is_read_and_the_files_with_a_hash(reading):
    assert [each.hash for each in reading.all_listed(ListName.ALLOW)] == ["aa" * 32]
    assert reading.all_listed(ListName.BLOCK) == []
    same = "aabbcc" + "0" * 58
    assert numbers(reading.with_hash(same, {State.RELEASED})) == [1]
    assert reading.with_hash(same, {State.QUARANTINED}) == []
