import contextlib
import hashlib
import os

import pytest

from checkfirst.vault.grip import grasp_blocking
from checkfirst.vault.problems import AwayError, BusyError, DiskError, GoneError, TamperedError
from checkfirst.vault.quarantine import quarantine_blocking, read_report_blocking
from checkfirst.vault.report import Report
from checkfirst.vault.restore import (
    delete_blocking,
    remove_reports_blocking,
    restore_blocking,
    restoring_to_blocking,
)

DATA = b"false alarm"
SHA = hashlib.sha256(DATA).hexdigest()
MTIME = 1_700_000_000_123_456_789


def written(path: bytes, data: bytes = DATA) -> bytes:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)
    return path


def read(path: bytes) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def quarantined(place: bytes, name: bytes = b"tool.exe") -> bytes:
    held = written(place + b"/held/slot/" + name)
    os.setxattr(held, "user.origin", b"https://example.com/")
    os.utime(held, ns=(MTIME, MTIME))
    with grasp_blocking(held, lease=True) as grip:
        report = Report(7, b"/home/ann/" + name, SHA, len(DATA), 0o4755, MTIME, decided_at=1.7e9)
        return quarantine_blocking(grip, held, place + b"/Quarantine", report).path


@pytest.fixture
def folder(place):
    return quarantined(place)


@pytest.fixture(params=["same filesystem", "other filesystem"])
def to(request, place):
    if request.param == "other filesystem":
        return request.getfixturevalue("other") + b"/back"
    return place + b"/back"


def restore(folder: bytes, to: bytes, name: bytes = b"tool.exe"):
    report = read_report_blocking(folder)
    assert report is not None
    placed = restore_blocking(folder, to, name, report.sha256, report.mode, report.mtime_ns)
    remove_reports_blocking(folder)
    return placed


@pytest.mark.parametrize("name", [b"tool.exe", b"new\nline", b"\xff\xfe", b"x" * 255])
def test_a_file_comes_back_as_it_was_but_for_set_id_bits(place, to, name):
    folder = quarantined(place, name)
    placed = restore(folder, to, name)
    assert placed.path == to + b"/" + name
    assert read(placed.path) == DATA
    seen = os.stat(placed.path)
    assert seen.st_mode & 0o7777 == 0o755
    assert seen.st_mtime_ns == MTIME
    assert os.getxattr(placed.path, "user.origin") == b"https://example.com/"
    assert os.listdir(place + b"/Quarantine") == []


def test_nothing_is_overwritten(folder, to):
    written(to + b"/tool.exe", b"mine")
    assert restore(folder, to).path == to + b"/tool (1).exe"
    assert read(to + b"/tool.exe") == b"mine"


@pytest.mark.parametrize("is_there", [False, True])
def test_a_file_never_comes_back_under_the_name_of_our_own_note(place, to, is_there):
    folder = quarantined(place, b"Waiting.txt")
    note = to + b"/Waiting.txt"
    if is_there:
        written(note, b"checkfirst holds these files")
    assert restore(folder, to, b"Waiting.txt").path == to + b"/Waiting (1).txt"
    assert os.path.exists(note) is is_there


def test_a_file_where_the_folder_should_be_is_told_and_nothing_moves(folder, place):
    to = written(place + b"/back", b"mine")
    with pytest.raises(DiskError, match="open the folder that it is to go to"):
        restore(folder, to)
    assert read(to) == b"mine"
    assert os.path.exists(folder + b"/payload.quarantined")


def test_a_tampered_payload_stays_and_is_sealed(folder, to):
    payload = folder + b"/payload.quarantined"
    os.chmod(payload, 0o600)
    written(payload, b"swapped")
    with pytest.raises(TamperedError):
        restore(folder, to)
    assert read(payload) == b"swapped"
    assert os.stat(payload).st_mode & 0o7777 == 0
    assert not os.path.exists(to + b"/tool.exe")
    assert read_report_blocking(folder)


def test_a_payload_swapped_after_the_look_stays(folder, to, at):
    payload = folder + b"/payload.quarantined"

    def swap() -> None:
        os.rename(written(folder + b"/other", b"swapped"), payload)

    at("restore.verified", swap)
    with pytest.raises((TamperedError, GoneError)):
        restore(folder, to)
    assert read(payload) == b"swapped"
    assert os.listdir(to) == []


def test_a_payload_that_is_a_link_is_not_followed(place, folder, to):
    payload = folder + b"/payload.quarantined"
    os.unlink(payload)
    os.symlink(written(place + b"/secret"), payload)
    with pytest.raises(Exception, match="no regular file"):
        restore(folder, to)
    assert read(place + b"/secret") == DATA


def test_a_missing_payload_is_gone(folder, to):
    os.unlink(folder + b"/payload.quarantined")
    with pytest.raises(GoneError):
        restore(folder, to)


def test_a_payload_that_is_written_to_stays(folder, to):
    with open(folder + b"/payload.quarantined", "ab"), pytest.raises(BusyError):
        restore(folder, to)


