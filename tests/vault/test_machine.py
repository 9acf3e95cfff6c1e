"""Whatever happens in whatever order: the bytes exist once, and the journal knows where.

Twice only between a crash in the midst of a copy and the next start. `TESTS_LONG=1` looks longer.
"""

import os
import shutil
import subprocess
import tempfile
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
)

from checkfirst.model import State, Verdict, VerdictKind
from tests.vault.world import At, World, sha

LONG = bool(os.environ.get("TESTS_LONG"))
ENDS = {State.RELEASED, State.RESTORED}
BY_HAND = {State.HELD, State.WAITING, State.QUARANTINED}
GOOD = Verdict(VerdictKind.CLEAN, "virustotal", "60 engines find nothing", 0, 60)
BAD = Verdict(VerdictKind.MALICIOUS, "virustotal", "9 of 60 engines", 9, 60)

names = st.sampled_from(["a", "a (1)", "new\nline.txt"])
kills = st.sampled_from(["", "", "", *(f"*:{n}" for n in (1, 2, 3, 4, 5, 6, 7, 9, 12))])
moments = st.sampled_from([1_000_000_000, 2_000_000_000])
PAGE = 4096
FAR = Path("/dev/shm")


def mounted(folder: Path) -> bool:
    """Put a filesystem there that is soon full, if we may."""
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder]
    done = subprocess.run(command, capture_output=True, check=False)
    return done.returncode == 0


