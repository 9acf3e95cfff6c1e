import dataclasses
import hashlib
import json
import os

import pytest

from checkfirst.model import VerdictKind
from checkfirst.vault.grip import grasp_blocking
from checkfirst.vault.payload import seal_blocking
from checkfirst.vault.problems import ChangedError, DiskError
from checkfirst.vault.quarantine import (
    quarantine_blocking,
    read_report_blocking,
    scan_blocking,
)
from checkfirst.vault.report import Report

DATA = b"malware"
SHA = hashlib.sha256(DATA).hexdigest()
FILES = [b"payload.quarantined", b"report.json", b"report.txt"]


def written(path: bytes, data: bytes = DATA) -> bytes:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)
    return path


def read(path: bytes) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def report_of(path: bytes, number: int = 1) -> Report:
    seen = os.stat(path)
    return Report(
        id=number,
        origin=b"/home/ann/Downloads/" + os.path.basename(path),
        sha256=SHA,
        size=seen.st_size,
        mode=seen.st_mode & 0o7777,
        mtime_ns=seen.st_mtime_ns,
        verdict=VerdictKind.MALICIOUS,
        decided_at=1_700_000_060.0,
    )


@pytest.fixture
def held(place):
    return written(place + b"/held/slot/bad.exe")


@pytest.fixture(params=["rename", "no lease", "other filesystem"])
def quarantine(request, place):
    if request.param == "other filesystem":
        return request.getfixturevalue("other") + b"/Quarantine", True
    return place + b"/Quarantine", request.param == "rename"


def put(held, quarantine, lease, report=None):
    with grasp_blocking(held, lease=lease) as grip:
        return quarantine_blocking(grip, held, quarantine, report or report_of(held))


def test_the_folder_holds_a_sealed_payload_and_two_reports(held, quarantine):
    folder, lease = quarantine
    placed = put(held, folder, lease)
    assert os.path.basename(placed.path) == b"2023-11-14 bad.exe " + SHA[:8].encode()
    assert sorted(os.listdir(placed.path)) == FILES
    assert os.stat(placed.path).st_mode & 0o777 == 0o700
    assert os.stat(folder).st_mode & 0o777 == 0o700
    payload = os.stat(placed.path + b"/payload.quarantined")
    assert payload.st_mode & 0o7777 == 0
    assert payload.st_nlink == 1
    assert read(placed.path + b"/payload.quarantined") == DATA  # as root; nobody else can
    facts = json.loads(read(placed.path + b"/report.json"))
    assert facts["destination"] == os.fsdecode(placed.path)
    assert b"bad.exe" in read(placed.path + b"/report.txt")
    assert os.listdir(os.path.dirname(held)) == []
    assert os.listdir(folder) == [os.path.basename(placed.path)]


def test_the_payload_is_never_openable_in_the_quarantine(held, quarantine, at, place):
    """It is sealed before it has its name there."""
    folder, lease = quarantine
    seen = []

    def look() -> None:
        for found in scan_blocking(folder):
            assert found.payload is not None
            seen.append(found.payload.mode & 0o7777)

    at("quarantine.moved", look)
    at("quarantine.linked", look)
    put(held, folder, lease)
    assert seen == [0]


@pytest.mark.parametrize(
    "name", [b"new\nline", b"\xff\xfe", b"x" * 255, b"..hidden", b"\xe2\x80\xaegpj", b"con. "]
)
def test_odd_names_are_found_again_byte_for_byte(place, quarantine, name):
    folder, lease = quarantine
    placed = put(written(place + b"/held/slot/" + name), folder, lease)
    assert os.fsdecode(os.path.basename(placed.path)).isprintable()
    report = read_report_blocking(placed.path)
    assert report is not None
    assert report.name == name


