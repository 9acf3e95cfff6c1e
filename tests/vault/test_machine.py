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
    precondition,
    rule,
)

from checkfirst.model import State, Verdict, VerdictKind
from tests.vault.world import World, sha

LONG = bool(os.environ.get("TESTS_LONG"))
ENDS = {State.RELEASED, State.RESTORED}
GOOD = Verdict(VerdictKind.CLEAN, "virustotal", "60 engines find nothing", 0, 60)
BAD = Verdict(VerdictKind.MALICIOUS, "virustotal", "9 of 60 engines", 9, 60)

names = st.sampled_from(["a", "a (1)", "a.txt", "-rf", "new\nline", "payload.quarantined"])
kills = st.one_of(st.just(""), st.integers(1, 14).map(lambda n: f"*:{n}"))
moments = st.sampled_from([1_000_000_000, 2_000_000_000])
PAGE = 4096
FAR = Path("/dev/shm")


def mounted(folder: Path) -> bool:
    """Put a filesystem there that is soon full, if we may."""
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder]
    done = subprocess.run(command, capture_output=True, check=False)
    return done.returncode == 0


class Vault(RuleBasedStateMachine):
    """One person, one Downloads folder, any trouble."""

    def __init__(self) -> None:
        super().__init__()
        self.near = Path(tempfile.mkdtemp(prefix="near-"))
        self.far = Path(tempfile.mkdtemp(prefix="far-", dir=FAR if FAR.is_dir() else None))
        self.exist: Counter[bytes] = Counter()
        self.by_hand: set[bytes] = set()
        """What a person let go or took back, whatever was said of it."""
        self.moved: set[Path] = set()
        """Paths that a person has emptied: others may lie there since."""
        self.is_small = False
        """The far filesystem can be filled."""
        self.is_full = False
        self.is_down = False
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

    @rule(name=names, at=moments, twin=st.booleans())
    def arrive(self, name: str, at: int, twin: bool) -> None:
        path = self.world.downloads / name
        if path.exists():
            return
        self.made += not twin
        content = b"content %d" % self.made
        path.write_bytes(content)
        os.utime(path, ns=(at, at))
        self.exist[content] += 1

    @rule(kind=st.sampled_from([GOOD, BAD]))
    def become_known(self, kind: Verdict) -> None:
        """The newest content is analysed; nobody has asked yet."""
        self.world.verdicts.setdefault(sha(b"content %d" % self.made), kind)

    @rule()
    def link(self) -> None:
        for path in self.world.arrivals():
            if not (self.world.links / path.name).exists():
                os.link(path, self.world.links / path.name)

    @rule()
    def lose_database(self) -> None:
        """Lost in the very moment of a copy it takes with it that the one file is the other's."""
        self.exist |= self.world.count()
        self.world.lose_database()
        self.is_down = self.has_lost = True

    @precondition(lambda self: not self.is_down)
    @rule(data=st.data())
    def move_away(self, data: st.DataObject) -> None:
        """A person does something with a file."""
        files = self.world.files(self.world.released, self.world.back, self.world.downloads)
        if files:
            path = data.draw(st.sampled_from(files)).path
            self.moved.add(path)
            shutil.move(path, self.world.away / str(len(os.listdir(self.world.away))))

    @precondition(lambda self: not self.is_down)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        files = self.world.files(self.world.released, self.world.back, self.world.downloads)
        if files:
            file = data.draw(st.sampled_from(files))
            self.moved.add(file.path)
            file.path.unlink()
            self.exist[file.content] -= 1

    @precondition(lambda self: not self.is_down)
    @rule(data=st.data(), is_forged=st.booleans())
    def write_into_a_held_file(self, data: st.DataObject, is_forged: bool) -> None:
        """A program that had it open all along."""
        held = self.world.held()
        if held:
            file = data.draw(st.sampled_from(held))
            seen = file.path.stat()
            self.made += 1
            content = b"content %d" % self.made
            file.path.write_bytes(content)
            if is_forged:
                os.utime(file.path, ns=(seen.st_atime_ns, seen.st_mtime_ns))
            self.exist[file.content] -= 1
            self.exist[content] += 1

    @precondition(lambda self: self.is_small)
    @rule(left=st.integers(0, 3))
    def fill_the_far_disk(self, left: int) -> None:
        """All but so many pages."""
        self.is_full = True
        ballast = self.far / ".ballast"
        with ballast.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(PAGE))
        os.truncate(ballast, max(ballast.stat().st_size - left * PAGE, 0))

    @rule()
    def make_room(self) -> None:
        (self.far / ".ballast").unlink(missing_ok=True)
        self.is_full = False

    # What the daemon does.

    def act(self, work, kill: str) -> str:
        outcome = self.world.act(work, kill)
        self.is_down = outcome != "done"
        note(f"{outcome}; {[(row.id, row.name, row.state.value) for row in self.world.rows()]}")
        return outcome

    @precondition(lambda self: not self.is_down)
    @rule(kill=kills)
    def settle(self, kill: str) -> None:
        self.act(lambda acting: acting.settle(), kill)

    @rule(kill=kills)
    def restart(self, kill: str) -> None:
        self.act(lambda acting: acting.restart(), kill)

    @precondition(lambda self: not self.is_down)
    @rule(data=st.data(), kind=st.sampled_from([GOOD, BAD]), kill=kills)
    def answer(self, data: st.DataObject, kind: Verdict, kill: str) -> None:
        waiting = [row.sha256 for row in self.world.rows() if row.state is State.WAITING]
        if waiting:
            sha256 = data.draw(st.sampled_from(waiting))
            self.world.verdicts.setdefault(sha256, kind)
            self.act(lambda acting: acting.answered(sha256), kill)

    @precondition(lambda self: not self.is_down)
    @rule(kill=kills)
    def look_again(self, kill: str) -> None:
        self.act(lambda acting: acting.look_again(), kill)

    # What a person does.

    @precondition(lambda self: not self.is_down)
    @rule(data=st.data(), kill=kills)
    def release(self, data: st.DataObject, kill: str) -> None:
        rows = [row for row in self.world.rows() if row.state in {State.HELD, State.WAITING}]
        if rows:
            row = data.draw(st.sampled_from(rows))
            held = Path(os.fsdecode(row.held))
            if held.exists():
                self.by_hand.add(held.read_bytes())
            self.act(lambda acting: acting.release(row), kill)

    @precondition(lambda self: not self.is_down)
    @rule(data=st.data(), kill=kills)
    def restore(self, data: st.DataObject, kill: str) -> None:
        rows = [row for row in self.world.rows() if row.state is State.QUARANTINED]
        if rows:
            row = data.draw(st.sampled_from(rows))
            to = data.draw(st.sampled_from([self.world.back, self.world.released]))
            self.by_hand |= {each.content for each in self.payloads_of(row)}
            self.act(lambda acting: acting.restore(row, to), kill)

    @precondition(lambda self: not self.is_down)
    @rule(data=st.data(), kill=kills)
    def delete(self, data: st.DataObject, kill: str) -> None:
        rows = [row for row in self.world.rows() if row.state is State.QUARANTINED]
        if rows:
            row = data.draw(st.sampled_from(rows))
            for each in self.payloads_of(row):  # every point of it comes after the payload
                self.exist[each.content] -= 1
            self.act(lambda acting: acting.delete(row), kill)

    def payloads_of(self, row):
        return self.world.files(Path(os.fsdecode(row.destination)))

    # What is true all the while.

    @invariant()
    def nothing_is_lost_or_let_through(self) -> None:
        if not hasattr(self, "world"):
            return
        found = self.world.count()
        for content in self.exist | found:
            wanted = self.exist[content]
            most = wanted + 1 if self.is_down and wanted else wanted
            assert wanted <= found[content] <= most, (content, wanted, found[content])
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
        for path, sha256 in there.items():
            assert told.get(path, sha256 if self.has_lost else None) == sha256, path


Vault.TestCase.settings = settings(
    max_examples=int(os.environ.get("TESTS_EXAMPLES", "1000" if LONG else "30")),
    stateful_step_count=40 if LONG else 30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate, *([Phase.shrink] if LONG else [])),
)
TestVault = pytest.mark.timeout(0 if LONG else 120)(Vault.TestCase)
