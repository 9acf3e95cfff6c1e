import hashlib
import os
import resource
import signal

import pytest

from checkfirst.vault import fresh as fresh_module
from checkfirst.vault.fresh import fresh_copy_blocking
from checkfirst.vault.grip import grasp_blocking
from checkfirst.vault.hold import hold_blocking
from checkfirst.vault.places import lying_blocking
from checkfirst.vault.problems import ChangedError, StoppedError


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def source(place):
    path = place + b"/source"
    with open(path, "wb") as file:
        file.write(os.urandom(700_000))
    return path


@pytest.fixture(params=["nameless", "partial"])
def folder(request, place, monkeypatch):
    """A folder, with and without O_TMPFILE."""
    if request.param == "partial":
        monkeypatch.setattr(fresh_module, "_TMPFILE", None)
    os.mkdir(place + b"/to")
    descriptor = os.open(place + b"/to", os.O_PATH)
    yield descriptor
    os.close(descriptor)


def test_a_copy_is_the_same_but_for_the_set_id_bits(place, source, folder):
    os.chmod(source, 0o6754)
    os.setxattr(source, "user.xdg.origin.url", b"https://example.com/")
    os.utime(source, ns=(1, 123_456_789))
    with open(source, "rb") as file:
        data = file.read()
    with (
        grasp_blocking(source, lease=True) as grip,
        fresh_copy_blocking(grip, folder, sha256=sha(data), mode=grip.stamp.mode) as fresh,
    ):
        assert fresh.sha256 == sha(data)
        fresh.put_blocking(b"copy")
    with open(place + b"/to/copy", "rb") as file:
        assert file.read() == data
    seen = os.stat(place + b"/to/copy")
    assert seen.st_mode & 0o7777 == 0o754
    assert seen.st_mtime_ns == 123_456_789
    assert seen.st_ino != os.stat(source).st_ino
    assert os.getxattr(place + b"/to/copy", "user.xdg.origin.url") == b"https://example.com/"
    assert os.listdir(place + b"/to") == [b"copy"]


@pytest.mark.parametrize("mode", [0o000, 0o444, 0o644])
def test_marks_are_kept_whatever_the_mode_and_whoever_we_are(place, as_nobody, mode):
    os.mkdir(place + b"/to")
    os.chmod(place + b"/to", 0o777)
    path = place + b"/to/source"

    def copies() -> bool:
        with open(path, "wb") as file:
            file.write(b"bytes")
        os.setxattr(path, "user.xdg.origin.url", b"https://example.com/")
        os.chmod(path, mode or 0o400)
        folder = os.open(place + b"/to", os.O_PATH)
        with (
            grasp_blocking(path, lease=True) as grip,
            fresh_copy_blocking(grip, folder, sha256=None, mode=mode) as fresh,
        ):
            fresh.put_blocking(b"copy")
        os.chmod(place + b"/to/copy", os.stat(place + b"/to/copy").st_mode | 0o400)
        return os.getxattr(place + b"/to/copy", "user.xdg.origin.url") == b"https://example.com/"

    assert as_nobody(copies)
    assert os.stat(place + b"/to/copy").st_mode & 0o777 == mode | 0o400


def test_owner_is_kept_where_we_may(place, source, folder):
    if os.geteuid() != 0:
        pytest.skip("only root may give files away")
    os.chown(source, 1234, 5678)
    with (
        grasp_blocking(source, lease=True) as grip,
        fresh_copy_blocking(grip, folder, sha256=None, mode=0o600) as fresh,
    ):
        fresh.put_blocking(b"copy")
    seen = os.stat(place + b"/to/copy")
    assert (seen.st_uid, seen.st_gid) == (1234, 5678)


def test_no_capability_is_copied(place, source, folder):
    try:
        os.setxattr(source, "security.capability", bytes.fromhex("0100000200040000" + "00" * 12))
    except OSError as error:
        pytest.skip(f"no capabilities here: {error}")
    with (
        grasp_blocking(source, lease=True) as grip,
        fresh_copy_blocking(grip, folder, sha256=None, mode=0o755) as fresh,
    ):
        fresh.put_blocking(b"copy")
    assert "security.capability" not in os.listxattr(place + b"/to/copy")


def test_a_copy_without_a_name_vanishes(place, source, folder):
    with (
        grasp_blocking(source, lease=True) as grip,
        fresh_copy_blocking(grip, folder, sha256=None, mode=0o600),
    ):
        pass
    assert os.listdir(place + b"/to") == []


