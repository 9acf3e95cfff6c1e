"""The database as the short commands see it: read-only, synchronous, quick to start.

Works beside a running daemon and without one; where there is no database yet, nothing is found.
"""

import os
from collections.abc import Collection, Sequence

from checkfirst.model import Arrival, State, Verdict, VerdictKind
from checkfirst.policy import quota
from checkfirst.policy.names import show
from checkfirst.policy.quota import Limits
from checkfirst.store import answer, row
from checkfirst.store import listed as entry
from checkfirst.store.allowances import SELECT as TOLD
from checkfirst.store.reader import Reader
from checkfirst.store.second_looks import Looks
from checkfirst.store.submissions import Sent
from checkfirst.store.usage import DAY, RECENT, Usage, month_of

_HEX = frozenset("0123456789abcdef")
_SHORTEST_PREFIX = 6


class Reading(Reader):
    """A database to look into; raises StoreError where it is there and cannot be read."""

    def history(
        self, limit: int, states: Collection[State] | None = None, since: float | None = None
    ) -> list[Arrival]:
        """The newest rows, newest first; where given, only those in `states` or arrived `since`."""
        late = "" if since is None else "arrived_at >= ?"
        args = (limit,) if since is None else (since, limit)
        if states is None:
            where = f"WHERE {late} " if late else ""
            return self._arrivals(f"{where}ORDER BY id DESC LIMIT ?", args)
        names = ", ".join(f"'{state.value}'" for state in sorted(states))
        # Released ones are most of the newest anyhow; the others have an index.
        shelves = ", ".join(f"'{shelf}'" for shelf in sorted({str(row.shelf(s)) for s in states}))
        few = "" if State.RELEASED in states else f"shelf IN ({shelves}) AND "
        late = f" AND {late}" if late else ""
        rest = f"WHERE {few}state IN ({names}){late} ORDER BY id DESC LIMIT ?"
        return self._arrivals(rest, args)

    def quarantined(self) -> list[Arrival]:
        """All that lies in the quarantine, newest first."""
        return self.history(-1, {State.QUARANTINED})

    def waiting(self) -> list[Arrival]:
        """All that is held without an outcome yet, oldest first."""
        return self._arrivals(f"WHERE {row.IS_WAITING} ORDER BY +id")

    def unfinished(self) -> list[Arrival]:
        """All with something still to do, those that could not be taken included, oldest first."""
        return self._arrivals(f"WHERE {row.IS_UNFINISHED} ORDER BY +id")

    def by_id(self, number: int) -> Arrival | None:
        """One row."""
        found = self._arrivals("WHERE id = ?", (number,))
        return found[0] if found else None

    def find(self, text: str, limit: int = 1000) -> list[Arrival]:
        """What a person may mean: the first kind of match that finds any, newest first.

        In this order: an id; a path or a name, raw or as shown; six or more digits of a SHA-256; a
        glob over the names as shown.
        """
        return (
            self._by_number(text)
            or self._by_name(text, limit)
            or self._by_hash(text.lower(), limit)
            or self._by_glob(text, limit)
        )

    def counts(self) -> dict[State, int]:
        """How many rows are in each state; a state with none is left out."""
        found = self._rows("SELECT state, rows FROM counts WHERE rows > 0")
        return {State(state): rows for state, rows in found}

    def last_verdict_at(self) -> float | None:
        """When a file was last decided on."""
        found = self._rows("SELECT max(decided_at) FROM arrivals WHERE decided_at IS NOT NULL")
        return found[0][0] if found else None

    def quota(self, now: float) -> Usage:
        """What is used of the quota."""
        recent = self._rows(RECENT, (now - quota.WINDOW,))
        day = self._rows(DAY, (quota.day_of(now),))
        month = self._rows(DAY, (month_of(now),))
        minute = sum(at + quota.WINDOW > now for _, at in recent)
        return Usage(minute, day[0][0] if day else 0, month[0][0] if month else 0)

    def allowance(self, account: str | None) -> Limits | None:
        """What VirusTotal has told of an account."""
        if account is None:
            return None
        found = self._rows(TOLD, (account,))
        return Limits(*found[0]) if found else None

    def listed(self, hash_: str) -> entry.Listed | None:
        """The entry on one of the user's lists, expired or not."""
        found = self._rows(f"{entry.SELECT} WHERE hash = ?", (hash_,))
        return entry.listed(found[0]) if found else None

    def all_listed(self, name: entry.ListName) -> list[entry.Listed]:
        """One of the lists, oldest entry first, expired ones included."""
        found = self._rows(f"{entry.SELECT} WHERE list = ? ORDER BY added_at, hash", (name.value,))
        return [entry.listed(each) for each in found]

    def with_hash(self, sha256: str, states: Collection[State]) -> list[Arrival]:
        """The files with exactly these bytes that are in these states, newest first."""
        found = self._arrivals(
            f"WHERE {row.IN_STRETCHES} AND sha256 = ? ORDER BY +id DESC", (sha256,)
        )
        return [row for row in found if row.state in states]

    def remembered(self, sha256: str) -> tuple[Verdict, float] | None:
        """The last answer for a hash and the moment it was given."""
        found = self._rows(f"{answer.SELECT} WHERE sha256 = ?", (sha256,))
        return (answer.verdict(found[0]), found[0][-1]) if found else None

    def submitted(self, limit: int) -> list[tuple[Sent, Arrival | None]]:
        """What was uploaded, the latest first, each with the last file of these bytes if any."""
        found = self._rows(
            "SELECT sha256, submitted_at, size, name FROM submissions"
            " ORDER BY submitted_at DESC, sha256 LIMIT ?",
            (limit,),
        )
        sent = [Sent(*each) for each in found]
        return [(each, next(iter(self._by_hash(each.sha256, 1)), None)) for each in sent]

    def second_looks(self) -> Looks:
        """What is promised in all."""
        found = self._rows(
            "SELECT count(*), min(due_at) FROM second_looks WHERE due_at IS NOT NULL"
        )
        number, next_at = found[0] if found else (0, None)
        return Looks(number, next_at)

    def second_look(self, sha256: str) -> Looks | None:
        """What is promised for one hash, and what came of it."""
        found = self._rows(
            "SELECT due_at IS NOT NULL, due_at, looked_at, said FROM second_looks WHERE sha256 = ?",
            (sha256,),
        )
        if not found:
            return None
        is_open, next_at, last_at, said = found[0]
        return Looks(is_open, next_at, last_at, VerdictKind(said))

    def troubles(self) -> list[str]:
        """What a person must see to since a second look, the latest first."""
        found = self._rows(
            "SELECT trouble FROM second_looks WHERE trouble IS NOT NULL ORDER BY looked_at DESC"
        )
        return [text for (text,) in found]

    def _by_number(self, text: str) -> list[Arrival]:
        if not (text.isascii() and text.isdigit() and int(text) < 2**63):
            return []
        return self._arrivals("WHERE id = ?", (int(text),))

    def _by_name(self, text: str, limit: int) -> list[Arrival]:
        try:
            raw = os.fsencode(text)
        except UnicodeEncodeError:  # no file name becomes such text
            return []
        name = raw.rpartition(b"/")[2]
        shown = text.rpartition("/")[2].encode(errors="backslashreplace").decode()
        found = self._arrivals(
            f"WHERE {row.IN_STRETCHES} AND name IN (?, ?) ORDER BY +id DESC LIMIT ?",
            (show(name), shown, limit),
        )
        if name == raw:
            return found
        return [each for each in found if raw in (each.origin, each.held, each.destination)]

    def _by_hash(self, text: str, limit: int) -> list[Arrival]:
        if len(text) < _SHORTEST_PREFIX or not _HEX.issuperset(text):
            return []
        # No hexadecimal digit comes after "g".
        return self._arrivals(
            f"WHERE {row.IN_STRETCHES} AND sha256 >= ? AND sha256 < ? ORDER BY +id DESC LIMIT ?",
            (text, f"{text}g", limit),
        )

    def _by_glob(self, text: str, limit: int) -> list[Arrival]:
        if not set(text) & set("*?["):
            return []
        pattern = text.encode(errors="backslashreplace").decode()
        return self._arrivals("WHERE name GLOB ? ORDER BY id DESC LIMIT ?", (pattern, limit))

    def _arrivals(self, rest: str, args: Sequence[object] = ()) -> list[Arrival]:
        return [row.arrival(each) for each in self._rows(f"{row.SELECT} {rest}", args)]
