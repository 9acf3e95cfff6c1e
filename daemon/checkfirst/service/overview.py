"""The answer to `checkfirst status`: what the daemon wrote, what the journal holds, in one value.

Reads through what it is given and opens nothing itself. Light to import, and the one place where
the keys of JSON output are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from checkfirst.clock import iso
from checkfirst.model import (
    OPEN_STATES,
    Arrival,
    FolderHealth,
    Outlook,
    SourceHealth,
    State,
)
from checkfirst.policy.names import escape, show
from checkfirst.policy.quota import Limits
from checkfirst.service.status import Snapshot
from checkfirst.store.reading import Reading
from checkfirst.store.second_looks import Looks
from checkfirst.store.submissions import Sent

MOST_LEFT = 50
"""So many files that could not be taken are told one by one."""

_WAITING = frozenset({State.HOLDING, State.HELD, State.WAITING})


@dataclass(frozen=True, slots=True)
class Spent:
    """Requests of one span; `limit` None: no limit."""

    used: int
    limit: int | None


@dataclass(frozen=True, slots=True)
class Overview:
    """All that status tells."""

    pid: int | None
    """None when no daemon runs."""
    mode: str
    watching: tuple[FolderHealth, ...]
    counts: Mapping[str, int]
    waiting: tuple[Arrival, ...]
    """Oldest first, each with the reason and the moment as the daemon sees them now."""
    quota: Mapping[str, Spent]
    sources: tuple[SourceHealth, ...]
    last_verdict_at: float | None
    problems: tuple[str, ...]
    second_look: Looks
    unfinished: int
    """Files on their way, those that have not settled included."""
    note: str | None = None
    """What a person has to know of the choice of sources."""

    @property
    def state(self) -> str:
        """`running`, `degraded` (there is a problem to read) or `stopped`."""
        if self.pid is None:
            return "stopped"
        return "degraded" if self.problems else "running"

    def to_json(self) -> dict[str, object]:
        """As `status --json` prints it; keys are a promise."""
        return {
            "state": self.state,
            "pid": self.pid,
            "mode": self.mode,
            "watching": [
                {
                    "path": show(folder.path),
                    "watcher": folder.watcher,
                    "healthy": folder.healthy,
                    "moves": folder.moves,
                    "leases": folder.leases,
                    "folders_not_looked_into": folder.folders_not_looked_into,
                    "folders_left_out": folder.folders_left_out,
                }
                for folder in self.watching
            ],
            "counts": dict(self.counts),
            "waiting": [
                {
                    "id": str(each.id),
                    "name": show(each.name),
                    "reason": each.reason,
                    "until": iso(each.until),
                }
                for each in self.waiting
            ],
            "quota": {
                span: {"used": spent.used, "limit": spent.limit}
                for span, spent in self.quota.items()
            },
            "sources": [
                {
                    "name": source.name,
                    "asked": source.asked,
                    "answered": source.answered,
                    "healthy": source.healthy,
                    "mean_seconds": source.mean_seconds,
                    "problem": escape(source.problem) if source.problem else None,
                }
                for source in self.sources
            ],
            "last_verdict_at": iso(self.last_verdict_at),
            "problems": list(self.problems),
            "note": self.note,
            "second_look": {
                "files": self.second_look.number,
                "next_at": iso(self.second_look.next_at),
            },
        }


def overview(
    reading: Reading,
    snapshot: Snapshot | None,
    pid: int | None,
    mode: str,
    limits: Limits,
    now: float,
    *,
    disk: str | None = None,
) -> Overview:
    """Put it together; raises StoreError.

    `mode` is what the settings say. `pid` is what the lock says: a snapshot of another process is
    of a daemon that is no more, and one that starts has not written any yet. `disk` is what the
    disk says that the daemon could not.
    """
    current = snapshot if snapshot and pid is not None and pid in (0, snapshot.pid) else None
    counts = reading.counts()
    used = reading.quota(now)
    left = [each for each in reading.unfinished() if each.state is State.LEFT]
    open_rows = sum(number for state, number in counts.items() if state in OPEN_STATES)
    return Overview(
        pid=pid,
        mode=current.mode if current else mode,
        watching=current.watching if current else (),
        counts={
            "held": counts.get(State.HOLDING, 0) + counts.get(State.HELD, 0),
            "waiting": counts.get(State.WAITING, 0),
            "released": counts.get(State.RELEASED, 0),
            "quarantined": counts.get(State.QUARANTINED, 0),
        },
        waiting=tuple(with_outlook(_waiting(reading, current), current)),
        quota={
            "minute": Spent(used.minute, limits.per_minute or None),
            "day": Spent(used.day, limits.per_day or None),
            "month": Spent(used.month, limits.per_month or None),
        },
        sources=current.sources if current else (),
        last_verdict_at=reading.last_verdict_at(),
        problems=tuple(_problems(disk, current, left, reading.troubles())),
        second_look=reading.second_looks(),
        unfinished=open_rows + (current.settling if current else 0),
        note=escape(current.note) if current and current.note else None,
    )


def _waiting(reading: Reading, snapshot: Snapshot | None) -> list[Arrival]:
    """Oldest first; a file that is only being read has not come as far as waiting."""
    rows = {row.id: row for row in reading.waiting()}
    for each in snapshot.hashing if snapshot else ():
        if each.id not in rows and (row := reading.by_id(each.id)) and row.state in _WAITING:
            rows[row.id] = row
    return sorted(rows.values(), key=lambda row: row.id)


def with_outlook(rows: Sequence[Arrival], snapshot: Snapshot | None) -> list[Arrival]:
    """Waiting rows with why and until when, as far as the daemon has told."""
    outlook: dict[str | None, Outlook] = (
        {each.sha256: each for each in snapshot.outlook} if snapshot else {}
    )
    hashing = {each.id: each for each in snapshot.hashing} if snapshot else {}
    told = []
    for row in rows:
        if row.state in _WAITING and (hashed := hashing.get(row.id)):
            told.append(row._replace(reason=hashed.words, until=None))
        elif row.state in _WAITING and (look := outlook.get(row.sha256)):
            told.append(row._replace(reason=look.reason, until=look.until))
        else:
            told.append(row)
    return told


def row_json(row: Arrival) -> dict[str, object]:
    """A file as `history`, `quarantine list` and `why` print it; keys are a promise."""
    return {
        "id": str(row.id),
        "name": show(row.name),
        "origin": show(row.origin),
        "sha256": row.sha256,
        "size": row.size,
        "state": row.state.value,
        "verdict": row.verdict.value if row.verdict else None,
        "source": row.source,
        "reason": row.reason,
        "detections": row.detections,
        "engines": row.engines,
        "report_url": row.report_url,
        "destination": show(row.destination) if row.destination is not None else None,
        "arrived_at": iso(row.arrived_at),
        "decided_at": iso(row.decided_at),
        "until": iso(row.until),
        "submitted_at": iso(row.submitted_at),
        "origin_url": row.origin_url,
    }


def sent_json(sent: Sent, row: Arrival | None) -> dict[str, object]:
    """An upload as `history --submitted` prints it, with the keys of a file.

    Of what was uploaded by `checkfirst check` there is no file in the journal.
    """
    known = row or Arrival(0, State.GONE, b"", sent.name or b"", sha256=sent.sha256, size=sent.size)
    facts = row_json(known._replace(submitted_at=sent.submitted_at))
    unknown = {"id", "origin", "state"} if row is None else set()
    return {key: None if key in unknown else value for key, value in facts.items()}


def second_look_json(looks: Looks) -> dict[str, object]:
    """The second look at one file, as `why` prints it."""
    return {
        "next_at": iso(looks.next_at),
        "last_at": iso(looks.last_at),
        "said": looks.said.value if looks.said else None,
    }


def _problems(
    disk: str | None,
    snapshot: Snapshot | None,
    left: Sequence[Arrival],
    troubles: Sequence[str],
) -> dict[str, None]:
    """In order and each once; a dictionary for the sake of both."""
    found: list[str | None] = [disk, *troubles]
    if snapshot:
        found += snapshot.problems
        found += [folder.problem for folder in snapshot.watching]
        found += [source.problem for source in snapshot.sources if not source.healthy]
    found += [
        f"{show(row.name)} could not be taken: {row.reason or 'nobody knows why'}"
        for row in left[:MOST_LEFT]
    ]
    if len(left) > MOST_LEFT:
        found.append(f"{len(left) - MOST_LEFT} more files could not be taken")
    return dict.fromkeys(escape(each) for each in found if each)
