"""Blocking work on a folder, in a thread of that folder's own, waited for with limited patience.

A network folder whose server is away lets a thread sleep in the kernel for as long as it likes.
It must take neither the threads of other folders with it nor the news that something is wrong.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from checkfirst.watch.root import WatchProblem

T = TypeVar("T")


class NoAnswerError(WatchProblem):
    """The disk or server behind the folder does not answer."""

    def __init__(self, folder: str) -> None:
        super().__init__(
            "The watched folder does not answer",
            "Is its disk or server there? Nothing is noticed in it until it answers again.",
            about=folder,
        )


class Patience:
    """For one folder; every method is called on the loop."""

    def __init__(self, folder: str, seconds: float) -> None:
        """`folder` as it is to be shown."""
        self._folder = folder
        self._seconds = seconds
        self._quick = ThreadPoolExecutor(1, thread_name_prefix="watched folder")
        self._long = ThreadPoolExecutor(1, thread_name_prefix="look into folder")
        self._looking = 0
        self.is_over = False
        """Nothing more may be asked."""

    @property
    def is_looking(self) -> bool:
        """Whether a look has begun, or waits to, and has not ended."""
        return self._looking > 0

    async def ask(self, work: Callable[[], T]) -> T:
        """What the work gives, which is quick; NoAnswerError when it takes too long all the same.

        Work that has begun goes on in its thread, and what is asked for next comes after it.
        """
        future = asyncio.get_running_loop().run_in_executor(self._quick, work)
        done, _ = await asyncio.wait({future}, timeout=self._seconds)
        if not done:
            future.cancel()
            raise NoAnswerError(self._folder)
        return future.result()

    async def look(
        self, work: Callable[[], T], then: Callable[["asyncio.Future[T]"], None]
    ) -> None:
        """Let it be looked at, which may take as long as it does; its end is told to `then`.

        Comes back at the end, or when patience is over.
        """
        future = asyncio.get_running_loop().run_in_executor(self._long, work)
        self._looking += 1
        future.add_done_callback(self._looked)
        future.add_done_callback(then)
        await asyncio.wait({future}, timeout=self._seconds)

    def close(self) -> None:
        """Let the threads go when their work is done."""
        self.is_over = True
        for threads in (self._quick, self._long):
            threads.shutdown(wait=False, cancel_futures=True)

    def _looked(self, _: "asyncio.Future[T]") -> None:
        self._looking -= 1
