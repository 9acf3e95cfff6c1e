"""Which lane a file goes by, so that none waits behind one of another size.

The many are taken in batches, the large and the huge one at a time. Whoever puts waits while a lane
is full.
"""

import asyncio
import resource

from checkfirst.intake.look import Settled
from checkfirst.service.hashing import LARGE_BYTES
from checkfirst.service.work import Work
from checkfirst.vault.folder import MOST_FOLDERS

SMALL_LANES = 3
"""While one is moved by a second process, the others are journalled."""
LARGE_LANES = 2
BATCH_FILES = 480
"""Files in one batch, if there may be so many descriptors: each has one open, and so have some of
their folders. The larger, the fewer commits of the journal, for each of which all renames wait."""
OTHER_DESCRIPTORS = 256
"""Left free for everything else."""
WANTED_DESCRIPTORS = OTHER_DESCRIPTORS + SMALL_LANES * (BATCH_FILES + MOST_FOLDERS)
BATCH_BYTES = 64 * 1024 * 1024
HUGE_BYTES = 1024 * 1024 * 1024
"""Takes seconds to many minutes."""

Item = Settled | Work


class Lanes:
    """What waits before each; every method is called on the loop."""

    def __init__(self) -> None:
        self._batch = batch_files(descriptors())
        self._small: asyncio.Queue[Item] = asyncio.Queue(4 * BATCH_FILES)
        self._large: asyncio.Queue[Item] = asyncio.Queue(4 * BATCH_FILES)
        self._huge: asyncio.Queue[Item] = asyncio.Queue(4 * BATCH_FILES)

    async def put(self, item: Item) -> None:
        """Add it to those of its size."""
        size = _size(item)
        huge_or_large = self._huge if size >= HUGE_BYTES else self._large
        await (huge_or_large if size >= LARGE_BYTES else self._small).put(item)

    async def small(self) -> list[Item]:
        """Wait for one, then take what is there, up to a batch."""
        batch = [await self._small.get()]
        size = _size(batch[0])
        while len(batch) < self._batch and size < BATCH_BYTES and not self._small.empty():
            batch.append(self._small.get_nowait())
            size += _size(batch[-1])
        return batch

    async def large(self) -> Item:
        """Wait for one of 8 MiB or more."""
        return await self._large.get()

    async def huge(self) -> Item:
        """Wait for one of 1 GiB or more."""
        return await self._huge.get()


def descriptors() -> int:
    """How many this process may have open, having asked for what is wanted.

    The usual soft limit, 1,024, is for programs that use select(2), which cannot see more; those
    that do not are to raise it themselves (systemd.exec(5), LimitNOFILE=). Nothing here does.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= WANTED_DESCRIPTORS:
        return soft
    most = WANTED_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(WANTED_DESCRIPTORS, hard)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    except (ValueError, OSError):  # a container's or macOS's own bound
        return soft
    return most


def batch_files(descriptors: int) -> int:
    """How many files may be in one batch of each lane where there may be so many descriptors."""
    if descriptors == resource.RLIM_INFINITY:
        return BATCH_FILES
    each = (descriptors - OTHER_DESCRIPTORS) // SMALL_LANES
    return max(1, min(BATCH_FILES, each - MOST_FOLDERS))


def _size(item: Item) -> int:
    return item.stamp.size if isinstance(item, Settled) else item.arrival.size or 0
