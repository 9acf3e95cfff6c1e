"""The main table, row by row in both modes, told by where files are in the end."""

import json
import os
import stat
from dataclasses import dataclass
from pathlib import Path

import pytest

from checkfirst.model import State, VerdictKind
from checkfirst.simulator import faults
from checkfirst.simulator.known import (
    KnownFile,
    clean,
    few_opinions,
    malicious,
    only_suspicious,
    pending_with_zeros,
    pending_without_stats,
)
from checkfirst.simulator.plan import Fault
from checkfirst.simulator.server import Simulator
from checkfirst.simulator.thread import Elsewhere
from tests.stories.house import WAITING, House, not_at_midnight

pytestmark = [pytest.mark.story, pytest.mark.timeout(180)]

MTIME_NS = 1_600_000_000_123_456_789
REPORT_KEYS = {
    *("id", "name", "origin", "sha256", "size", "state", "verdict", "source", "reason"),
    *("detections", "engines", "report_url", "destination", "arrived_at", "decided_at", "until"),
    *("submitted_at", "mode", "mtime_ns", "name_base64"),
}


@dataclass(frozen=True)
class Row:
    name: str
    known: KnownFile | None
    """What VirusTotal knows; nothing of a file that it has never seen."""
    verdict: VerdictKind
    log: str

    @property
    def content(self) -> bytes:
        return self.name.encode()


def answered(name: str, make, verdict: VerdictKind, log: str) -> Row:
    return Row(name, make(name.encode()), verdict, log)


ANSWERED = (
    answered("bad.exe", malicious, VerdictKind.MALICIOUS, "62 of 64 engines call it malicious"),
    answered("feeling.exe", only_suspicious, VerdictKind.MALICIOUS, "5 of 63 engines call it"),
    answered("one.exe", lambda c: malicious(c, 1), VerdictKind.MALICIOUS, "1 of 64 engines calls"),
    answered("good.pdf", clean, VerdictKind.CLEAN, "none of 63 engines found anything"),
    answered("few.iso", few_opinions, VerdictKind.UNKNOWN, "only 2 engines had an opinion"),
    Row("never.bin", None, VerdictKind.UNKNOWN, "VirusTotal has never seen it"),
)
PENDING = (
    answered("early.bin", pending_without_stats, VerdictKind.PENDING, "not analysed yet"),
    answered("zeros.bin", pending_with_zeros, VerdictKind.PENDING, "not analysed yet"),
)
# One after the other befalls the whole service; whatever waits then waits for that reason.
FAILURES: tuple[tuple[str, Fault, str], ...] = (
    ("e503.bin", faults.error("TransientError"), "answer"),
    ("portal.bin", faults.html(), "answer"),
    ("dropped.bin", faults.dropped(), "answer"),
    ("e429.bin", faults.error("QuotaExceededError"), "refuses more requests"),
    ("e401.bin", faults.error("WrongCredentialsError"), "key was refused"),
)


