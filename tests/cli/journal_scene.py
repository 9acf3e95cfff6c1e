"""A state folder with a real journal and real files, for commands that look and act on it."""

import asyncio
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from checkfirst.model import Risk, State, VerdictKind
from checkfirst.service.status import Snapshot, write_blocking
from checkfirst.store.database import Database
from checkfirst.store.journal import Journal
from checkfirst.store.listed import Listed
from checkfirst.store.lists import Lists
from checkfirst.store.step import Facts, NewArrival, Step
from checkfirst.store.submissions import Sent, Submissions
from checkfirst.vault.grip import grasp_blocking, stamp_of
from checkfirst.vault.quarantine import PAYLOAD, quarantine_blocking
from checkfirst.vault.report import Report
from tests.fakes.clock import FakeClock

NOW = FakeClock().now()
DATA = b"some bytes"
SHA = hashlib.sha256(DATA).hexdigest()
HOSTILE = b"[red]\x1b[2J\n\xff[b] \xe2\x80\xaeexe.txt"


@dataclass(frozen=True)
class Scene:
    """Folders below one, and a settings file that names them."""

    top: Path

    @property
    def state(self) -> Path:
        return self.top / "state"

    @property
    def downloads(self) -> Path:
        return self.top / "Downloads"

    @property
    def released(self) -> Path:
        return self.downloads / "Released"

    def journal(self, work):
        """Run `work(journal)` on the real journal."""

        async def run():
            database = await Database.open(self.state / "checkfirst.sqlite", FakeClock())
            try:
                return await work(Journal(database, "1:1"))
            finally:
                await database.close()

        return asyncio.run(run())

    def arrive(self, name: bytes, state: State, after: Facts | None = None) -> int:
        """A row that has come as far as this state."""
        origin = os.path.join(os.fsencode(self.downloads), name)

        async def work(journal):
            root = os.fsencode(self.downloads)
            ids = await journal.begin([NewArrival(root, origin, None, None, NOW)])
            facts = {"held_at": NOW + 1, **(after or {})}
            await journal.advance([Step(ids[0], frozenset({State.HOLDING}), state, facts)])
            return ids[0]

        return self.journal(work)

    def hold(self, name: bytes, data: bytes = DATA) -> int:
        """A file that really lies in the held folder and waits; its row has no fingerprint."""
        slot = os.path.join(os.fsencode(self.state), b"held", b"slot%d" % len(data))
        os.makedirs(slot, 0o700, exist_ok=True)
        held = os.path.join(slot, name)
        with open(held, "wb") as file:
            file.write(data)
        os.chmod(held, 0o640)
        facts = Facts(held=held, mode=0o640, verdict=VerdictKind.PENDING, reason="no answer yet")
        return self.arrive(name, State.WAITING, facts)

    def quarantine(self, name: bytes, data: bytes = DATA) -> int:
        """A file that really lies in the quarantine."""
        held = os.path.join(os.fsencode(self.top), name)
        with open(held, "wb") as file:
            file.write(data)
        os.chmod(held, 0o640)
        stamp = stamp_of(os.stat(held))
        facts = Facts(
            size=len(data),
            mtime_ns=stamp.mtime_ns,
            mode=0o640,
            sha256=hashlib.sha256(data).hexdigest(),
            content_type="text/plain",
            risk=Risk.OTHER,
            verdict=VerdictKind.MALICIOUS,
            source="virustotal",
            reason="3 of 64 engines call it malicious",
            detections=3,
            engines=64,
            report_url="https://www.virustotal.com/gui/file/x",
            threats=("Engine: [bold]Bad\x1b[0m",),
            decided_at=NOW + 2,
        )
        number = self.arrive(name, State.QUARANTINING, facts)
        row = self.row(number)
        with grasp_blocking(held, lease=True) as grip:
            quarantine = os.fsencode(self.top / "quarantine")
            placed = quarantine_blocking(grip, held, quarantine, Report.of(row))
        step = Step(
            number,
            frozenset({State.QUARANTINING}),
            State.QUARANTINED,
            Facts(destination=placed.path, finished_at=NOW + 3),
        )
        self.journal(lambda journal: journal.advance([step]))
        return number

    def row(self, number: int):
        return self.journal(lambda journal: journal.get(number))

    def payload(self, number: int) -> Path:
        return Path(os.fsdecode(self.row(number).destination), os.fsdecode(PAYLOAD))

    def listed(self, sha256: str) -> Listed | None:
        async def run():
            clock = FakeClock()
            database = await Database.open(self.state / "checkfirst.sqlite", clock)
            try:
                return (await Lists(database, clock).look_up([sha256])).get(sha256)
            finally:
                await database.close()

        return asyncio.run(run())

    def snapshot(self, **facts) -> None:
        """What a daemon of this very process has written."""
        self.state.mkdir(parents=True, exist_ok=True)
        write_blocking(self.state, Snapshot(**{"pid": os.getpid(), "mode": "normal", **facts}))

    def submit(self, *sent: Sent) -> None:
        """Uploads, as the daemon and `check` record them."""

        async def run():
            database = await Database.open(self.state / "checkfirst.sqlite", FakeClock())
            try:
                for each in sent:
                    await Submissions(database).begin(each, "analysis")
            finally:
                await database.close()

        asyncio.run(run())
