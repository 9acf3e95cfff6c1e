"""A second process does what the threads do, and takes nothing along when it goes."""

import fcntl
import hashlib
import logging
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing import Pipe
from pathlib import Path

import pytest

from checkfirst.errors import HandsLostError, Problem
from checkfirst.model import Action, Arrival, Decision, State, Verdict, VerdictKind
from checkfirst.service.crew import Doer
from checkfirst.service.errand import SIGN, Begin, Carried, CarryOut, Take, Taken
from checkfirst.service.hands import Ends, Hands
from checkfirst.service.lock import only_one
from checkfirst.service.other_hands import OtherHands
from checkfirst.service.serving import SIGN_SECONDS, Serving
from checkfirst.service.work import Below, Done, InHand, Missed, Ordered, Undone, Work
from checkfirst.vault.grip import ignore_lease_breaks, stamp_of
from tests.fakes.clock import FakeClock

CLEAN = Verdict(VerdictKind.CLEAN, "remembered", "0 of 70 engines", 0, 70)
BAD = Verdict(VerdictKind.MALICIOUS, "lists", "it is on your block list")
RELEASE = Decision(Action.RELEASE, CLEAN.reason)
NAMES = [b"plain.txt", b"line\nbreak", b"\xff\xfe", b"-rf", b"x" * 255]


class Desk:
    """Folders, and files of them as the line hands them on."""

    def __init__(self, top: Path) -> None:
        self.downloads, self.released = top / "Downloads", top / "Released"
        self.quarantine, self.state = top / "Quarantine", top / "state"
        for folder in (self.downloads, self.state):
            folder.mkdir(parents=True)
        self.marks = True
        self.hands = Hands(
            Ends(os.fsencode(self.released), os.fsencode(self.quarantine), False, False),
            os.fsencode(self.state),
            below=lambda _: Below(leases=True, marks=self.marks),
            token=lambda: "trial",
            stopped=lambda: False,
            kinds=lambda: ("md5",),
        )
        self.root = os.fsencode(self.downloads)
        self.held = self.hands.held_folder_blocking(self.root)
        self.numbers = iter(range(1, 1000))

    def file(self, name: bytes, content: bytes) -> Work:
        path = os.path.join(self.root, name)
        Path(os.fsdecode(path)).write_bytes(content)
        return self.work(path)

    def work(self, path: bytes) -> Work:
        seen = stamp_of(os.lstat(path))
        held = os.path.join(self.held.slot("slot"), os.path.basename(path))
        row = Arrival(next(self.numbers), State.HOLDING, self.root, path, held, size=seen.size)
        return Work(row, seen)


def ordered(hand: InHand | Missed, verdict: Verdict = CLEAN) -> Ordered:
    assert isinstance(hand, InHand)
    action = Action.RELEASE if verdict is CLEAN else Action.QUARANTINE
    return Ordered(hand, verdict, Decision(action, verdict.reason), 1_764_000_000.0)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    ignore_lease_breaks()
    return Desk(tmp_path)


@pytest.fixture
def other(desk: Desk) -> Iterator[OtherHands]:
    with hired(desk) as other:
        yield other


@contextmanager
def hired(desk: Desk) -> Iterator[OtherHands]:
    with only_one(desk.state) as lock:
        other = OtherHands(desk.hands, lock, lambda: False)
        try:
            other.start_blocking()
            yield other
        finally:
            other.let_go_blocking()


