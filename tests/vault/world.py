"""A small world around the real vault, journal, line and hand, each act in a process of its own.

An act is forked, so it can be killed at any point as a crash kills: no handler runs, nothing is
flushed, and what it claimed stays claimed. Nothing but the disk goes from one act to the next.
"""

import asyncio
import hashlib
import os
import secrets
import shutil
import signal
import traceback
import warnings
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from checkfirst.intake.look import Settled
from checkfirst.model import Answer, Arrival, Mode, Sighting, SourceHealth, State, Verdict
from checkfirst.service.asking import Asking
from checkfirst.service.assemble_deeds import open_deeds
from checkfirst.service.deeds import Deed, Hand
from checkfirst.service.hands import Ends, Hands
from checkfirst.service.line import Line
from checkfirst.service.listener import Listener
from checkfirst.service.work import Below
from checkfirst.settings.schema import Settings
from checkfirst.sources.chain import Chain
from checkfirst.store.database import Database
from checkfirst.store.journal import Journal
from checkfirst.store.problem import PassingStoreError
from checkfirst.store.process import is_alive, process_id
from checkfirst.store.reading import Reading
from checkfirst.vault import failpoint
from checkfirst.vault.grip import stamp_of
from checkfirst.vault.held import INSIDE
from checkfirst.vault.places import Places
from checkfirst.vault.recover import Recovery
from tests.fakes.clock import FakeClock

_NOT_OURS = (".ballast", "report.", "checkfirst.sqlite", os.fsdecode(INSIDE))

NO_ROOM = 3
"""The exit code of an act that the database had no room for."""


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


async def _nothing(_: Arrival) -> None:
    """Let every hash be as it was."""


@dataclass(frozen=True)
class At:
    """A file as it lies on the disk."""

    path: Path
    content: bytes


