import contextlib
import sqlite3

import pytest

from checkfirst.errors import StoreError
from checkfirst.store import migrate

FIRST = "CREATE TABLE a (x);\nINSERT INTO a VALUES (1);\n"


@pytest.fixture
def connection(tmp_path):
    with contextlib.closing(sqlite3.connect(tmp_path / "x", isolation_level=None)) as opened:
        yield opened


def tables(connection):
    return {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}


def test_a_fresh_database_gets_every_migration(connection):
    migrations = migrate.migrations_blocking()
    migrate.migrate_blocking(connection, migrations, "x")
    assert migrate.version_blocking(connection) == len(migrations) >= 1
    assert {"arrivals", "counts", "verdicts", "listed", "requests", "wanted"} <= tables(connection)


def test_only_the_missing_migrations_are_run(connection):
    migrate.migrate_blocking(connection, (FIRST,), "x")
    migrate.migrate_blocking(connection, (FIRST, "INSERT INTO a VALUES (2);"), "x")
    migrate.migrate_blocking(connection, (FIRST, "INSERT INTO a VALUES (2);"), "x")
    assert connection.execute("SELECT x FROM a").fetchall() == [(1,), (2,)]


def test_a_migration_that_fails_half_way_leaves_nothing_behind(connection):
    migrate.migrate_blocking(connection, (FIRST,), "x")
    failing = "CREATE TABLE b (x);\nDELETE FROM a;\nINSERT INTO nowhere VALUES (1);"
    with pytest.raises(sqlite3.OperationalError, match="nowhere"):
        migrate.migrate_blocking(connection, (FIRST, "CREATE TABLE c (x);", failing), "x")
    assert migrate.version_blocking(connection) == 1
    assert tables(connection) == {"a"}
    assert connection.execute("SELECT x FROM a").fetchall() == [(1,)]
    assert not connection.in_transaction


def test_a_newer_database_is_refused_by_both_versions(connection):
    connection.execute("PRAGMA user_version = 7")
    with pytest.raises(StoreError, match=r"schema 7.*none above 1"):
        migrate.migrate_blocking(connection, (FIRST,), "x")
    assert tables(connection) == set()


def test_triggers_and_comments_are_not_cut_in_pieces():
    script = (
        "-- one; two\nCREATE TABLE a (x); -- tail\n"
        "CREATE TRIGGER t AFTER INSERT ON a BEGIN\n  DELETE FROM a;\n  SELECT 1;\nEND;\n"
    )
    found = list(migrate.statements(script))
    assert [" ".join(each.split())[:24] for each in found[:2]] == [
        "-- one; two CREATE TABLE",
        "CREATE TRIGGER t AFTER I",
    ]
    assert found[1].rstrip().endswith("END;")


def test_a_last_statement_without_its_semicolon_counts_and_white_space_does_not():
    assert list(migrate.statements(FIRST + "DELETE FROM a")) == [
        *migrate.statements(FIRST),
        "DELETE FROM a",
    ]
    assert list(migrate.statements(FIRST + " \n")) == list(migrate.statements(FIRST))