def until(look: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not look():
        assert time.monotonic() < end
        time.sleep(0.01)


def is_gone(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    return True


def outcome(desk: Desk, doer: Doer) -> list[object]:
    """What a batch of all kinds leads to, without what differs from one file to the next."""
    works = [desk.file(name, name * 3) for name in NAMES]
    works.append(desk.file(b"bad", b"bad"))
    gone, busy, swapped = (desk.file(name, name) for name in (b"gone", b"busy", b"swapped"))
    os.unlink(gone.arrival.origin)
    os.unlink(swapped.arrival.origin)
    os.symlink("/etc/passwd", swapped.arrival.origin)
    with open(busy.arrival.origin, "ab"):
        taken = doer.take_blocking([*works, gone, busy, swapped])
    hands = [one for one in taken if isinstance(one, InHand)]
    orders = [ordered(one, BAD if one.work.arrival.name == b"bad" else CLEAN) for one in hands[1:]]
    ends = doer.carry_out_blocking(orders, hands[:1])
    told: list[object] = [one[1:] for one in taken if isinstance(one, InHand)]
    told = [
        (hand.fingerprint, hand.origin_url, hand.grip.stamp.size, hand.grip.lease) for hand in hands
    ]
    told += [(m.state, m.reason, m.quiet) for m in taken if isinstance(m, Missed)]
    told += [
        (end.destination, end.other_names) if isinstance(end, Done) else (end.reason, end.quiet)
        for end in ends
    ]
    return told


def test_it_does_what_the_threads_do(tmp_path: Path):
    ignore_lease_breaks()
    here, there = Desk(tmp_path / "here"), Desk(tmp_path / "there")
    with hired(there) as other:
        told = outcome(there, other)
        assert other.idle
    wanted = outcome(here, here.hands)
    assert repr(told).replace("/there/", "/here/") == repr(wanted)
    assert len(told) == 2 * len(NAMES) + 4
    for desk in (here, there):
        assert sorted(os.listdir(os.fsencode(desk.released))) == sorted(NAMES[1:])
        [case] = desk.quarantine.iterdir()
        assert (case / "payload.quarantined").stat().st_mode & 0o777 == 0
        slot = Path(os.fsdecode(desk.held.slot("slot")))
        assert [path.name for path in slot.iterdir()] == ["plain.txt"]


def test_what_it_holds_nobody_can_write_to_until_it_is_put_down(desk: Desk, other: OtherHands):
    [hand] = other.take_blocking([desk.file(b"a", b"a")])
    assert isinstance(hand, InHand)
    assert not other.idle
    held = hand.work.arrival.held
    assert held is not None
    with pytest.raises(BlockingIOError):
        os.open(held, os.O_WRONLY | os.O_NONBLOCK)
    other.put_down_blocking([hand])
    os.close(os.open(held, os.O_WRONLY | os.O_NONBLOCK))
    assert other.idle


def test_bytes_that_change_in_its_hand_are_not_released(desk: Desk, other: OtherHands):
    [hand] = other.take_blocking([desk.file(b"a", b"a")])
    assert isinstance(hand, InHand)
    assert hand.work.arrival.held
    with suppress(BlockingIOError):  # breaks the lease
        os.open(hand.work.arrival.held, os.O_WRONLY | os.O_NONBLOCK)
    [end] = other.carry_out_blocking([ordered(hand)], [])
    assert isinstance(end, Undone)
    assert os.path.exists(hand.work.arrival.held)


def test_one_that_is_killed_is_lost_and_says_so(desk: Desk, other: OtherHands):
    [hand] = other.take_blocking([desk.file(b"a", b"a")])
    os.kill(other.pid, signal.SIGKILL)
    with pytest.raises(HandsLostError, match="signal 9"):
        other.carry_out_blocking([ordered(hand)], [])
    assert other.lost
    assert other.idle
    assert isinstance(hand, InHand)
    other.put_down_blocking([hand])
    with pytest.raises(HandsLostError):
        other.take_blocking([desk.file(b"b", b"b")])
    assert (desk.downloads / "b").exists()
    assert not desk.released.exists()


def test_an_errand_that_goes_wrong_as_a_whole_ends_it_in_words(
    desk: Desk, other: OtherHands, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    [hand] = desk.hands.take_blocking([desk.file(b"a", b"a")])
    with pytest.raises(HandsLostError, match="KeyError"):
        other.carry_out_blocking([ordered(hand)], [])
    assert is_gone(other.pid)
    assert "Traceback" in caplog.text
    assert "serving.py" in caplog.text
    assert isinstance(hand, InHand)
    hand.grip.close()


def test_nothing_heavy_is_loaded_before_it_would_die_with_the_daemon():
    look = "import sys, checkfirst.service.hands_process; print(*sys.modules)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    told = subprocess.run(
        [sys.executable, "-c", look], env=environment, capture_output=True, check=True, text=True
    )
    ours = {name for name in told.stdout.split() if name.startswith("checkfirst")}
    assert ours == {
        "checkfirst",
        "checkfirst.service",
        "checkfirst.service.hands_process",
        "checkfirst.vault",
        "checkfirst.vault.kernel",
    }


class HeldFast:
    """A process in a call that the kernel does not come back from: SIGKILL has to wait."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self.process = process
        self.kills = 0

    @property
    def pid(self) -> int:
        return self.process.pid

    def kill(self) -> None:
        self.kills += 1

    def wait(self, timeout: float | None = None) -> int:
        return self.process.wait(timeout)

    def poll(self) -> int | None:
        return self.process.poll()


def test_files_of_one_that_does_not_even_die_by_force_are_left_alone(
    desk: Desk, caplog: pytest.LogCaptureFixture
):
    with hired(desk) as other, ThreadPoolExecutor(3) as pool:
        assert other._process is not None
        process = other._process
        os.kill(other.pid, signal.SIGSTOP)
        moving = pool.submit(other.take_blocking, [desk.file(b"a", b"a")])
        until(lambda: other.busy)
        waiting = pool.submit(other.take_blocking, [desk.file(b"b", b"b")])
        held_fast = HeldFast(process)
        other._process = held_fast  # type: ignore[assignment]
        other.kill("it hung")
        with pytest.raises(HandsLostError, match="it hung"):
            waiting.result(10)  # of which it had nothing in its hands
        end = pool.submit(other.let_go_blocking)
        until(lambda: "does not end even by force" in caplog.text)
        assert held_fast.kills == 2
        assert not moving.done()
        assert not end.done()
        process.kill()
        end.result(10)
        with pytest.raises(HandsLostError, match="it hung"):
            moving.result(10)
    assert caplog.text.count("does not end even by force") == 1


def test_signals_for_the_daemon_do_not_end_it(desk: Desk, other: OtherHands):
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGIO):
        os.kill(other.pid, number)
    [hand] = other.take_blocking([desk.file(b"a", b"a")])
    [end] = other.carry_out_blocking([ordered(hand)], [])
    assert isinstance(end, Done)


def test_it_ends_when_it_is_let_go(desk: Desk):
    with hired(desk) as other:
        pid = other.pid
    assert is_gone(pid)


def test_it_is_given_no_secrets(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CHECKFIRST_VIRUSTOTAL__API_KEY", "very-secret")
    monkeypatch.setenv("Checkfirst_virustotal__api_key", "very-secret too")
    monkeypatch.setenv("SOMETHING_ELSE", "kept")
    with hired(desk) as other:
        told = Path(f"/proc/{other.pid}/environ").read_bytes()
    assert b"kept" in told
    assert b"very-secret" not in told


def test_no_module_comes_from_the_folder_one_happens_to_be_in(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "secrets.py").write_text("raise SystemExit('a download was run')")
    monkeypatch.chdir(tmp_path)
    with hired(desk) as other:
        [hand] = other.take_blocking([desk.file(b"a", b"a")])
        assert isinstance(hand, InHand)


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Something else than ourselves is started: these lines, with the pipe in `line`."""

    def start_instead(lines: str) -> None:
        python = tmp_path / "python"
        python.write_text(
            f"#!{sys.executable}\nimport os, sys, time\n"
            "from multiprocessing.connection import Connection\n"
            f"line = Connection(int(sys.argv[-1]))\n{lines}"
        )
        python.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(python))

    return start_instead


def test_another_version_is_not_worked_with_and_told_nothing(
    desk: Desk, tmp_path: Path, stand_in: Callable[[str], None]
):
    stand_in(
        f"if line.poll(0.5): open({str(tmp_path / 'told')!r}, 'w')\n"
        "line.send_bytes(b'0.0.1')\n"
        "line.recv_bytes()\n"
    )
    other = OtherHands(desk.hands, new_lock(desk), lambda: False)
    with pytest.raises(Problem, match=r"version 0\.0\.1"):
        other.start_blocking()
    assert other.lost
    assert not (tmp_path / "told").exists()
    other.let_go_blocking()
    assert is_gone(other.pid)


def new_lock(desk: Desk) -> int:
    return os.open(desk.state, os.O_RDONLY)


@pytest.mark.parametrize(
    "lines",
    ["", "line.recv_bytes()", "line.send_bytes(b'')", "line.send_bytes(b'\\xff')"],
    ids=["ends", "listens first", "says nothing", "says nonsense"],
)
def test_one_that_does_not_come_up_is_an_error_and_leaves_nothing(
    desk: Desk, stand_in: Callable[[str], None], lines: str
):
    stand_in(f"{lines}\n" if "recv" not in lines else "sys.exit(1)\n")
    lock = new_lock(desk)
    before = set(os.listdir("/proc/self/fd"))
    other = OtherHands(desk.hands, lock, lambda: False)
    with pytest.raises((Problem, EOFError, OSError)):
        other.start_blocking()
    other.let_go_blocking()
    assert is_gone(other.pid)
    assert not Path(f"/proc/{other.pid}").exists()
    assert set(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize("python", ["/nowhere/python", ""])
def test_without_a_python_none_comes_up(desk: Desk, monkeypatch: pytest.MonkeyPatch, python: str):
    monkeypatch.setattr(sys, "executable", python)
    other = OtherHands(desk.hands, new_lock(desk), lambda: False)
    with pytest.raises(OSError, match=r"No such file|Permission"):
        other.start_blocking()
    assert other.lost
    other.let_go_blocking()


def test_one_that_hangs_at_its_start_is_killed_from_outside(
    desk: Desk, stand_in: Callable[[str], None]
):
    stand_in("os.execlp('sleep', 'sleep', '600')\n")
    other = OtherHands(desk.hands, new_lock(desk), lambda: False)
    with ThreadPoolExecutor(1) as pool:
        start = pool.submit(other.start_blocking)
        until(lambda: other.pid != 0)
        until(lambda: b"sleep" in Path(f"/proc/{other.pid}/cmdline").read_bytes())
        held = [os.readlink(each) for each in Path(f"/proc/{other.pid}/fd").iterdir()]
        assert os.fspath(desk.state) not in held  # the lock of one that dies meanwhile is free
        other.kill("not needed")
        with pytest.raises((EOFError, OSError)):
            start.result(5)
    other.let_go_blocking()
    assert not Path(f"/proc/{other.pid}").exists()


def test_who_waits_for_one_that_is_killed_hears_why_and_only_when_it_is_dead(desk: Desk):
    with hired(desk) as other, ThreadPoolExecutor(3) as pool:
        os.kill(other.pid, signal.SIGSTOP)
        long_names = [desk.file(b"%d" % n + b"x" * 250, b"x") for n in range(200)]
        lanes = [
            pool.submit(other.take_blocking, works)
            for works in (long_names, [desk.file(b"b", b"b")], [desk.file(b"c", b"c")])
        ]
        until(lambda: other.busy)
        assert not any(lane.done() for lane in lanes)
        other.kill("it hung")
        for lane in lanes:
            with pytest.raises(HandsLostError, match="it hung"):
                lane.result(10)
        assert is_gone(other.pid)
        assert other.idle


def test_one_that_is_stopped_and_let_go_ends_with_no_zombie_and_no_other_error(desk: Desk):
    with hired(desk) as other, ThreadPoolExecutor(1) as pool:
        os.kill(other.pid, signal.SIGSTOP)
        lane = pool.submit(other.take_blocking, [desk.file(b"a", b"a")])
        until(lambda: other.busy)
        other.let_go_blocking()
        with pytest.raises(HandsLostError):
            lane.result(10)
    assert not Path(f"/proc/{other.pid}").exists()


def test_one_that_is_let_go_ends_what_it_is_at(desk: Desk):
    with hired(desk) as other, ThreadPoolExecutor(2) as pool:
        os.kill(other.pid, signal.SIGSTOP)
        lane = pool.submit(other.take_blocking, [desk.file(b"a", b"a")])
        until(lambda: other.busy)
        end = pool.submit(other.let_go_blocking)
        until(lambda: other.lost)
        os.kill(other.pid, signal.SIGCONT)
        [hand] = lane.result(10)
        end.result(10)
    assert isinstance(hand, InHand)


def test_a_long_read_over_there_is_given_up_when_we_are_to_stop(desk: Desk):
    """A file that has grown huge since it settled."""
    stop = threading.Event()
    size = 1 << 40
    work = desk.file(b"huge", b"")
    os.truncate(work.arrival.origin, size)
    work = desk.work(work.arrival.origin)
    with only_one(desk.state) as lock, ThreadPoolExecutor(1) as pool:
        other = OtherHands(desk.hands, lock, stop.is_set)
        try:
            other.start_blocking()
            lane = pool.submit(other.take_blocking, [work])
            until(lambda: other.signs > 0)  # it gets on, and says so
            assert not lane.done()
            stop.set()
            [missed] = lane.result(20)
            assert isinstance(missed, Missed)
            assert missed.quiet
            [hand] = other.take_blocking([desk.file(b"small", b"x")])
            assert isinstance(hand, InHand)
        finally:
            other.let_go_blocking()


class Slow(FakeClock):
    """Whoever asks for the time has taken long."""

    def monotonic(self) -> float:
        self._monotonic += SIGN_SECONDS
        return self._monotonic


def test_an_errand_of_many_files_has_signs_of_life_in_the_middle(desk: Desk):
    ours, theirs = Pipe()
    with ours, theirs:
        serving = Serving(Begin(desk.hands.ends, desk.hands.state), theirs, Slow())
        works = [desk.file(b"%d" % number, b"x") for number in range(3)]
        files = [(work.arrival, work.stamp) for work in works]
        below = {desk.root: Below(leases=True, marks=True)}
        taken = serving.do_blocking(Take(files, below, {desk.root: desk.held}, ()))
        assert [type(one) for one in taken] == [Taken] * len(works)
        assert [ours.recv_bytes() for _ in range(3)] == [SIGN] * 3
        assert not ours.poll()
        orders = [(number, CLEAN, RELEASE, 0.0) for number in range(1, len(works) + 1)]
        ended = serving.do_blocking(CarryOut(orders[1:], [1]))
        assert [type(one) for one in ended] == [Carried] * len(orders[1:])
        assert [ours.recv_bytes() for _ in orders[1:]] == [SIGN] * 2
    assert len(list(desk.released.iterdir())) == len(orders[1:])


_DAEMON = """
import os, pickle, sys, time
from pathlib import Path
from checkfirst.service.lock import only_one
from checkfirst.service.other_hands import OtherHands
from checkfirst.vault.grip import ignore_lease_breaks
from tests.service.test_other_hands import Desk
ignore_lease_breaks()
desk = Desk(Path(sys.argv[1]))
with only_one(desk.state) as lock:
    other = OtherHands(desk.hands, lock, lambda: False)
    other.start_blocking()
    other.take_blocking([desk.file(b"a", b"a")])
    print(other.pid, flush=True)
    time.sleep(600)
"""


def test_it_dies_with_the_daemon_and_keeps_its_lock_until_then(tmp_path: Path):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    top = tmp_path / "home"
    with subprocess.Popen(
        [sys.executable, "-c", _DAEMON, str(top)], stdout=subprocess.PIPE, env=environment
    ) as daemon:
        assert daemon.stdout is not None
        pid = int(daemon.stdout.readline())
        os.kill(pid, signal.SIGSTOP)
        locks = [Path(os.readlink(path)).name for path in Path(f"/proc/{pid}/fd").iterdir()]
        assert "daemon.lock" in locks
        daemon.kill()
    until(lambda: is_gone(pid))
    with only_one(top / "state"):
        pass


def test_it_holds_a_lock_that_another_daemon_would_need(desk: Desk):
    with only_one(desk.state) as lock:
        other = OtherHands(desk.hands, lock, lambda: False)
        other.start_blocking()
    try:
        with open(desk.state / "daemon.lock", "rb") as file, pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        other.let_go_blocking()
    with only_one(desk.state):
        pass


def test_a_mark_beside_a_file_is_read_where_there_may_be_some(desk: Desk, other: OtherHands):
    zone = b"[ZoneTransfer]\r\nHostUrl=https://example.com/a.exe\r\n"
    found = {}
    for doer in (desk.hands, other):
        for desk.marks in (True, False):
            work = desk.file(b"a.exe", b"MZ")
            Path(os.fsdecode(work.arrival.origin + b":Zone.Identifier")).write_bytes(zone)
            [hand] = doer.take_blocking([work])
            assert isinstance(hand, InHand)
            found[doer, desk.marks] = hand.origin_url
            doer.carry_out_blocking([ordered(hand)], [])
    assert found == {
        (doer, marks): "https://example.com/a.exe" if marks else None
        for doer in (desk.hands, other)
        for marks in (True, False)
    }


def test_what_it_says_of_a_file_fits_the_bytes(desk: Desk, other: OtherHands):
    [hand] = other.take_blocking([desk.file(b"a.exe", b"MZ" + bytes(100))])
    assert isinstance(hand, InHand)
    content = b"MZ" + bytes(100)
    assert hand.fingerprint.sha256 == hashlib.sha256(content).hexdigest()
    assert hand.fingerprint.others == (hashlib.md5(content, usedforsecurity=False).hexdigest(),)
    assert pickle.loads(pickle.dumps(hand.fingerprint)) == hand.fingerprint
    other.put_down_blocking([hand])
