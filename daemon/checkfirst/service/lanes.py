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
BATCH_FILES = 240
"""Files in one batch, if there may be so many descriptors: each has one open, and so have some of
their folders."""
OTHER_DESCRIPTORS = 256
"""Left free for everything else."""
BATCH_BYTES = 64 * 1024 * 1024
HUGE_BYTES = 1024 * 1024 * 1024
"""Takes seconds to many minutes."""

Item = Settled | Work


class Lanes:
    """What waits before each; every method is called on the loop."""

    def __init__(self) -> None:
        self._batch = batch_files(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
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


def batch_files(descriptors: int) -> int:
    """How many files may be in one batch of each lane where there may be so many descriptors."""
    if descriptors == resource.RLIM_INFINITY:
        return BATCH_FILES
    each = (descriptors - OTHER_DESCRIPTORS) // SMALL_LANES
    return max(1, min(BATCH_FILES, each - MOST_FOLDERS))


def _size(item: Item) -> int:
    return item.stamp.size if isinstance(item, Settled) else item.arrival.size or 0