def test_a_taken_name_is_refused_and_another_can_be_tried(place, source, folder):
    with open(place + b"/to/copy", "wb") as file:
        file.write(b"mine")
    with (
        grasp_blocking(source, lease=True) as grip,
        fresh_copy_blocking(grip, folder, sha256=None, mode=0o600) as fresh,
    ):
        with pytest.raises(FileExistsError):
            fresh.put_blocking(b"copy")
        fresh.put_blocking(b"copy (1)")
    assert sorted(os.listdir(place + b"/to")) == [b"copy", b"copy (1)"]
    with open(place + b"/to/copy", "rb") as file:
        assert file.read() == b"mine"


def test_other_bytes_than_expected_leave_no_trace(place, source, folder):
    with (
        grasp_blocking(source, lease=True) as grip,
        pytest.raises(ChangedError),
        fresh_copy_blocking(grip, folder, sha256=sha(b"judged"), mode=0o600),
    ):
        pytest.fail("a wrong copy was handed out")
    assert os.listdir(place + b"/to") == []


@pytest.mark.parametrize("change", ["longer", "shorter"])
def test_a_file_that_changed_its_size_is_not_copied(place, source, folder, change):
    with grasp_blocking(source, lease=False) as grip:
        os.truncate(source, 800_000 if change == "longer" else 1)
        with (
            pytest.raises(ChangedError),
            fresh_copy_blocking(grip, folder, sha256=None, mode=0o600),
        ):
            pytest.fail("a wrong copy was handed out")
    assert os.listdir(place + b"/to") == []


def test_a_left_over_of_a_crash_is_cleared_away(place, source, folder, monkeypatch):
    monkeypatch.setattr(fresh_module, "_TMPFILE", None)
    with grasp_blocking(source, lease=True) as grip:
        left_over = b".checkfirst-%x-%d.partial" % (grip.stamp.dev, grip.stamp.ino)
        with open(place + b"/to/" + left_over, "wb") as file:
            file.write(b"half")
        with fresh_copy_blocking(grip, folder, sha256=None, mode=0o600) as fresh:
            fresh.put_blocking(b"copy")
    assert os.listdir(place + b"/to") == [b"copy"]


def test_holes_stay_holes_and_are_hashed(place, folder):
    path = place + b"/sparse"
    with open(path, "wb") as file:
        file.write(b"start")
        file.seek(30_000_000)
        file.write(b"middle")
        file.truncate(60_000_000)
    with open(path, "rb") as file:
        whole = hashlib.file_digest(file, "sha256").hexdigest()
    with (
        grasp_blocking(path, lease=True) as grip,
        fresh_copy_blocking(grip, folder, sha256=whole, mode=0o600) as fresh,
    ):
        fresh.put_blocking(b"copy")
    seen = os.stat(place + b"/to/copy")
    assert seen.st_size == 60_000_000
    assert seen.st_blocks * 512 < 1_000_000
    with open(place + b"/to/copy", "rb") as file:
        assert hashlib.file_digest(file, "sha256").hexdigest() == whole


def test_an_empty_file_is_copied(place, folder):
    with open(place + b"/empty", "wb"):
        pass
    with (
        grasp_blocking(place + b"/empty", lease=True) as grip,
        fresh_copy_blocking(grip, folder, sha256=sha(b""), mode=0o600) as fresh,
    ):
        fresh.put_blocking(b"copy")
    assert os.stat(place + b"/to/copy").st_size == 0


@pytest.mark.parametrize("hole", [0, 1 << 40])
def test_a_copy_can_be_stopped(place, folder, hole):
    """A hole takes no room and no reading, but as much hashing as any other file."""
    path = place + b"/large"
    with open(path, "wb") as file:
        file.write(os.urandom(0 if hole else 17 * 1024 * 1024))
        file.truncate(hole or file.tell())
    with (
        grasp_blocking(path, lease=True) as grip,
        pytest.raises(StoppedError),
        fresh_copy_blocking(grip, folder, sha256=None, mode=0o600, stopped=lambda: True),
    ):
        pytest.fail("it was not stopped")
    assert os.listdir(place + b"/to") == []


