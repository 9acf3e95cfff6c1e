"""Looks at paths in a thread, folder by folder, and waits for none of them without end.

A folder whose server is away lets a thread sleep in the kernel for as long as it likes. It keeps
that thread, and the other folders get a new one.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from checkfirst.intake.look import Asked, Looker, Result

Seen = list[tuple[Asked, Result]]

PATIENCE_SECONDS = 5.0
"""So long the files of other folders wait for one that does not answer; once."""


class Looks:
    """Made on the loop, for one life of the settling; every method is called there."""

    def __init__(
        self,
        looker: Looker,
        monotonic: Callable[[], float],
        seen: Callable[[Seen], Awaitable[None]],
        group: asyncio.TaskGroup,
    ) -> None:
        """`seen` is given what looks have led to, however late; `group` waits for late ones."""
        self._looker = looker
        self._monotonic = monotonic
        self._seen = seen
        self._group = group
        self.thread = _thread()
        """For all folders that answer."""
        self._silent: dict[bytes, ThreadPoolExecutor] = {}
        self._late = Counter[bytes]()

    async def at(self, asked: Sequence[Asked]) -> None:
        """Look at these, and hand on what was seen; comes back when patience is over."""
        by_root: dict[bytes, list[Asked]] = {}
        for one in asked:
            by_root.setdefault(one.sighting.root, []).append(one)
        for root, below in by_root.items():
            await self._at_one(root, below)

    def close(self) -> None:
        """Let all threads go when what they are at is done."""
        for thread in (self.thread, *self._silent.values()):
            thread.shutdown(wait=False, cancel_futures=True)

    async def _at_one(self, root: bytes, asked: Sequence[Asked]) -> None:
        silent = self._silent.get(root)
        look = asyncio.get_running_loop().run_in_executor(
            silent or self.thread, self._looker.look_blocking, asked, self._monotonic
        )
        if silent is None:
            done, _ = await asyncio.wait({look}, timeout=PATIENCE_SECONDS)
            if done:
                await self._seen(look.result())
                return
            self._silent[root], self.thread = self.thread, _thread()
        self._late[root] += 1
        self._group.create_task(self._when_it_answers(root, look), name="silent folder")

    async def _when_it_answers(self, root: bytes, look: asyncio.Future[Seen]) -> None:
        found = await look
        self._late[root] -= 1
        if not self._late[root]:
            del self._late[root]
            self._silent.pop(root).shutdown(wait=False)
        await self._seen(found)


def _thread() -> ThreadPoolExecutor:
    # One of its own, so that no look waits behind the hashing of a gigabyte.
    return ThreadPoolExecutor(1, thread_name_prefix="settling")