@pytest.mark.parametrize("mode", ["normal", "stop-unknowns"])
def test_every_file_ends_where_the_main_table_says(home: Path, simulator: Elsewhere, mode: str):
    ends = {
        VerdictKind.MALICIOUS: State.QUARANTINED,
        VerdictKind.CLEAN: State.RELEASED,
        VerdictKind.UNKNOWN: State.RELEASED if mode == "normal" else State.QUARANTINED,
    }
    simulator.add(*(row.known for row in (*ANSWERED, *PENDING) if row.known))
    with House(home, simulator.url, mode=mode).running() as house:
        for row in (*ANSWERED, *PENDING):
            path = house.drop(row.name, row.content, home)
            path.chmod(0o4751)
            os.utime(path, ns=(MTIME_NS, MTIME_NS))
            path.rename(house.downloads / row.name)

        ended = house.until_ended(*(row.name for row in ANSWERED))
        for row in ANSWERED:
            arrival = ended[row.name.encode()]
            assert arrival.state is ends[row.verdict], row
            assert arrival.verdict is row.verdict, row
            event = arrival.state.value
            line = house.until_said(event, row.name)
            assert row.log in line
            if row.verdict is VerdictKind.UNKNOWN:
                assert "unknown: " in line
                assert f"mode {mode}" in line
            destination = Path(os.fsdecode(arrival.destination or b""))
            if arrival.state is State.RELEASED:
                is_released(house, row, destination)
            else:
                is_quarantined(house, row, destination)
        for row in PENDING:
            house.until_waits(row.name, row.log)

        for name, fault, reason in FAILURES:
            simulator.add(malicious(name.encode()))
            befall(simulator, fault)
            house.drop(name, name.encode())
            house.until_waits(name, reason)

        waiting = [*(row.name for row in PENDING), *(name for name, _, _ in FAILURES)]
        for name in waiting:
            assert house.until(name, *WAITING).destination is None
            assert held_bytes(house, name) == name.encode()
        assert house.below_downloads() == set()

        # What nobody could tell about is told, and no failure has been taken for an answer.
        simulator.heal()
        house.until_ended(*(name for name, _, _ in FAILURES))
        assert {house.rows(name)[-1].state for name, _, _ in FAILURES} == {State.QUARANTINED}
        house.until_said("recovered", "VirusTotal answers again")
        assert {house.rows(row.name)[-1].state for row in PENDING} == {State.WAITING}


def test_a_spent_quota_holds_what_it_leaves_unanswered(home: Path, simulator: Elsewhere):
    simulator.add(clean(b"first"), clean(b"second"))
    not_at_midnight()
    with House(home, simulator.url, virustotal={"per_day": 1}).running() as house:
        house.drop("first", b"first")
        house.until("first", State.RELEASED)
        house.drop("second", b"second")

        reason = house.until_waits("second", "daily quota is spent")
        until = next(each.until for each in house.snapshot().outlook if each.reason == reason)
        assert until is not None
        assert until % 86_400 == 0
        assert house.until_said("waiting", "daily quota is spent").startswith("waiting")
        assert len(simulator.requests) == 1


def befall(simulator: Elsewhere, fault: Fault) -> None:
    def deed(served: Simulator) -> None:
        served.faults.clear()
        served.faults.always(fault)

    simulator.do(deed)


def is_released(house: House, row: Row, path: Path) -> None:
    status = path.stat()
    assert path == house.released / row.name
    assert path.read_bytes() == row.content
    assert stat.S_IMODE(status.st_mode) == 0o751, "as it arrived, without set-id bits"
    assert status.st_mtime_ns == MTIME_NS


def is_quarantined(house: House, row: Row, folder: Path) -> None:
    report = json.loads((folder / "report.json").read_text())
    payload = folder / "payload.quarantined"
    assert folder.parent == house.quarantine
    assert folder.name[10:].startswith(f" {row.name} {report['sha256'][:8]}")
    assert {each.name for each in folder.iterdir()} == {
        *("payload.quarantined", "report.json", "report.txt")
    }
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(payload.stat().st_mode) == 0
    assert report.keys() >= REPORT_KEYS
    assert (report["name"], report["size"], report["state"]) == (
        *(row.name, len(row.content), "quarantined"),
    )
    assert (report["verdict"], report["source"]) == (row.verdict.value, "virustotal")
    assert (report["mode"] & 0o777, report["mtime_ns"]) == (0o751, MTIME_NS)
    assert report["sha256"] in (report["report_url"] or report["sha256"])
    assert row.log in (folder / "report.txt").read_text()
    payload.chmod(0o400)
    assert payload.read_bytes() == row.content
    payload.chmod(0)


def held_bytes(house: House, name: str) -> bytes:
    held = house.rows(name)[-1].held
    assert held is not None
    return Path(os.fsdecode(held)).read_bytes()