@pytest.mark.parametrize("nameless", [True, False])
def test_a_full_disk_leaves_no_trace(place, source, mount, monkeypatch, nameless):
    if not nameless:
        monkeypatch.setattr(fresh_module, "_TMPFILE", None)
    full = mount(b"full", "-t", "tmpfs", "-o", "size=400k")
    descriptor = os.open(full, os.O_PATH)
    try:
        with (
            grasp_blocking(source, lease=True) as grip,
            pytest.raises(OSError, match="No space left"),
            fresh_copy_blocking(grip, descriptor, sha256=None, mode=0o600),
        ):
            pytest.fail("there is no room for it")
    finally:
        os.close(descriptor)
    assert os.listdir(full) == []


def test_a_limit_in_the_middle_of_the_copy_leaves_no_trace(place, source, folder):
    """The free space said nothing of it: the write itself fails half-way."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, before[1]))
    try:
        with (
            grasp_blocking(source, lease=True) as grip,
            pytest.raises(OSError, match="File too large"),
            fresh_copy_blocking(grip, folder, sha256=None, mode=0o600),
        ):
            pytest.fail("it was larger than allowed")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert os.listdir(place + b"/to") == []


def test_a_half_made_copy_of_a_held_file_lies_where_no_arrival_is_looked_for(
    place, other, at, monkeypatch
):
    """Without O_TMPFILE it has a name, and a crash would leave it in the slot, to be judged."""
    monkeypatch.setattr(fresh_module, "_TMPFILE", None)
    os.mkdir(place + b"/root")
    os.mkdir(other + b"/held", 0o700)
    origin = place + b"/root/file"
    with open(origin, "wb") as file:
        file.write(b"content")
    seen = []

    def look() -> None:
        seen.append((os.listdir(other + b"/held/slot"), lying_blocking([other + b"/held"])))
        assert any(name.endswith(b".partial") for name in os.listdir(other + b"/held"))

    at("hold.copied", look)
    held = other + b"/held/slot/file"
    hold_blocking(origin, held, None, root=place + b"/root", moves="copy").close()
    assert seen == [([], [])]
    assert os.listdir(other + b"/held") == [b"slot"]
    assert os.listdir(other + b"/held/slot") == [b"file"]


def test_what_is_no_left_over_of_ours_is_not_cleared_away(place, source, folder, monkeypatch):
    monkeypatch.setattr(fresh_module, "_TMPFILE", None)
    with grasp_blocking(source, lease=True) as grip:
        name = b".checkfirst-%x-%d.partial" % (grip.stamp.dev, grip.stamp.ino)
        os.symlink(source, place + b"/to/" + name)
        with (
            pytest.raises(FileExistsError),
            fresh_copy_blocking(grip, folder, sha256=None, mode=0o600),
        ):
            pytest.fail("it was written through a link")
    assert os.listdir(place + b"/to") == [name]


def test_what_a_disk_spoils_while_it_is_written_is_not_handed_out(place, folder, monkeypatch):
    monkeypatch.setattr(fresh_module, "_TMPFILE", None)
    path = place + b"/large"
    with open(path, "wb") as file:
        file.write(os.urandom(17 * 1024 * 1024))

    spoilt = []

    def spoil() -> bool:
        if not spoilt:
            spoilt.extend(os.listdir(place + b"/to"))
            with open(place + b"/to/" + spoilt[0], "r+b") as copy:
                copy.write(b"spoilt")
        return False

    with (
        grasp_blocking(path, lease=True) as grip,
        pytest.raises(OSError, match="Input/output error"),
        fresh_copy_blocking(grip, folder, sha256=None, mode=0o600, stopped=spoil),
    ):
        pytest.fail("a spoilt copy was handed out")
    assert os.listdir(place + b"/to") == []


def test_a_system_that_knows_no_marks_copies_the_bytes(place, source, folder, monkeypatch):
    for name in ("listxattr", "posix_fadvise"):
        monkeypatch.delattr(os, name)
    with (
        grasp_blocking(source, lease=True) as grip,
        fresh_copy_blocking(grip, folder, sha256=None, mode=0o600) as fresh,
    ):
        fresh.put_blocking(b"copy")
    with open(place + b"/to/copy", "rb") as copy, open(source, "rb") as file:
        assert copy.read() == file.read()


def test_where_a_filesystem_does_not_tell_its_holes_all_is_data():
    with open("/proc/self/status", "rb") as file:
        assert list(fresh_module._data_blocking(file.fileno(), 5)) == [(0, 5)]


def test_data_behind_the_end_is_none_of_ours(place):
    with open(place + b"/grown", "w+b") as file:
        file.seek(1 << 20)
        file.write(b"later")
        file.flush()
        assert list(fresh_module._data_blocking(file.fileno(), 4096)) == []
