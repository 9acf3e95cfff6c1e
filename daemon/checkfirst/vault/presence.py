"""Whether a folder of the quarantine is missing because the quarantine itself is, with its disk.

An empty mount point looks like an emptied quarantine, and what was stopped since may lie in it. So
the quarantine counts as there only while something lies in it that came on that day or earlier.
"""

import os
import re
from typing import Final

_DAY: Final = re.compile(rb"\d{4}-\d{2}-\d{2} ")
"""How the names of its folders begin, see `policy.names.quarantine_folder`."""


def is_away_blocking(folder: bytes) -> bool:
    """Whether the folder may lie in another quarantine than the one that is there now."""
    if os.path.lexists(folder):
        return False
    quarantine, name = os.path.split(folder)
    try:
        there = os.listdir(quarantine)
    except OSError:
        return True
    day = _DAY.match(name)
    return not any(
        found and (day is None or found[0] <= day[0]) for found in map(_DAY.match, there)
    )
