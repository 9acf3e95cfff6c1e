"""What interrupted work may have left behind. Nothing of it is lost; most of it mends itself."""

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from checkfirst.policy.names import show
from checkfirst.service.doctor.finding import Finding, note, ok, problem
from checkfirst.vault.quarantine import scan_blocking

OLD_SECONDS = 3600.0
"""What is younger may belong to work that goes on now."""

FRESH_SECONDS = 60.0
_MOST = 20_000
"""Entries of one folder that are looked at."""
_ENDINGS = (b".partial", b".trial")


@dataclass(frozen=True, slots=True)
class Facts:
    """Paths."""

    partial: tuple[bytes, ...] = ()
    """Unfinished copies and scratch files."""
    held_without_row: tuple[bytes, ...] = ()
    """Held files that no open row tells of."""
    without_report: tuple[bytes, ...] = ()
    """Folders of the quarantine without a report that can be read."""
    without_payload: tuple[bytes, ...] = ()


def look_at_leftovers_blocking(
    folders: Sequence[bytes],
    held: Sequence[bytes],
    quarantine: bytes,
    known: Collection[bytes],
    now: float,
) -> Facts:
    """Look; what cannot be read is told by other checks.

    `known`: paths of held files that rows told of a moment ago; what was held since then is too
    young to be told of.
    """
    without_report, without_payload = [], []
    try:
        for found in scan_blocking(quarantine):
            if found.report is None:
                without_report.append(found.folder)
            elif found.payload is None:
                without_payload.append(found.folder)
    except OSError:
        pass
    return Facts(
        tuple(path for folder in folders for path in _partial_blocking(folder, now)),
        tuple(path for folder in held for path in _unknown_blocking(folder, known, now)),
        tuple(without_report),
        tuple(without_payload),
    )


def judge_leftovers(facts: Facts) -> list[Finding]:
    """What the facts mean."""
    found = [
        note(
            f"{_files(facts.partial)} of an interrupted copy",
            "No original is lost by deleting it.",
            _named(facts.partial),
        )
        if facts.partial
        else None,
        problem(
            f"{_files(facts.held_without_row)} held that no row of the database tells of",
            "Restart checkfirst: it takes them up and judges them.",
            _named(facts.held_without_row),
        )
        if facts.held_without_row
        else None,
        note(
            "In the quarantine is a folder without a report",
            "checkfirst leaves it alone; look at it and delete it by hand.",
            _named(facts.without_report),
        )
        if facts.without_report
        else None,
        note(
            "In the quarantine is a report without its file",
            "At its start checkfirst finishes what was cut short; if this stays, the file was "
            "taken away by hand, and the folder can be deleted.",
            _named(facts.without_payload),
        )
        if facts.without_payload
        else None,
    ]
    told = [each for each in found if each is not None]
    return told or [ok("No interrupted work has left anything behind")]


def _partial_blocking(folder: bytes, now: float) -> list[bytes]:
    return [
        path
        for path in _entries_blocking(folder)
        if os.path.basename(path).startswith(b".checkfirst-")
        and path.endswith(_ENDINGS)
        and _age_blocking(path, now) > OLD_SECONDS
    ]


def _unknown_blocking(held: bytes, known: Collection[bytes], now: float) -> list[bytes]:
    return [
        path
        for slot in _entries_blocking(held)
        for path in _entries_blocking(slot)
        if path not in known and _age_blocking(path, now) > FRESH_SECONDS
    ]


def _entries_blocking(folder: bytes) -> list[bytes]:
    try:
        return [os.path.join(folder, name) for name in os.listdir(folder)[:_MOST]]
    except OSError:
        return []


def _age_blocking(path: bytes, now: float) -> float:
    """Seconds since anything about it changed; nothing for what is gone."""
    try:
        return now - os.lstat(path).st_ctime
    except OSError:
        return 0.0


def _files(paths: Sequence[bytes]) -> str:
    return "There is 1 file" if len(paths) == 1 else f"There are {len(paths)} files"


def _named(paths: Sequence[bytes]) -> str:
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    return f"{show(paths[0])}{more}"
