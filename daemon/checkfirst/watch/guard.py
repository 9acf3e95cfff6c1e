"""One watched folder kept watched: its hints followed, its health looked after, swept, polled.

An event is a hint, a scan is the truth. So besides the observer there is a full sweep at start,
after an overflow, after the folder was opened anew and every so often; and since threads that run
prove nothing, every few seconds the path is checked to be still the folder that was opened.
"""

import asyncio
import contextlib
import logging
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from checkfirst.clock import Clock
from checkfirst.errors import CheckfirstError
from checkfirst.model import Sighting
from checkfirst.policy.names import show
from checkfirst.watch.baseline import Baseline
from checkfirst.watch.folder import LONGEST_LIST, Folder, Rules
from checkfirst.watch.hints import Heard, Hints
from checkfirst.watch.patience import NoAnswerError, Patience
from checkfirst.watch.root import WatchProblem
from checkfirst.watch.telling import Trouble, WatchEvent, left_out

_log = logging.getLogger(__name__)

_EVENTS_MAY_BE_LOST_SILENTLY = sys.platform != "linux"
"""FSEvents and ReadDirectoryChangesW drop events without a word: there a scan runs beside them."""

_MANY_FOLDERS = 256
"""When more have appeared at once, one full sweep is cheaper than a look into each."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often what is done, and how long an answer may take; seconds."""

    sweep: float
    look: float
    poll: float
    answer: float


