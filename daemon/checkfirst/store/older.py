"""An older database seen as the newest, by a reader that may not migrate it.

Commands that only read come before the first start of a new version, and beside a daemon that has
not been restarted yet. Views of the connection's own stand before the tables that have changed
since; nothing is written to the file. A migration that changes a table which such commands read
has an entry here.
"""

import sqlite3
from typing import Final

_SINCE: Final = {
    2: {
        "verdicts": "SELECT *, NULL AS first_seen_at FROM main.verdicts",
        "submissions": "SELECT *, NULL AS size, NULL AS name FROM main.submissions",
        "second_looks": (
            "SELECT NULL AS sha256, NULL AS ended_at, NULL AS said, NULL AS due_at,"
            " NULL AS looked_at, NULL AS trouble WHERE 0"
        ),
        "allowances": (
            "SELECT NULL AS account, NULL AS per_minute, NULL AS per_day, NULL AS per_month,"
            " NULL AS learned_at WHERE 0"
        ),
    },
    3: {
        "arrivals": "SELECT *, NULL AS origin_url FROM main.arrivals",
        "listed": (
            "SELECT sha256 AS hash, list, origin, note, added_at, expires_at FROM main.listed"
        ),
    },
    7: {"stretches": "SELECT DISTINCT id >> 12 AS number FROM main.arrivals"},
}
"""What each migration brought, as a reader sees it who looks at a database without it."""


def look_newest_blocking(connection: sqlite3.Connection, version: int) -> None:
    """Make this connection see a database of that version as the newest."""
    views = {
        table: select
        for number, tables in _SINCE.items()
        if number > version
        for table, select in tables.items()
    }
    if views:
        connection.execute("PRAGMA temp_store = MEMORY")
    for table, select in views.items():
        connection.execute(f"CREATE TEMP VIEW {table} AS {select}")
