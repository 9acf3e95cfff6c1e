import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkfirst.model import Arrival, Risk, State, VerdictKind
from checkfirst.vault.report import LARGEST, Report

FULL = Report(
    id=17,
    origin=b"/home/ann/Downloads/inv\xff\n.exe",
    sha256="a" * 64,
    size=12,
    mode=0o755,
    mtime_ns=1_700_000_000_123_456_789,
    verdict=VerdictKind.MALICIOUS,
    source="virustotal",
    reason="62 of 64 engines call it malicious",
    detections=62,
    engines=64,
    threats=("One: Trojan\x1b[2J", "Two: Bad"),
    content_type="application/x-dosexec",
    risk=Risk.PROGRAM,
    report_url="https://www.virustotal.com/gui/file/" + "a" * 64,
    arrived_at=1_700_000_000.0,
    decided_at=1_700_000_060.0,
    submitted_at=1_700_000_030.0,
    origin_url="https://example.com/inv.exe",
)


def test_what_is_written_is_read_back():
    assert Report.from_json(FULL.to_json()) == FULL


def test_the_json_has_the_keys_of_history_and_enough_to_restore():
    facts = json.loads(FULL.to_json())
    assert facts["id"] == "17"
    assert facts["name"] == "inv\\xff\\x0a.exe"
    assert facts["size"] == 12
    assert facts["state"] == "quarantined"
    assert facts["decided_at"] == "2023-11-14T22:14:20Z"
    assert set(facts) == {
        *("id", "name", "origin", "sha256", "size", "state", "verdict", "source", "reason"),
        *("detections", "engines", "report_url", "destination", "arrived_at", "decided_at"),
        *("until", "submitted_at", "mode", "mtime_ns", "name_base64", "origin_base64"),
        *("threats", "content_type", "risk", "origin_url"),
    }


names = st.binary(min_size=1, max_size=255).filter(
    lambda name: b"/" not in name and b"\0" not in name and name not in (b".", b"..")
)


@given(name=names, size=st.integers(0, 2**63 - 1), mode=st.integers(0, 0o7777))
def test_every_name_comes_back_byte_for_byte(name, size, mode):
    report = Report(1, b"/d/" + name, "0" * 64, size, mode, -1)
    assert Report.from_json(report.to_json()) == report
    assert report.name == name


NONSENSE = {
    "id": [None, 17, "", "-1", "x", "1" * 30, "٣"],
    "sha256": [None, "", "A" * 64, "a" * 63, 5, "a" * 64 + "\n"],
    "size": [None, -1, 1.5, "12", True, 2**70],
    "mode": [None, -1, 0o10000, "rwx"],
    "mtime_ns": [None, "1", 2**70, 1e300],
    "state": [None, "released?", 3, []],
    "verdict": ["good", 3, {}],
    "origin_base64": [None, "!", "Li4=", "L2EAYg==", "é"],
    "name_base64": [None, "Lg==", "Li4=", "", "b3RoZXI="],
    "threats": ["text", [1], [None], ["x"] * 501, {"a": 1}, ["\ud800"]],
    "detections": [-1, "3", 1.5],
    "reason": [3, [], "x" * 20_000, "\ud800"],
    "report_url": ["javascript:alert(1)", "file:///etc/passwd", "https://a b", "https://a\n"],
    "arrived_at": ["yesterday", 5, "2023-11-14T22:14:20", "9999-99-99T99:99:99Z"],
}


@pytest.mark.parametrize(
    ("key", "value"), [(key, value) for key, values in NONSENSE.items() for value in values]
)
def test_nonsense_is_refused(key, value):
    facts = json.loads(FULL.to_json())
    facts[key] = value
    with pytest.raises(ValueError):  # noqa: PT011
        Report.from_json(json.dumps(facts).encode())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"id": ' + b"9" * 5000 + b"}",
        b" " * LARGEST + b"{}",
    ],
)
def test_what_is_no_object_is_refused(data):
    with pytest.raises(ValueError):  # noqa: PT011
        Report.from_json(data)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists))
def test_no_value_anywhere_makes_more_than_a_value_error(value):
    facts = json.loads(FULL.to_json())
    for key in facts:
        try:
            Report.from_json(json.dumps({**facts, key: value}).encode())
        except ValueError:
            continue


def test_an_origin_that_climbs_cannot_be_smuggled_in_by_the_name():
    report = dataclasses.replace(FULL, origin=b"/home/ann/..")
    with pytest.raises(ValueError, match="no path"):
        Report.from_json(report.to_json())


def test_a_report_and_its_row_say_the_same():
    row = FULL.arrival(b"/q/folder")
    assert row.destination == b"/q/folder"
    assert row.id == 0
    assert Report.of(row._replace(id=17, destination=None)) == FULL


def test_an_arrival_without_fingerprint_has_no_report():
    with pytest.raises(ValueError, match="fingerprint"):
        Report.of(Arrival(1, State.HELD, b"/r", b"/r/a"))