def test_many_of_one_name_and_hash_get_folders_of_their_own(place, quarantine):
    folder, lease = quarantine
    many = 200 if lease and folder.startswith(place + b"/Q") else 20
    paths = set()
    for n in range(many):
        held = written(place + b"/held/slot/bad.exe")
        paths.add(put(held, folder, lease, report_of(held, n)).path)
    assert len(paths) == many
    assert any(path.endswith(b" (2)") for path in paths)
    found = list(scan_blocking(folder))
    assert {each.report.id for each in found if each.report} == set(range(many))
    assert all(each.payload for each in found)


def test_another_hard_link_is_told_of(place, held, quarantine):
    folder, lease = quarantine
    os.link(held, place + b"/elsewhere")
    placed = put(held, folder, lease)
    assert placed.fresh
    assert placed.other_names == 1
    payload = os.stat(placed.path + b"/payload.quarantined")
    assert payload.st_mode & 0o7777 == 0
    assert payload.st_nlink == 1
    assert os.stat(place + b"/elsewhere").st_mode & 0o7777 != 0  # it is somebody else's business


def test_changed_bytes_stay_held(held, quarantine):
    folder, _ = quarantine
    with grasp_blocking(held, lease=False) as grip:
        written(held, b"changed")
        with pytest.raises(ChangedError):
            quarantine_blocking(grip, held, folder, report_of(held))
    assert read(held) == b"changed"
    assert os.listdir(folder) == [], "nothing tells of a file that is not there"


def test_what_was_begun_is_finished_in_the_same_folder(held, quarantine):
    folder, lease = quarantine
    report = report_of(held)
    begun = put(held, folder, lease, report).path
    os.unlink(begun + b"/payload.quarantined")  # as a crash just before it came would have it
    placed = put(written(held), folder, lease, report)
    assert placed.path == begun
    assert os.listdir(folder) == [os.path.basename(placed.path)]
    assert sorted(os.listdir(placed.path)) == FILES


def test_a_payload_that_arrived_before_a_crash_is_not_put_there_twice(held, quarantine):
    folder, lease = quarantine
    report = report_of(held)
    first = put(held, folder, lease, report)
    written(held)
    again = put(held, folder, lease, report)
    assert again.path == first.path
    assert not os.path.exists(held)
    assert sorted(os.listdir(first.path)) == FILES
    assert os.stat(first.path + b"/payload.quarantined").st_mode & 0o7777 == 0


def test_a_strange_payload_is_not_touched(held, quarantine):
    folder, lease = quarantine
    report = report_of(held)
    first = put(held, folder, lease, report)
    os.chmod(first.path + b"/payload.quarantined", 0o600)
    written(first.path + b"/payload.quarantined", b"something else")
    written(held)
    again = put(held, folder, lease, report)
    assert again.path == first.path + b" (2)"
    assert read(first.path + b"/payload.quarantined") == b"something else"


@pytest.mark.parametrize("kind", ["link", "folder"])
def test_what_is_no_file_and_has_the_payloads_name_is_not_touched(held, quarantine, kind):
    folder, lease = quarantine
    report = report_of(held)
    first = put(held, folder, lease, report)
    payload = first.path + b"/payload.quarantined"
    os.unlink(payload)
    if kind == "link":
        os.symlink(written(folder + b"/mine"), payload)
    else:
        written(payload + b"/mine")
    written(held)
    assert put(held, folder, lease, report).path == first.path + b" (2)"
    assert os.path.islink(payload) is (kind == "link")
    assert os.path.isdir(payload) is (kind == "folder")


def test_an_empty_reservation_is_filled(held, quarantine):
    folder, lease = quarantine
    report = report_of(held)
    first = put(held, folder, lease, report)
    os.unlink(first.path + b"/payload.quarantined")
    written(first.path + b"/payload.quarantined", b"")
    written(held)
    assert put(held, folder, lease, report).path == first.path
    assert read(first.path + b"/payload.quarantined") == DATA


