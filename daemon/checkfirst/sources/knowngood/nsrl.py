"""NIST's Reference Data Set, version 3: an SQLite file of its National Software Reference Library.

Both of its forms have FILE(sha256, package_id, …) and PKG(package_id, application_type, …), as
tables in the minimal sets and as views in the full ones; hashes are upper-case hex. VERSION names
the release. It is read row after row, in whatever order it comes, so no index is needed and the
memory is small however large the file. A package may have several rows in PKG, one for each kind
and language.

The file is somebody else's, so it is opened for reading alone, no function in its views runs that
SQLite does not hold harmless, and no more is taken of a value than a hash or a number can be.
"""

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from checkfirst.errors import Problem
from checkfirst.policy.names import escape
from checkfirst.policy.products import is_no_recommendation
from checkfirst.sources.knowngood.format import shown_path
from checkfirst.sources.knowngood.hashset import Chunk, Unit, digests, unreadable

MAGIC = b"SQLite format 3\0"
_ROWS = 20_000
_PRAGMAS = ("trusted_schema = OFF", "query_only = ON", "mmap_size = 0", "automatic_index = OFF")
"""The last, as an index made for the join of a full set would be as large as the set."""
_LONGEST_ROW = 1_000_000
"""Bytes; a view can make rows of any length out of nothing."""
_MOST_KINDS = 5
_LONGEST = 60
_NEEDED = {"FILE": {"sha256", "package_id"}, "PKG": {"package_id", "application_type"}}


class Nsrl:
    """A Reference Data Set."""

    unit: Unit = "hashes"

    def __init__(self, path: Path, *, every_product: bool) -> None:
        """Open it; with `every_product` what is no recommendation is taken as well.

        Raises Problem when it is another database, or damaged.
        """
        self.name = shown_path(path)
        self._every_product = every_product
        self._kinds: set[str] = set()
        self._products = 0
        self._without_kind = 0
        self._broken = 0
        self._database = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        try:
            with self._words():
                self._database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST_ROW)
                for pragma in _PRAGMAS:
                    self._database.execute(f"PRAGMA {pragma}")
                self._must_be_one()
                self.name = self._release() or self.name
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def total(self) -> int | None:
        """How many rows there are, as nearly as is known at once."""
        for table in ("FILE", "METADATA"):
            with contextlib.suppress(sqlite3.DatabaseError):  # a view, or no such table
                found = self._database.execute(f"SELECT max(rowid) FROM {table}").fetchone()  # noqa: S608
                if found[0]:
                    return int(found[0])
        return None

    def chunks(self) -> Iterator[Chunk]:
        """All of it. Raises Problem."""
        with self._words():
            fine, unwanted = self._packages()
            rows = self._database.execute(
                "SELECT substr(sha256, 1, 65), CAST(package_id AS INTEGER) FROM FILE"
            )
            while some := rows.fetchmany(_ROWS):
                good = [sha256 for sha256, package in some if package in fine]
                bad: list[str] = []
                if len(good) < len(some):
                    bad = [sha256 for sha256, package in some if package not in fine]
                    known = sum(package in unwanted for _, package in some)
                    self._without_kind += len(bad) - known
                if self._every_product:
                    good, bad = good + bad, []
                yield Chunk(self._digests(good), self._digests(bad), len(some))

    def remarks(self) -> list[str]:
        """What was left out, or taken although it is no recommendation."""
        remarks = []
        verb = "taken as well" if self._every_product else "left out"
        if self._products:
            kinds = sorted(self._kinds)
            named = ", ".join(kinds[:_MOST_KINDS]) + (", …" if kinds[_MOST_KINDS:] else "")
            products = "product that is" if self._products == 1 else "products that are"
            text = f"{self.name}: {verb}: {self._products:,} {products} no recommendation"
            remarks.append(f"{text} ({named})")
        if self._without_kind:
            text = f"{self.name}: {verb}: {self._without_kind:,} rows of products without a kind"
            remarks.append(text)
        if self._broken:
            remarks.append(f"{self.name}: {self._broken:,} rows have no SHA-256")
        return remarks

    def _packages(self) -> tuple[set[int], set[int]]:
        """The packages whose files may be listed, and those that are no recommendation."""
        known: set[int] = set()
        unwanted: set[int] = set()
        rows = self._database.execute(
            "SELECT DISTINCT CAST(package_id AS INTEGER), CAST(application_type AS BLOB) FROM PKG"
        )
        for package, written in rows:
            known.add(package)
            kind = (written or b"").decode("utf-8", "replace")
            if is_no_recommendation(kind):
                unwanted.add(package)
                self._kinds.add(escape(kind)[:_LONGEST])
        self._products = len(unwanted)
        return known - unwanted, unwanted

    def _digests(self, written: Sequence[object]) -> list[bytes]:
        once = list(dict.fromkeys(written))  # files of many products stand one after the other
        found = digests(once)
        if found is not None:
            return found
        each = [digests([one]) if isinstance(one, str) else None for one in once]
        self._broken += sum(one is None for one in each)
        return [one[0] for one in each if one]

    def _must_be_one(self) -> None:
        for table, needed in _NEEDED.items():
            columns = {row[1] for row in self._database.execute(f"PRAGMA table_info({table})")}
            if not needed <= columns:
                raise Problem(
                    "This database is no Reference Data Set of version 3",
                    "NIST's sets from 2022 on are; unpack the zip, and give the path of the file "
                    "that ends in .db.",
                    about=self.name,
                )

    def _release(self) -> str:
        with contextlib.suppress(sqlite3.OperationalError):
            found = self._database.execute(
                "SELECT version FROM VERSION ORDER BY release_date DESC, version DESC LIMIT 1"
            ).fetchone()
            if found:
                return f"NSRL RDS {escape(str(found[0]))[:_LONGEST]}"
        return ""

    @contextlib.contextmanager
    def _words(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise unreadable(self.name, escape(str(error))) from error


def is_one(head: bytes) -> bool:
    """Whether a file that begins like this is a database."""
    return head.startswith(MAGIC)