class World:
    """Folders, what sources say, and acts upon them."""

    def __init__(self, near: Path, far: Path, *, held_far: bool, ends_far: bool, leases: bool):
        self.leases = leases
        self.verdicts: dict[str, Verdict] = {}
        self.downloads = near / "Downloads"
        self.links = near / "Links"
        self.away = near / "Away"
        self.state = (far if held_far else near) / "state"
        ends = far if ends_far else near
        self.released, self.quarantine = ends / "Released", ends / "Quarantine"
        self.back = ends / "Back"
        for folder in self.all_folders:
            folder.mkdir(parents=True)
        self.links.mkdir()
        if held_far:  # what has that name leaves nothing but copying into the held folder
            (self.downloads / os.fsdecode(INSIDE)).touch()
        self.settings = Settings.model_validate(
            {
                "watch": [str(self.downloads)],
                "released": str(self.released),
                "quarantine": str(self.quarantine),
                "state": str(self.state),
            }
        )

    @property
    def all_folders(self) -> tuple[Path, ...]:
        return (
            *(self.downloads, self.away, self.state, self.released, self.quarantine, self.back),
        )

    def act(self, work: Callable[["Acting"], Awaitable[Any]], kill: str = "") -> str:
        """Do it in a process that dies at that point; `done`, `killed` or `no room`."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # fork beside threads, from 3.12
            child = os.fork()
        if not child:
            code = 1
            try:
                failpoint.arm(kill)
                asyncio.run(self._act(work))
                code = 0
            except PassingStoreError:
                code = NO_ROOM
            except BaseException:  # noqa: BLE001  (shown, and told by the exit code)
                traceback.print_exc()
            finally:
                os._exit(code)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        outcomes = {0: "done", -signal.SIGKILL: "killed", NO_ROOM: "no room"}
        assert code in outcomes, f"the act failed with {code}"
        return outcomes[code]

    async def _act(self, work: Callable[["Acting"], Awaitable[Any]]) -> None:
        database = await Database.open(self.state / "checkfirst.sqlite", FakeClock())
        try:
            acting = Acting(self, database, await asyncio.to_thread(process_id))
            await acting.remember_left()
            await work(acting)
        finally:
            await database.close()

    def rows(self) -> list[Arrival]:
        """The journal, oldest first; none while there is no room to look into it."""
        database = self.state / "checkfirst.sqlite"
        if not database.exists():
            return []
        try:
            with Reading(database) as reading:
                return reading.history(-1)[::-1]
        except PassingStoreError:
            return []

    def lose_database(self) -> None:
        for path in self.state.glob("checkfirst.sqlite*"):
            path.unlink()

    def arrivals(self) -> Iterator[Path]:
        """What a watcher would see."""
        for path in sorted(self.downloads.iterdir()):
            if path.is_file() and path.name != os.fsdecode(INSIDE):
                yield path

    def settled(self) -> list[Settled]:
        root = os.fsencode(self.downloads)
        return [
            Settled(
                Sighting(root, os.fsencode(path)),
                stamp_of(path.stat()),
                True if self.leases else None,
            )
            for path in self.arrivals()
        ]

    def files(self, *folders: Path) -> list[At]:
        """Every file of ours in these folders, or in all; reports and databases are not."""
        found = []
        for folder in folders or self.all_folders:
            for parent, _, names in os.walk(folder):
                for name in names:
                    path = Path(parent, name)
                    if not name.startswith(_NOT_OURS) and not path.is_symlink():
                        found.append(At(path, read(path)))
        return sorted(found, key=lambda at: (at.content, at.path))

    def count(self) -> Counter[bytes]:
        return Counter(each.content for each in self.files())

    def held(self) -> list[At]:
        return self.files(self.state / "held")

    def payloads(self) -> list[At]:
        return self.files(self.quarantine)

    def destroy(self) -> None:
        for folder in (*self.all_folders, self.links):
            shutil.rmtree(folder, ignore_errors=True)


class Known:
    """A local source that knows what the world knows."""

    name = "known"

    def __init__(self, verdicts: dict[str, Verdict]) -> None:
        self._verdicts = verdicts

    async def answer(self, prints):
        return {p.sha256: self._verdicts[p.sha256] for p in prints if p.sha256 in self._verdicts}

    def health(self) -> SourceHealth:
        return SourceHealth(self.name, 0, 0, healthy=True)


class Nobody:
    """A remote source that never answers."""

    name = "virustotal"

    def ask(self, questions) -> None:
        pass


class Acting:
    """The daemon's line and a person's hand, in the process of one act."""

    def __init__(self, world: World, database: Database, process: str) -> None:
        clock = FakeClock()
        self._world = world
        self._database = database
        self._clock = clock
        self.journal = Journal(database, process)
        hands = Hands(
            Ends(
                os.fsencode(world.released),
                os.fsencode(world.quarantine),
                keep_parents=False,
                link_back=False,
            ),
            os.fsencode(world.state),
            below=lambda _: Below(world.leases, marks=True),
            token=secrets.token_hex,
            stopped=lambda: False,
        )
        held = (
            os.fsencode(world.state / "held"),
            os.path.join(os.fsencode(world.downloads), INSIDE),
        )
        places = Places(held, hands.ends.released, hands.ends.quarantine, hands.relative)
        self.recovery = Recovery(self.journal, places, clock, allow=_nothing)
        self.line = Line(
            mode=Mode.NORMAL,
            journal=self.journal,
            chain=Chain([Known(world.verdicts)], clock),
            asking=Asking(Nobody(), clock, lambda *_: None),
            hands=hands,
            choose=lambda _: hands,
            teller=Listener(),
            clock=clock,
            token=secrets.token_hex,
            mend=self.recovery.look_again,
            done=lambda _: None,
            again=lambda *_: None,
        )

    async def remember_left(self) -> None:
        """What the line of a daemon that goes on running knows."""
        for row in await self.journal.open_rows():
            if row.state is State.LEFT:
                self.line.retries.recall(row)

    async def settle(self) -> None:
        """All that lies in the downloads has settled."""
        batch = await asyncio.to_thread(self._world.settled)
        await self.line.settled(batch)
        await self._drain()
        await self.line.forget_the_gone()

    async def answered(self, sha256: str) -> None:
        """The remote source has answered."""
        await self.line.answered(Answer(sha256, self._world.verdicts[sha256]))
        await self._drain()

    async def restart(self) -> None:
        """What a daemon does first of all, and what it goes on with."""
        await self.journal.release_dead_claims(is_alive)
        await self.line.resume(await self.recovery.everything())
        await self._drain()
        await self.line.forget_the_gone()

    async def look_again(self) -> None:
        """The moment has come to try once more what failed."""
        rows = [row for row in await self.journal.open_rows() if row.state is not State.LEFT]
        await self.line.resume(await self.recovery.look_again([row.id for row in rows]))
        await self._drain()

    async def hand(self) -> Hand:
        return Hand(
            self._world.settings, await open_deeds(self._database, self._clock), self._clock
        )

    async def restore(self, row: Arrival, to: Path) -> list[Deed]:
        return await (await self.hand()).restore([row], os.fsencode(to))

    async def delete(self, row: Arrival) -> list[Deed]:
        return await (await self.hand()).delete([row])

    async def release(self, row: Arrival) -> list[Deed]:
        return await (await self.hand()).release([row])

    async def _drain(self) -> None:
        """Until the lanes are empty."""
        lanes = self.line._lanes
        while not lanes._small.empty():
            await self.line._process(await lanes.small())


def read(path: Path) -> bytes:
    """The content, however hard it is to read; the mode is as before."""
    mode = path.stat().st_mode & 0o7777
    if not mode & 0o400:
        path.chmod(mode | 0o400)
    try:
        return path.read_bytes()
    finally:
        if not mode & 0o400:
            path.chmod(mode)