def test_disk_trouble_keeps_it_sealed_in_quarantine(place, folder, mount):
    full = mount(b"full", "-t", "tmpfs", "-o", "ro")
    with pytest.raises(DiskError, match="read-only"):
        restore(folder, full)
    assert os.stat(folder + b"/payload.quarantined").st_mode & 0o7777 == 0
    assert restore(folder, place + b"/back")


def test_a_payload_opened_without_privilege_comes_back(place, as_nobody):
    folder = quarantined(place)
    for path in (place + b"/Quarantine", folder, *(folder + b"/" + n for n in os.listdir(folder))):
        os.chown(path, 65534, 65534)
    os.mkdir(place + b"/back")
    os.chown(place + b"/back", 65534, 65534)
    assert as_nobody(lambda: restore(folder, place + b"/back").fresh is False)
    assert read(place + b"/back/tool.exe") == DATA
    assert os.listdir(place + b"/Quarantine") == []


def test_strange_files_keep_the_folder(folder, to):
    written(folder + b"/notes", b"mine")
    assert read(restore(folder, to).path) == DATA
    assert os.listdir(folder) == [b"notes"]


def test_deleting_removes_everything_we_put_there(place, folder):
    delete_blocking(folder)
    delete_blocking(folder)
    assert remove_reports_blocking(folder) == ()
    assert os.listdir(place + b"/Quarantine") == []


def lay(quarantine: bytes, day: str) -> None:
    os.makedirs(quarantine + b"/" + day.encode() + b" other.exe 01234567")


@pytest.mark.parametrize("there", ["nothing", "an empty folder", "what came since", "a stranger"])
def test_nothing_is_deleted_or_restored_while_the_quarantine_is_away(place, folder, to, there):
    quarantine, away = place + b"/Quarantine", place + b"/away"
    os.rename(quarantine, away)
    if there != "nothing":
        os.mkdir(quarantine)
    if there == "what came since":
        lay(quarantine, "2024-01-01")
    if there == "a stranger":
        os.mkdir(quarantine + b"/lost+found")
    with pytest.raises(AwayError):
        delete_blocking(folder)
    with pytest.raises(AwayError):
        restore_blocking(folder, to, b"tool.exe", SHA, 0o600, MTIME)
    assert os.path.exists(away + b"/" + os.path.basename(folder) + b"/payload.quarantined")


@pytest.mark.parametrize("day", ["2023-11-14", "2023-11-13"])
def test_a_folder_that_somebody_removed_is_no_problem_beside_one_as_old(place, folder, to, day):
    os.rename(folder, place + b"/removed")
    lay(place + b"/Quarantine", day)
    delete_blocking(folder)
    with pytest.raises(GoneError):
        restore_blocking(folder, to, b"tool.exe", SHA, 0o600, MTIME)


def test_deleting_spares_and_tells_of_strangers(folder):
    written(folder + b"/notes", b"mine")
    delete_blocking(folder)
    assert remove_reports_blocking(folder) == (b"notes",)
    assert os.listdir(folder) == [b"notes"]


def test_deleting_follows_no_link(place, folder):
    os.symlink(folder, place + b"/link")
    with pytest.raises(DiskError):
        delete_blocking(place + b"/link")
    os.unlink(folder + b"/payload.quarantined")
    secret = written(place + b"/secret")
    os.symlink(secret, folder + b"/payload.quarantined")
    delete_blocking(folder)
    assert remove_reports_blocking(folder) == ()
    assert read(secret) == DATA


def test_what_the_system_refuses_to_delete_is_told_and_the_report_stays(folder):
    os.unlink(folder + b"/payload.quarantined")
    os.mkdir(folder + b"/payload.quarantined")
    with pytest.raises(DiskError, match="delete the file"):
        delete_blocking(folder)
    assert read_report_blocking(folder)


def test_a_full_quarantine_lets_its_files_go_all_the_same(place, mount):
    """What is noted for a crash needs a little room, and is not worth a file's staying."""
    full = mount(b"full", "-t", "tmpfs", "-o", "size=64k,nr_inodes=24")
    folder = quarantined(full)
    for n in range(16):
        with contextlib.suppress(OSError), open(full + b"/%d" % n, "wb") as file:
            file.write(bytes(64_000))
    with pytest.raises(OSError, match="No space"):
        os.symlink(b"x" * 4000, full + b"/link")
    placed = restore(folder, place + b"/to")
    assert read(placed.path) == DATA
    assert not os.path.exists(folder)


def test_where_a_file_goes_is_noted_while_it_goes_and_no_longer(folder, to, at):
    noted = []
    at("restore.verified", lambda: noted.append(restoring_to_blocking(folder)))
    at("restore.noted", lambda: noted.append(restoring_to_blocking(folder)))
    restore(folder, to)
    assert noted == [None, to]
    assert not os.path.exists(folder)


def test_a_restore_that_fails_leaves_no_note(place, folder, mount):
    to = mount(b"trouble", "-t", "tmpfs", "-o", "ro")
    with pytest.raises(DiskError):
        restore(folder, to)
    assert restoring_to_blocking(folder) is None
    assert sorted(os.listdir(folder)) == [b"payload.quarantined", b"report.json", b"report.txt"]
