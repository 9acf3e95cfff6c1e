"""A source's answer as it lies in its row. Knows no connection."""

from collections.abc import Sequence
from typing import Any

from checkfirst.model import Verdict, VerdictKind
from checkfirst.store import row

COLUMNS = (
    "sha256",
    "verdict",
    "source",
    "reason",
    "detections",
    "engines",
    "report_url",
    "threats",
    "judged_at",
    "first_seen_at",
    "answered_at",
)
SELECT = f"SELECT {', '.join(COLUMNS)} FROM verdicts"  # noqa: S608  (our own names)


def verdict(found: Sequence[Any]) -> Verdict:
    """The value of a row read with `SELECT`."""
    return Verdict(
        kind=VerdictKind(found[1]),
        source=found[2],
        reason=found[3],
        detections=found[4],
        engines=found[5],
        report_url=found[6],
        threats=row.threats(found[7]),
        judged_at=found[8],
        first_seen_at=found[9],
    )