class Vault(RuleBasedStateMachine):
    """One person, one Downloads folder, any trouble.

    No rule has a precondition: what can be done depends on the disk, and what Hypothesis draws must
    not.
    """

    def __init__(self) -> None:
        super().__init__()
        self.near = Path(tempfile.mkdtemp(prefix="near-"))
        self.far = Path(tempfile.mkdtemp(prefix="far-", dir=FAR if FAR.is_dir() else None))
        self.exist: Counter[bytes] = Counter()
        self.twice: Counter[bytes] = Counter()
        """What may be there once more: it was being copied when the database was lost, or its place
        is one that a person has emptied."""
        self.by_hand: set[bytes] = set()
        """What a person let go or took back, whatever was said of it."""
        self.moved: set[Path] = set()
        """Paths that a person has emptied: others may lie there since."""
        self.is_small = False
        """The far filesystem can be filled."""
        self.is_full = False
        self.is_down = False
        self.downtimes = 0
        self.has_lost = False
        self.made = 0

    @initialize(
        is_small=st.booleans(), held_far=st.booleans(), ends_far=st.booleans(), leases=st.booleans()
    )
    def build(self, is_small: bool, held_far: bool, ends_far: bool, leases: bool) -> None:
        self.is_small = is_small and mounted(self.far)
        self.world = World(self.near, self.far, held_far=held_far, ends_far=ends_far, leases=leases)

    def teardown(self) -> None:
        try:
            if hasattr(self, "world"):
                self.all_comes_to_an_end()
        finally:
            if self.is_small:
                subprocess.run(["umount", "-l", self.far], check=True)
            for folder in (self.near, self.far):
                shutil.rmtree(folder)

    def all_comes_to_an_end(self) -> None:
        """Once every file is judged and nothing more happens, none is held any more."""
        for content in self.exist:
            self.world.verdicts.setdefault(sha(content), GOOD)
        self.make_room()
        assert self.act(lambda acting: acting.restart(), "") == "done"
        assert self.act(lambda acting: acting.settle(), "") == "done"
        self.nothing_is_lost_or_let_through()
        assert self.world.held() == []
        assert list(self.world.arrivals()) == []

    # What others do, while the daemon runs or not.

    @rule(
        names=st.lists(names, min_size=1, max_size=3),
        at=moments,
        twin=st.booleans(),
        known=st.sampled_from([None, GOOD, BAD]),
        kill=kills,
    )
    def arrive(
        self, names: list[str], at: int, twin: bool, known: Verdict | None, kill: str
    ) -> None:
        """New files, or once more the same; they are taken at once if anybody runs."""
        if known:
            self.world.verdicts.setdefault(sha(b"content %d" % (self.made + 1)), known)
        for name in names:
            path = self.world.downloads / name
            if path.exists():
                continue
            self.made += not twin
            content = b"content %d" % self.made
            path.write_bytes(content)
            # The twin of a file that a crash left half taken has a time of its own: inode numbers
            # are used again, and nothing else would tell the two apart.
            moment = at + self.downtimes if self.is_down else at
            os.utime(path, ns=(moment, moment))
            self.exist[content] += 1
        if not self.is_down:
            self.act(lambda acting: acting.settle(), kill)

    @rule(
        which=st.integers(0, 9),
        way=st.sampled_from(["move", "remove", "link", "write", "forge"]),
        left=st.integers(0, 3),
    )
    def meddle(self, which: int, way: str, left: int) -> None:
        """A person uses a file, a program writes to a held one, a disk becomes full."""
        held, files = self.world.held(), self.in_reach()
        if self.is_down:
            return
        if way in {"write", "forge"} and held:
            self.write(held[which % len(held)], is_forged=way == "forge")
        elif self.is_small and which > 7:
            self.fill(left)
        elif files:
            self.handle(files[which % len(files)], way)

    def in_reach(self):
        return self.world.files(self.world.released, self.world.back, self.world.downloads)

    def handle(self, file: At, way: str) -> None:
        if way == "link":
            if self.world.links.stat().st_dev == file.path.stat().st_dev:
                os.link(file.path, self.world.links / str(len(os.listdir(self.world.links))))
            return
        self.moved.add(file.path)
        if way == "move":
            shutil.move(file.path, self.world.away / str(len(os.listdir(self.world.away))))
        else:
            file.path.unlink()
            self.exist[file.content] -= 1

    def write(self, file: At, *, is_forged: bool) -> None:
        """By a program that had it open all along."""
        seen = file.path.stat()
        self.made += 1
        content = b"content %d" % self.made
        file.path.write_bytes(content)
        if is_forged:
            os.utime(file.path, ns=(seen.st_atime_ns, seen.st_mtime_ns))
        self.exist[file.content] -= 1
        self.exist[content] += 1

    def fill(self, left: int) -> None:
        """The far disk, but for so many pages."""
        self.make_room()
        ballast = self.far / ".ballast"
        with ballast.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(PAGE))
        os.truncate(ballast, max(ballast.stat().st_size - left * PAGE, 0))
        self.is_full = True

    def lose_database(self) -> None:
        """Lost in the very moment of a copy it takes with it that the one file is the other's.

        From then on nothing but name, time and content tells whether two alike are one.
        """
        self.twice |= self.world.count() - self.exist
        self.world.lose_database()
        self.is_down = self.has_lost = True

    def make_room(self) -> None:
        (self.far / ".ballast").unlink(missing_ok=True)
        self.is_full = False

    # What the daemon and a person do, who may both be killed at it.

    def act(self, work, kill: str) -> str:
        outcome = self.world.act(work, kill)
        self.is_down = outcome != "done"
        self.downtimes += self.is_down
        note(f"{outcome}; {[(row.id, row.name, row.state.value) for row in self.world.rows()]}")
        return outcome

    @rule(
        which=st.integers(0, 9),
        kind=st.sampled_from([GOOD, BAD]),
        kill=kills,
        lost=st.integers(0, 11).map(lambda n: n == 11),
    )
    def go_on(self, which: int, kind: Verdict, kill: str, lost: bool) -> None:
        """Start again after a crash, have an answer, or try again what failed."""
        if lost:
            self.lose_database()
        self.go_on_with(which, kind, kill)

    def go_on_with(self, which: int, kind: Verdict, kill: str) -> None:
        if self.is_down:
            if self.act(lambda acting: acting.restart(), kill) == "no room":
                self.make_room()
        elif waiting := self.rows(State.WAITING):
            sha256 = waiting[which % len(waiting)].sha256
            self.world.verdicts.setdefault(sha256, kind)
            self.act(lambda acting: acting.answered(sha256), kill)
        else:
            self.act(lambda acting: acting.look_again(), kill)

    @rule(which=st.integers(0, 9), way=st.sampled_from(["back", "released", "delete"]), kill=kills)
    def lend_a_hand(self, which: int, way: str, kill: str) -> None:
        """A person releases what is held, restores or deletes what was stopped."""
        rows = self.rows(*BY_HAND)
        if self.is_down or not rows:
            self.go_on_with(which, GOOD, kill)
            return
        row = rows[which % len(rows)]
        if row.state is not State.QUARANTINED:
            held = Path(os.fsdecode(row.held))
            if held.exists():
                self.by_hand.add(held.read_bytes())
            self.act(lambda acting: acting.release(row), kill)
            return
        payload = {file.content for file in self.world.files(Path(os.fsdecode(row.destination)))}
        if way == "delete":
            for content in payload:  # every point of it comes after the payload
                self.exist[content] -= 1
            self.act(lambda acting: acting.delete(row), kill)
        else:
            self.by_hand |= payload
            to = self.world.back if way == "back" else self.world.released
            self.act(lambda acting: acting.restore(row, to), kill)

    def rows(self, *states: State):
        return [row for row in self.world.rows() if row.state in states]

    # What is true all the while.

    @invariant()
    def nothing_is_lost_or_let_through(self) -> None:
        if not hasattr(self, "world"):
            return
        found = self.world.count()
        # Where a twin lay that a person took away, a copy that was cut short is not known for what
        # it is; then it is made once more, as twice is better than never.
        self.twice |= Counter(file.content for file in self.in_reach() if file.path in self.moved)
        for content in self.exist | found:
            wanted = self.exist[content]
            least = min(wanted, 1) if self.has_lost else wanted
            most = wanted + bool(self.is_down and wanted) + self.twice[content]
            assert least <= found[content] <= most, (content, least, found[content], most)
        for file in self.world.files(self.world.released, self.world.back):
            is_clean = self.world.verdicts.get(sha(file.content)) is GOOD
            assert is_clean or file.content in self.by_hand, file
        if not (self.is_down or self.is_full):
            self.journal_knows_where()

    def journal_knows_where(self) -> None:
        rows = self.world.rows()
        for row in rows:
            assert row.state in {*ENDS, State.QUARANTINED, State.DELETED, State.GONE} or (
                row.state in {State.HELD, State.WAITING, State.LEFT}
            ), row
        held = Counter(row.held for row in rows if row.state in {State.HELD, State.WAITING})
        assert held == Counter(os.fsencode(file.path) for file in self.world.held())
        kept = {row.destination: row.sha256 for row in rows if row.state is State.QUARANTINED}
        assert kept == {
            os.fsencode(file.path.parent): sha(file.content) for file in self.world.payloads()
        }
        for file in self.world.payloads():
            assert file.path.name == "payload.quarantined"
            assert file.path.stat().st_mode & 0o7777 == 0
        there = {
            os.fsencode(file.path): sha(file.content)
            for file in self.world.files(self.world.released, self.world.back)
            if file.path not in self.moved
        }
        told = {row.destination: row.sha256 for row in rows if row.state in ENDS}
        # A command that dies when all is done but said: where to is known to nobody any more.
        unsaid = {row.sha256 for row in rows if row.state is State.RESTORED}
        for path, sha256 in there.items():
            is_unsaid = self.has_lost or sha256 in unsaid
            assert told.get(path, sha256 if is_unsaid else None) == sha256, path


Vault.TestCase.settings = settings(
    max_examples=int(os.environ.get("TESTS_EXAMPLES", "1000" if LONG else "30")),
    stateful_step_count=40 if LONG else 30,
    deadline=None,
    derandomize=not LONG,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate, *([Phase.shrink] if LONG else [])),
)
TestVault = pytest.mark.timeout(0 if LONG else 120)(Vault.TestCase)