@pytest.mark.parametrize("what", ["file", "link", "folder", "empty folder"])
def test_what_has_the_folders_name_already_is_left_alone(place, held, quarantine, what):
    folder, lease = quarantine
    name = folder + b"/2023-11-14 bad.exe " + SHA[:8].encode()
    os.makedirs(folder)
    match what:
        case "file":
            written(name, b"mine")
        case "link":
            os.symlink(place, name)
        case "folder":
            written(name + b"/mine", b"mine")
        case "empty folder":
            os.mkdir(name)
    before = os.lstat(name).st_ino
    placed = put(held, folder, lease)
    assert placed.path == name + b" (2)"
    assert os.lstat(name).st_ino == before


def test_a_folder_that_appears_at_the_last_moment_is_passed_over(held, quarantine, at):
    folder, lease = quarantine
    name = folder + b"/2023-11-14 bad.exe " + SHA[:8].encode()
    at("quarantine.report", lambda: written(name + b"/mine", b"mine"))
    placed = put(held, folder, lease)
    assert placed.path == name + b" (2)"
    assert read(name + b"/mine") == b"mine"
    report = json.loads(read(placed.path + b"/report.json"))
    assert report["destination"] == os.fsdecode(placed.path)
    assert sorted(os.listdir(folder)) == [os.path.basename(name), os.path.basename(placed.path)]


@pytest.mark.parametrize("trouble", ["full", "read-only", "nowhere"])
def test_disk_trouble_keeps_the_file_held_as_it_was(place, mount, trouble):
    data = os.urandom(300_000)
    held = written(place + b"/held/slot/bad.exe", data)
    os.chmod(held, 0o640)
    report = dataclasses.replace(report_of(held), sha256=hashlib.sha256(data).hexdigest())
    match trouble:
        case "full":
            folder = mount(b"trouble", "-t", "tmpfs", "-o", "size=100k")
        case "read-only":
            folder = mount(b"trouble", "-t", "tmpfs", "-o", "ro")
        case _:
            os.symlink(b"nowhere", folder := place + b"/dangling")
    with grasp_blocking(held, lease=True) as grip, pytest.raises(DiskError):
        quarantine_blocking(grip, held, folder, report)
    assert read(held) == data
    assert os.stat(held).st_mode & 0o7777 == 0o640
    assert not list(scan_blocking(folder)), "no report says that it lies there"
    with grasp_blocking(held, lease=True) as grip:
        placed = quarantine_blocking(grip, held, place + b"/Quarantine", report)
    assert read(placed.path + b"/payload.quarantined") == data


def test_a_scan_tells_what_lies_there_and_follows_nothing(place, held):
    folder = place + b"/Quarantine"
    placed = put(held, folder, lease=True)
    os.symlink(placed.path, folder + b"/a link")
    os.mkdir(folder + b"/b empty")
    written(folder + b"/c nonsense/report.json", b"{}")
    os.symlink(b"/etc/passwd", folder + b"/c nonsense/payload.quarantined")
    os.mkfifo(folder + b"/b empty/report.json")
    written(folder + b"/d file", b"")
    found = {os.path.basename(each.folder): each for each in scan_blocking(folder)}
    assert set(found) == {os.path.basename(placed.path), b"b empty", b"c nonsense"}
    assert found[os.path.basename(placed.path)].report == dataclasses.replace(
        report_of(placed.path + b"/payload.quarantined"),
        origin=b"/home/ann/Downloads/bad.exe",
        mode=0o644,
    )
    assert found[b"b empty"].report is None
    assert found[b"c nonsense"].report is None
    assert found[b"c nonsense"].payload is None


def test_a_quarantine_that_is_not_there_holds_nothing(place):
    assert list(scan_blocking(place + b"/none")) == []
    assert read_report_blocking(place + b"/none") is None


def test_a_payload_can_be_sealed_again(held, place):
    placed = put(held, place + b"/Quarantine", lease=True)
    os.chmod(placed.path + b"/payload.quarantined", 0o600)
    seal_blocking(placed.path)
    assert os.stat(placed.path + b"/payload.quarantined").st_mode & 0o7777 == 0
