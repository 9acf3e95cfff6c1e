"""Files that have ended and really lie there, with a real journal; a test plays the line."""

import asyncio
import hashlib
import os

from checkfirst.model import Arrival, Risk, State, VerdictKind
from checkfirst.service.listener import Listener
from checkfirst.service.taking_back import Reach, TakingBack
from checkfirst.store.journal import Journal
from checkfirst.store.second_looks import SecondLooks
from checkfirst.vault.still import still_blocking
from tests.fakes.clock import FakeClock

WEEK = 7 * 86_400.0
CONTENT = b"MZ something"
SHA = hashlib.sha256(CONTENT).hexdigest()


class Told(Listener):
    def __init__(self) -> None:
        self.turns = []

    def looked_again(self, again) -> None:
        self.turns.append(again.turn)


class LetGo:
    """A folder of such files, and what takes them back."""

    def __init__(self, top, database) -> None:
        self.top = os.fsencode(top)
        self.clock = FakeClock()
        self.database = database
        self.looks = SecondLooks(database)
        self.journal = Journal(database, "1:1")
        self.told = Told()
        self.taken: list[bytes] = []
        self.looked_at: list[bytes] = []
        self.unlinked: list[tuple[bytes, bytes]] = []

    def taking(self, again_after: float) -> TakingBack:
        async def still(path: bytes, sha256: str):
            self.looked_at.append(path)
            return await asyncio.to_thread(still_blocking, path, sha256, lease=True)

        async def take(paths) -> None:
            self.taken += paths

        async def unlink_back(path: bytes, link: bytes) -> None:
            self.unlinked.append((path, link))

        reach = Reach(
            looks=self.looks,
            journal=self.journal,
            still=still,
            unlink_back=unlink_back,
            take=take,
        )
        return TakingBack(reach, self.told, self.clock, again_after=again_after)

    async def ended(self, name=b"a", state="released", verdict="unknown", **more) -> Arrival:
        place = os.path.join(self.top, name)
        await asyncio.to_thread(write, place, CONTENT)
        facts = {
            "sha256": SHA,
            "size": len(CONTENT),
            "source": "virustotal",
            "finished_at": self.clock.now(),
            "reason": "never seen",
            "destination": place,
        }
        row = Arrival(
            0,
            State(state),
            b"/w",
            b"/w/" + name,
            risk=Risk.PROGRAM,
            verdict=VerdictKind(verdict),
            **{**facts, **more},
        )
        (number,) = await self.journal.adopt([row])
        found = await self.journal.get(number)
        assert found is not None
        return found

    async def reason(self, file: Arrival) -> str:
        row = await self.journal.get(file.id)
        assert row is not None
        return row.reason or ""


def write(path: bytes, content: bytes) -> None:
    with open(path, "wb") as file:
        file.write(content)
