import sqlite3
import tracemalloc
from contextlib import closing

import pytest

from checkfirst.errors import Problem
from checkfirst.sources.knowngood.nsrl import Nsrl
from tests.sources.knowngood.made import digests
from tests.sources.knowngood.rds import Product, full, minimal

OFFICE, TOOL, HIDING, SYSTEM, UNTYPED = (digests(5, first=10 * n) for n in range(5))
SHARED = digests(3, first=100)
PRODUCTS = [
    Product(("Office Suite",), tuple(OFFICE + SHARED)),
    Product(("Hacker Tool",), tuple(TOOL + SHARED)),
    Product(("Encryption", "Steganography"), tuple(HIDING)),
    Product(("Operating System",), tuple(SYSTEM)),
    Product((), tuple(UNTYPED)),
]


@pytest.fixture(params=[minimal, full], ids=["minimal", "full"])
def path(request, tmp_path):
    return request.param(tmp_path / "RDS.db", PRODUCTS)


def read(path, *, every_product=False):
    with closing(Nsrl(path, every_product=every_product)) as nsrl:
        good, bad, size = set(), set(), 0
        for chunk in nsrl.chunks():
            good.update(chunk.good)
            bad.update(chunk.bad)
            size += chunk.size
        assert size == (nsrl.total() or 0)
        return nsrl, good, bad


def test_products_that_are_no_recommendation_are_kept_apart(path):
    nsrl, good, bad = read(path)
    assert good == {*OFFICE, *SYSTEM, *SHARED}
    assert bad == {*TOOL, *HIDING, *SHARED, *UNTYPED}
    assert nsrl.name == "NSRL RDS 2026.03.1"
    first, second = nsrl.remarks()
    assert first.endswith("left out: 2 products that are no recommendation "
                          "(Hacker Tool, Steganography)")  # fmt: skip
    assert "rows of products without a kind" in second
    assert ("10 rows" if path.stat().st_size and "FILE" in tables(path) else "5 rows") in second


def tables(path):
    with closing(sqlite3.connect(path)) as database:
        rows = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        return {name for (name,) in rows}


def test_every_product_is_taken_when_that_is_wished_for_and_told(path):
    nsrl, good, bad = read(path, every_product=True)
    assert good == {*OFFICE, *TOOL, *HIDING, *SYSTEM, *SHARED, *UNTYPED}
    assert bad == set()
    assert "taken as well: 2 products" in nsrl.remarks()[0]


def test_it_is_read_in_pieces_and_each_file_of_a_piece_once(tmp_path):
    many = digests(12_000)
    path = minimal(tmp_path / "RDS.db", [Product(("Game",), tuple(many))])
    with closing(Nsrl(path, every_product=False)) as nsrl:
        chunks = list(nsrl.chunks())
    assert [chunk.size for chunk in chunks] == [20_000, 4_000]
    assert sorted(one for chunk in chunks for one in chunk.good) == sorted(many)


@pytest.mark.parametrize(
    "value", [None, 5, b"\xff", "", "not hex", "ab" * 31, "ab" * 33, "AB" * 20]
)
def test_rows_without_a_sha256_are_passed_over_and_told(tmp_path, value):
    path = minimal(tmp_path / "RDS.db", PRODUCTS)
    with closing(sqlite3.connect(path)) as database:
        database.executescript(
            "ALTER TABLE FILE RENAME TO OLD; DROP VIEW DISTINCT_HASH;"
            "CREATE TABLE FILE (sha256, package_id); INSERT INTO FILE SELECT sha256, package_id"
            " FROM OLD;"
        )
        database.execute("INSERT INTO FILE VALUES (?, 1)", (value,))
        database.commit()
    nsrl, good, _ = read(path)
    assert good == {*OFFICE, *SYSTEM, *SHARED}
    assert "1 rows have no SHA-256" in nsrl.remarks()[-1]


@pytest.mark.parametrize("what", ["hash", "package"])
def test_rows_of_any_length_do_not_fill_the_memory(tmp_path, what):
    long = {"hash": "zeroblob(900000), 1", "package": "'ab', zeroblob(900000)"}[what]
    numbers = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 2000)"
    path = tmp_path / "RDS.db"
    with closing(sqlite3.connect(path)) as database:
        database.executescript(
            f"CREATE VIEW FILE (sha256, package_id) AS {numbers} SELECT {long} FROM n;"
            "CREATE TABLE PKG (package_id, application_type); INSERT INTO PKG VALUES (1, 'Game');"
        )
    tracemalloc.start()
    try:
        with closing(Nsrl(path, every_product=False)) as nsrl:
            found = [one for chunk in nsrl.chunks() for one in (*chunk.good, *chunk.bad)]
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found == []
    assert nsrl.remarks()
    assert most < 20_000_000


def test_a_row_longer_than_any_true_one_is_a_problem(tmp_path):
    path = tmp_path / "RDS.db"
    with closing(sqlite3.connect(path)) as database:
        database.executescript(
            "CREATE VIEW FILE (sha256, package_id) AS SELECT zeroblob(1000000000), 1;"
            "CREATE TABLE PKG (package_id, application_type); INSERT INTO PKG VALUES (1, 'Game');"
        )
    with pytest.raises(Problem, match="too big"):
        read(path)


def test_a_short_and_a_long_one_do_not_make_two(tmp_path):
    path = minimal(tmp_path / "RDS.db", [Product(("Game",), ())])
    with closing(sqlite3.connect(path)) as database:
        for text in ("ab" * 31, "cd" * 33):
            database.execute("INSERT INTO FILE VALUES (?, '', '', '', '', 1, 1)", (text,))
        database.commit()
    _, good, bad = read(path)
    assert (good, bad) == (set(), set())


def test_another_database_is_refused(tmp_path):
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE FILE (sha1 TEXT, ProductCode INTEGER)")
    with pytest.raises(Problem, match="no Reference Data Set"):
        Nsrl(path, every_product=False)


def test_a_torn_one_is_a_problem_in_words(path):
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (size // 2))
    with pytest.raises(Problem, match="cannot be read"):
        read(path)


def test_one_that_is_no_database_after_all(tmp_path):
    path = tmp_path / "x.db"
    path.write_bytes(b"SQLite format 3\0" + b"x" * 5000)
    with pytest.raises(Problem, match="cannot be read"):
        Nsrl(path, every_product=False)


def test_a_release_and_kinds_that_are_hostile_are_shown_safely(tmp_path):
    path = minimal(tmp_path / "RDS.db", [Product(("\x1b[2JHacker Tool" + "x" * 500,), ())])
    with closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE VERSION SET version = version || char(10) || '\x1b[31m'")
        database.execute(
            "INSERT INTO PKG VALUES (9, '', '', 1, 1, '', CAST(x'ff4861636b657200' AS TEXT))"
        )
        database.commit()
    nsrl, _, _ = read(path)
    assert nsrl.name.isprintable()
    assert "".join(nsrl.remarks()).isprintable()
    assert len(nsrl.remarks()[0]) < 300


def test_the_database_is_only_read(path):
    before = path.read_bytes()
    read(path)
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_it_is_read_from_one_end_to_the_other_without_any_index_of_its_own(path):
    with closing(Nsrl(path, every_product=False)) as nsrl:
        plan = nsrl._database.execute("EXPLAIN QUERY PLAN SELECT sha256, package_id FROM FILE")
        steps = [row[-1] for row in plan]
    assert steps[0].startswith("SCAN")
    assert not any("AUTOMATIC" in step or "TEMP" in step for step in steps)
