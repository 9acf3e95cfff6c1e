import dataclasses
import time

import pytest

from checkfirst.model import VerdictKind
from checkfirst.vault.report import Report
from checkfirst.vault.report_text import to_text
from tests import snapshots

REPORT = Report(
    id=17,
    origin=b"/home/ann/Downloads/inv\xff\n\xe2\x80\xaegpj.exe",
    sha256="ab" * 32,
    size=1234567,
    mode=0o755,
    mtime_ns=0,
    verdict=VerdictKind.MALICIOUS,
    source="virustotal",
    reason="62 of 64 engines call it malicious",
    detections=62,
    engines=64,
    threats=("One: Trojan\x1b[2J\nTwo: fine",),
    report_url="https://www.virustotal.com/gui/file/" + "ab" * 32,
    arrived_at=1_700_000_000.0,
    decided_at=1_700_000_060.0,
)


def test_it_says_what_whence_when_why_and_what_to_do():
    text = to_text(REPORT)
    for part in (
        "File:        inv\\xff\\x0a\\u202egpj.exe\n",
        "/home/ann/Downloads/",
        "2023-11-14 22:13:20 (UTC+0000)",
        "1.2 MB (1,234,567 bytes)",
        "62 of 64 engines call it harmful.",
        "https://www.virustotal.com/gui/file/",
        "checkfirst quarantine restore 17\n",
        "checkfirst quarantine delete 17\n",
        "second opinion",
    ):
        assert part in text


@pytest.fixture(autouse=True)
def utc(monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_the_clock_on_the_wall_counts(monkeypatch):
    monkeypatch.setenv("TZ", "CET-1")
    time.tzset()
    assert "2023-11-14 23:13:20 (UTC+0100)" in to_text(REPORT)


def test_engines_that_agree_are_told_once_and_how_many_are_not_named():
    threats = (*(f"Engine {n}: Trojan.Generic" for n in range(12)), "ClamAV: Eicar")
    text = to_text(dataclasses.replace(REPORT, threats=threats))
    assert "What they call it (13 of the 62):\n    Trojan.Generic\n        Engine 0, " in text
    assert "    Eicar  (ClamAV)\n" in text
    called = text.partition("What they call it")[2].splitlines()
    assert max(map(len, called)) <= 91


def test_no_hostile_character_survives():
    text = to_text(REPORT)
    assert all(line.isprintable() for line in text.splitlines())
    assert "    Trojan\\x1b[2J\\x0aTwo: fine  (One)\n" in text
    assert text.encode()


def test_an_unjudged_file_is_not_called_harmful():
    text = to_text(
        dataclasses.replace(
            REPORT, verdict=VerdictKind.UNKNOWN, detections=None, engines=None, threats=()
        )
    )
    assert "No engine has judged it yet" in text
    assert "harmful" not in text


def test_a_file_on_the_users_own_list_has_no_opinions():
    text = to_text(
        dataclasses.replace(REPORT, source="lists", detections=None, engines=None, threats=())
    )
    assert "no engines' opinions" in text


def test_it_looks_as_it_did():
    threats = (
        *(f"Engine {n}: Trojan.Generic" for n in range(18)),
        "ClamAV: Eicar",
        *REPORT.threats,
    )
    snapshots.same("report", to_text(dataclasses.replace(REPORT, threats=threats)))


def test_names_of_fewer_engines_than_call_it_harmful_are_counted():
    threats = ("One: Trojan", "Two: Trojan")
    text = to_text(dataclasses.replace(REPORT, threats=threats, detections=62))
    assert "What they call it (2 of the 62):\n" in text
    text = to_text(dataclasses.replace(REPORT, threats=threats, detections=2))
    assert "What they call it:\n" in text
