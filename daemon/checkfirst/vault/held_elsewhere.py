"""Whether a held file is missing because the held folder is, with its disk.

An empty mount point, or a folder that took the watched one's place, may have got a held folder of
its own meanwhile; then the device tells that it is another.
"""

import os
import stat

from checkfirst.model import Arrival


def is_held_elsewhere_blocking(row: Arrival) -> bool:
    """Whether the file may lie in another held folder than the one that is there now, if any."""
    if row.held is None:
        return False
    try:
        there = os.stat(os.path.dirname(os.path.dirname(row.held)))
    except OSError:
        return True
    # Until it was held and identified, the row has the device of the folder it came to.
    is_known = row.held_at is not None and row.dev is not None
    return not stat.S_ISDIR(there.st_mode) or (is_known and there.st_dev != row.dev)