class Guard:
    """Stands over one folder of the settings; made on the loop."""

    def __init__(
        self,
        configured: bytes,
        rules: Rules,
        baseline: Baseline,
        *,
        clock: Clock,
        rhythm: Rhythm,
        found: Callable[[list[Sighting]], None],
        on_event: Callable[[WatchEvent], None],
    ) -> None:
        """`found` takes over what has been noticed."""
        loop = asyncio.get_running_loop()
        self.folder = Folder(
            configured,
            rules,
            baseline,
            lambda _: Hints(
                loop, self._take_note, recursive=rules.recursive, excluded=rules.excluded
            ),
        )
        self._name = show(configured)
        self._clock = clock
        self._rhythm = rhythm
        self._found = found
        self._on_event = on_event
        self._patience = Patience(self._name, rhythm.answer)
        self._opening = asyncio.Lock()
        self._hint = asyncio.Event()
        self._heard = _NOTHING
        self._told_left_out = False
        self._is_silent = False
        """It did not answer: what was asked of it then may still be done at any time."""

    async def open(self) -> WatchProblem | None:
        """Open the folder for the first time; what is in the way is told as well."""
        try:
            await self._patience.ask(self.folder.open_blocking)
        except WatchProblem as problem:
            self._lose(problem, is_news=True)
            return problem
        self._tell_limit(None)
        return None

    async def run(self) -> None:
        """Keep watching until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow_hints(), name="watch hints")
            group.create_task(self._look_after(), name="watch health")
            group.create_task(self._sweep_now_and_then(), name="watch sweep")
            group.create_task(self._poll(), name="watch poll")

    async def sweep(self, *, everything: bool = True) -> None:
        """Look at the whole folder; see `Folder.sweep_blocking`."""
        await self._look(partial(self.folder.sweep_blocking, everything=everything))

    async def close(self) -> None:
        """End the observer and wait for its threads."""
        if self._patience.is_over:
            return
        with contextlib.suppress(NoAnswerError):
            await self._patience.ask(self.folder.close_blocking)
        self._patience.close()

    def _take_note(self, heard: Heard) -> None:
        folder, root = self.folder, self.folder.root
        if heard.lost:
            folder.suspect()
        if root is None:  # being opened for the first time: the sweep that follows finds it all
            return
        for start in range(0, len(heard.files), LONGEST_LIST):
            paths = heard.files[start : start + LONGEST_LIST]
            self._found([Sighting(root.path, path) for path in paths])
        if heard.folders or heard.overflowed or heard.lost:
            before = self._heard
            self._heard = Heard(
                files=(),
                folders=(*before.folders, *heard.folders),
                overflowed=before.overflowed or heard.overflowed,
                lost=before.lost or heard.lost,
            )
            self._hint.set()

    async def _follow_hints(self) -> None:
        while True:
            await self._hint.wait()
            self._hint.clear()
            heard, self._heard = self._heard, _NOTHING
            if heard.overflowed:
                self._tell(
                    Trouble.OVERFLOW, f"More happened than the kernel could tell: {self._name}"
                )
            if heard.lost:
                await self._open_again()
            elif heard.overflowed or len(heard.folders) > _MANY_FOLDERS:
                await self.sweep()
            elif heard.folders:
                await self._look(partial(self.folder.look_into_blocking, heard.folders))

    async def _look_after(self) -> None:
        while True:
            await self._clock.sleep(self._rhythm.look)
            await self._open_again()

    async def _sweep_now_and_then(self) -> None:
        while True:
            await self._clock.sleep(self._rhythm.sweep)
            if self.folder.limit is None:
                await self.sweep()
            else:  # it may have been raised, or others may have given back what they had
                self.folder.suspect()
                await self._open_again()

    async def _poll(self) -> None:
        while True:
            await self._clock.sleep(self._rhythm.poll)
            folder = self.folder
            needs_it = folder.polls or (folder.root is not None and _EVENTS_MAY_BE_LOST_SILENTLY)
            if needs_it and not self._patience.is_looking:
                await self.sweep(everything=False)

    async def _open_again(self) -> None:
        """Unless all is well with it."""
        folder = self.folder
        async with self._opening:
            if self._is_silent:
                folder.suspect()
            was_away, limit = folder.problem is not None, folder.limit
            try:
                if await self._patience.ask(folder.is_fine_blocking):
                    return
                await self._patience.ask(folder.open_blocking)
            except WatchProblem as problem:
                self._lose(problem, is_news=not was_away)
                return
            self._is_silent = False
        self._tell_limit(limit)
        if folder.limit is None:
            self._tell(Trouble.BACK, f"The folder is watched again: {self._name}")
        await self.sweep()

    def _lose(self, problem: WatchProblem, *, is_news: bool) -> None:
        if isinstance(problem, NoAnswerError):
            self._is_silent = True
            self.folder.problem = str(problem)
        if is_news:
            self._tell(Trouble.LOST, str(problem))

    def _tell_limit(self, before: str | None) -> None:
        """Once, not whenever it is still there."""
        limit = self.folder.limit
        if limit is not None and before is None:
            self._tell(
                Trouble.LIMITED, f"{limit} Until then it is looked through every few seconds."
            )

    def _tell_left_out(self) -> None:
        """Once: whoever has sub-folders may believe that they are guarded too."""
        number = self.folder.left_out
        if number and not self._told_left_out:
            self._told_left_out = True
            self._tell(Trouble.LEFT_OUT, f"{left_out(number)}: {self._name}")

    def _tell(self, trouble: Trouble, text: str) -> None:
        self._on_event(WatchEvent(trouble, self.folder.configured, text))

    async def _look(self, look: Callable[[], Sequence[list[Sighting]]]) -> None:
        await self._patience.look(look, self._looked)

    def _looked(self, look: "asyncio.Future[Sequence[list[Sighting]]]") -> None:
        """Hand on what was found, however long it took."""
        if look.cancelled():
            return
        error = look.exception()
        if error is None:
            for batch in look.result():
                self._found(batch)
            self._tell_left_out()
            return
        expected = isinstance(error, (OSError, CheckfirstError))
        level = logging.DEBUG if expected else logging.ERROR
        _log.log(level, "%s could not be looked at: %s", self._name, error)
        self.folder.suspect()  # the next look finds out what is wrong, and tells


_NOTHING = Heard((), (), overflowed=False, lost=False)
