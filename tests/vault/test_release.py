import hashlib
import os

import pytest

from checkfirst.model import Arrival, State
from checkfirst.vault.digest import digest_blocking
from checkfirst.vault.grip import grasp_blocking
from checkfirst.vault.problems import BusyError, ChangedError, DiskError, GoneError
from checkfirst.vault.release import (
    release_blocking,
    released_before_blocking,
    unlink_back_blocking,
)

DATA = b"content"
SHA = hashlib.sha256(DATA).hexdigest()
ODD = [b"-rf", b"new\nline", b"\xff\xfe.exe", b"x" * 255, b"\xc3\xa4" * 127, b" .. "]


def written(path: bytes, data: bytes = DATA) -> bytes:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)
    return path


def read(path: bytes) -> bytes:
    with open(path, "rb") as file:
        return file.read()


@pytest.fixture
def held(place):
    return written(place + b"/held/slot/file.txt")


@pytest.fixture(params=["rename", "no lease", "other filesystem"])
def released(request, place):
    """A released folder, and how the grip must be taken to move there in that way."""
    if request.param == "other filesystem":
        return request.getfixturevalue("other") + b"/released", True, True
    return place + b"/released", request.param == "rename", request.param != "rename"


def test_a_file_arrives_with_all_it_had(held, released):
    folder, lease, fresh = released
    os.chmod(held, 0o6750)
    os.utime(held, ns=(5, 123_456_789))
    inode = os.stat(held).st_ino
    os.setxattr(held, "user.origin", b"https://example.com/")
    with grasp_blocking(held, lease=lease) as grip:
        placed = release_blocking(grip, held, folder, b"file.txt", SHA)
    assert placed.path == folder + b"/file.txt"
    assert placed.fresh is fresh
    assert read(placed.path) == DATA
    seen = os.stat(placed.path)
    assert seen.st_mode & 0o7777 == 0o750
    assert seen.st_mtime_ns == 123_456_789
    assert os.getxattr(placed.path, "user.origin") == b"https://example.com/"
    assert (seen.st_ino == inode) is not fresh or os.stat(folder).st_dev != seen.st_dev
    assert os.listdir(os.path.dirname(held)) == []
    assert os.stat(folder).st_mode & 0o777 == 0o777 & ~current_umask()


def current_umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@pytest.mark.parametrize("name", ODD)
def test_odd_names_arrive_as_they_are(place, released, name):
    folder, lease, _ = released
    held = written(place + b"/held/slot/" + name)
    with grasp_blocking(held, lease=lease) as grip:
        placed = release_blocking(grip, held, folder, name, SHA)
    assert os.listdir(folder) == [name]
    assert read(placed.path) == DATA


@pytest.mark.parametrize("name", [b"file.tar.gz", b"x" * 255, b"\xff" * 255])
def test_a_thousand_of_one_name_all_arrive(place, released, name):
    folder, lease, fresh = released
    many = 50 if fresh else 1001  # a copy is synced to the disk
    paths = set()
    for n in range(many):
        data = b"%d" % n
        held = written(place + b"/held/slot/" + name, data)
        with grasp_blocking(held, lease=lease) as grip:
            sha256 = hashlib.sha256(data).hexdigest()
            placed = release_blocking(grip, held, folder, name, sha256)
        assert read(placed.path) == data
        paths.add(placed.path)
    assert len(paths) == many
    contents = sorted(int(read(folder + b"/" + each)) for each in os.listdir(folder))
    assert contents == list(range(many))


def test_nothing_there_is_replaced_whatever_it_is(held, released):
    folder, lease, _ = released
    os.makedirs(folder + b"/file.txt")
    os.symlink(b"nowhere", folder + b"/file (1).txt")
    written(folder + b"/file (2).txt", b"mine")
    with grasp_blocking(held, lease=lease) as grip:
        placed = release_blocking(grip, held, folder, b"file.txt", SHA)
    assert placed.path == folder + b"/file (3).txt"
    assert os.path.isdir(folder + b"/file.txt")
    assert os.readlink(folder + b"/file (1).txt") == b"nowhere"
    assert read(folder + b"/file (2).txt") == b"mine"


def test_sub_folders_are_kept_and_never_lead_elsewhere(place, held, released):
    folder, lease, _ = released
    os.makedirs(folder)
    os.mkdir(place + b"/outside")
    os.symlink(place + b"/outside", folder + b"/sub")
    with grasp_blocking(held, lease=lease) as grip:
        placed = release_blocking(grip, held, folder, b"sub/deep/file.txt", SHA)
    assert placed.path == folder + b"/sub (1)/deep/file.txt"
    assert read(placed.path) == DATA
    assert os.listdir(place + b"/outside") == []


def test_a_relative_path_that_climbs_is_refused(held, released):
    folder, lease, _ = released
    with grasp_blocking(held, lease=lease) as grip, pytest.raises(DiskError):
        release_blocking(grip, held, folder, b"../up/file.txt", SHA)
    assert read(held) == DATA


def test_a_mode_that_was_changed_meanwhile_is_restored(held, released):
    folder, lease, _ = released
    os.chmod(held, 0o400)
    with grasp_blocking(held, lease=lease) as grip:
        placed = release_blocking(grip, held, folder, b"file.txt", SHA, restore_mode=0o4755)
    assert os.stat(placed.path).st_mode & 0o7777 == 0o755


def test_a_file_with_other_names_arrives_as_a_fresh_inode(place, held, released):
    folder, lease, _ = released
    os.link(held, place + b"/elsewhere")
    with grasp_blocking(held, lease=lease) as grip:
        placed = release_blocking(grip, held, folder, b"file.txt", SHA)
    assert placed.fresh
    assert placed.other_names == 1
    assert os.stat(placed.path).st_ino != os.stat(place + b"/elsewhere").st_ino
    written(place + b"/elsewhere", b"changed later")
    assert read(placed.path) == DATA
    assert not os.path.exists(held)


def test_bytes_changed_since_the_verdict_are_not_released(held, released):
    folder, _, _ = released
    with grasp_blocking(held, lease=False) as grip:
        written(held, b"evil!!!")
        with pytest.raises(ChangedError):
            release_blocking(grip, held, folder, b"file.txt", SHA)
    assert read(held) == b"evil!!!"
    assert os.listdir(folder) == []


def test_a_copy_must_have_the_judged_hash(place, held):
    with grasp_blocking(held, lease=False) as grip, pytest.raises(ChangedError):
        release_blocking(grip, held, place + b"/released", b"file.txt", "0" * 64)
    assert read(held) == DATA
    assert os.listdir(place + b"/released") == []


def test_bytes_changed_while_they_are_copied_are_not_released(place, held, at):
    at("release.copied", lambda: written(held, b"evil!!!"))
    with grasp_blocking(held, lease=False) as grip, pytest.raises(ChangedError):
        release_blocking(grip, held, place + b"/released", b"file.txt", SHA)
    assert read(held) == b"evil!!!"
    assert os.listdir(place + b"/released") == []


def test_a_broken_lease_releases_nothing(held, released):
    folder, lease, _ = released
    if not lease:
        pytest.skip("this way has none")
    with grasp_blocking(held, lease=True) as grip:
        with pytest.raises(BlockingIOError):
            os.open(held, os.O_WRONLY | os.O_NONBLOCK)
        with pytest.raises(ChangedError):
            release_blocking(grip, held, folder, b"file.txt", SHA)
    assert read(held) == DATA


@pytest.mark.parametrize("change", [lambda path: os.utime(path, ns=(1, 1)), os.unlink])
def test_what_reading_under_a_lease_leaves_open_is_found_before_the_move(held, released, change):
    folder, _, _ = released
    with grasp_blocking(held, lease=True) as grip:
        change(held)
        assert digest_blocking(grip) == SHA
        with pytest.raises((ChangedError, GoneError)):
            release_blocking(grip, held, folder, b"file.txt", SHA)
    assert os.listdir(folder) == []


def test_a_file_that_somebody_writes_to_is_not_released(place, held):
    with grasp_blocking(held, lease=False) as grip:
        grip.lease = False
        with pytest.raises(BusyError):
            release_blocking(grip, held, place + b"/released", b"file.txt", SHA)
    assert read(held) == DATA


def test_another_file_under_the_held_name_is_not_released(held, released):
    folder, lease, _ = released
    with grasp_blocking(held, lease=lease) as grip:
        os.rename(written(held + b".new", b"evil"), held)
        with pytest.raises((ChangedError, GoneError)):
            release_blocking(grip, held, folder, b"file.txt", SHA)
    assert read(held) == b"evil"


def test_a_symbolic_link_is_left_where_the_file_was(place, held, released):
    folder, lease, _ = released
    os.mkdir(place + b"/root")
    with grasp_blocking(held, lease=lease) as grip:
        placed = release_blocking(
            grip, held, folder, b"file.txt", SHA, link_back=place + b"/root/file.txt"
        )
    assert placed.linked_back
    assert read(place + b"/root/file.txt") == DATA
    assert os.readlink(place + b"/root/file.txt") == placed.path


def test_no_link_is_left_where_the_name_is_taken(place, held, released):
    folder, lease, _ = released
    taken = written(place + b"/root/file.txt", b"newer")
    with grasp_blocking(held, lease=lease) as grip:
        placed = release_blocking(grip, held, folder, b"file.txt", SHA, link_back=taken)
    assert not placed.linked_back
    assert read(taken) == b"newer"


def test_a_released_folder_that_is_a_link_is_followed_but_not_to_nowhere(place, held):
    os.mkdir(place + b"/real")
    os.symlink(b"real", place + b"/link")
    os.symlink(b"nowhere", place + b"/dangling")
    with grasp_blocking(held, lease=True) as grip:
        with pytest.raises(DiskError):
            release_blocking(grip, held, place + b"/dangling", b"file.txt", SHA)
        release_blocking(grip, held, place + b"/link", b"file.txt", SHA)
    assert read(place + b"/real/file.txt") == DATA


def test_a_bind_mount_of_one_device_is_copied_to(place, held, mount):
    os.mkdir(place + b"/real")
    bound = mount(b"bound", "--bind", device=os.fsdecode(place + b"/real"))
    with grasp_blocking(held, lease=True) as grip:
        placed = release_blocking(grip, held, bound, b"file.txt", SHA)
    assert placed.fresh
    assert read(place + b"/real/file.txt") == DATA
    assert not os.path.exists(held)


def test_a_sub_folder_that_there_is_no_room_for_leaves_the_file_held_and_nothing_open(held, mount):
    full = mount(b"full", "-t", "tmpfs", "-o", "size=1m,nr_inodes=2")
    os.mkdir(full + b"/released")
    before = len(os.listdir("/proc/self/fd"))
    with grasp_blocking(held, lease=True) as grip, pytest.raises(DiskError, match="full"):
        release_blocking(grip, held, full + b"/released", b"sub/file.txt", SHA)
    assert read(held) == DATA
    assert os.listdir(full + b"/released") == []
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize("trouble", ["full", "read-only"])
def test_disk_trouble_keeps_the_file_held_as_it_was(place, mount, trouble):
    data = os.urandom(300_000)
    held = written(place + b"/held/slot/file.txt", data)
    os.chmod(held, 0o4755)
    if trouble == "full":
        folder = mount(b"trouble", "-t", "tmpfs", "-o", "size=100k")
    else:
        folder = mount(b"trouble", "-t", "tmpfs", "-o", "ro")
    sha256 = hashlib.sha256(data).hexdigest()
    with grasp_blocking(held, lease=True) as grip, pytest.raises(DiskError) as caught:
        release_blocking(grip, held, folder, b"file.txt", sha256)
    assert caught.value.to_do
    assert read(held) == data
    assert os.stat(held).st_mode & 0o7777 == 0o4755
    assert os.listdir(folder) == []
    with grasp_blocking(held, lease=True) as grip:  # and later it works
        release_blocking(grip, held, place + b"/released", b"file.txt", sha256)
    assert read(place + b"/released/file.txt") == data


def test_a_folder_without_permission_keeps_the_file_held(place, held, as_nobody):
    os.mkdir(place + b"/released", 0o755)
    for path in (place + b"/held", place + b"/held/slot", held):
        os.chown(path, 65534, 65534)

    def look() -> bool:
        with grasp_blocking(held, lease=True) as grip:
            try:
                release_blocking(grip, held, place + b"/released", b"file.txt", SHA)
            except DiskError as error:
                return "permission is denied" in error.title
        return False

    assert as_nobody(look)
    assert read(held) == DATA


def test_a_huge_sparse_file_is_released_at_once(place):
    held = place + b"/held/slot/huge"
    os.makedirs(os.path.dirname(held))
    with open(held, "wb") as file:
        file.truncate(1 << 40)
    with grasp_blocking(held, lease=True) as grip:
        placed = release_blocking(grip, held, place + b"/released", b"huge", "0" * 64)
    assert os.stat(placed.path).st_size == 1 << 40


def test_no_descriptor_is_lost(held, released):
    folder, lease, _ = released
    before = len(os.listdir("/proc/self/fd"))
    with grasp_blocking(held, lease=lease) as grip:
        with pytest.raises(DiskError):
            release_blocking(grip, held, folder, b"a/../file.txt", SHA)
        release_blocking(grip, held, folder, b"a/b/file.txt", SHA)
    assert len(os.listdir("/proc/self/fd")) == before


def arrival_of(path: bytes) -> Arrival:
    seen = os.stat(path)
    return Arrival(
        1,
        State.RELEASING,
        b"/root",
        b"/root/file.txt",
        dev=seen.st_dev,
        ino=seen.st_ino,
        size=seen.st_size,
        mtime_ns=seen.st_mtime_ns,
        sha256=SHA,
    )


def test_a_release_that_was_cut_short_is_found_again(held, released):
    folder, lease, _ = released
    arrival = arrival_of(held)
    assert released_before_blocking(folder, b"file.txt", arrival) is None
    written(folder + b"/file.txt", b"unlike!")
    with grasp_blocking(held, lease=lease) as grip:
        placed = release_blocking(grip, held, folder, b"file.txt", SHA)
    assert placed.path == folder + b"/file (1).txt"
    assert released_before_blocking(folder, b"file.txt", arrival) == placed.path


def test_a_file_that_only_looks_alike_is_not_taken_for_the_release(place, held):
    other = written(place + b"/released/file.txt", b"contenT")
    times = os.stat(held)
    os.utime(other, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert released_before_blocking(place + b"/released", b"file.txt", arrival_of(held)) is None


def test_a_copy_is_taken_back_when_the_held_file_cannot_go(place, held, as_nobody, at):
    slot = os.path.dirname(held)
    os.mkdir(place + b"/released")
    for path in (slot, held, place + b"/released"):
        os.chown(path, 65534, 65534)
    os.link(held, place + b"/elsewhere")

    def look() -> bool:
        at("release.synced", lambda: os.chmod(slot, 0o500))
        with grasp_blocking(held, lease=True) as grip:
            try:
                release_blocking(grip, held, place + b"/released", b"file.txt", SHA)
            except DiskError:
                return os.listdir(place + b"/released") == []
        return False

    assert as_nobody(look)
    assert read(held) == DATA


def test_a_vanished_file_is_gone(place, held):
    with grasp_blocking(held, lease=True) as grip:
        os.rename(held, place + b"/moved")
        with pytest.raises(GoneError):
            release_blocking(grip, held, place + b"/released", b"file.txt", SHA)


def test_somebody_elses_file_is_released_by_copy(place, held, as_nobody):
    """In a shared folder: it may be moved, but its mode is not ours to change."""
    os.chmod(held, 0o4755)
    for path in (os.path.dirname(held), place):
        os.chown(path, 65534, 65534)

    def look() -> bool:
        with grasp_blocking(held, lease=True) as grip:
            return release_blocking(grip, held, place + b"/released", b"file.txt", SHA).fresh

    assert as_nobody(look)
    assert os.stat(place + b"/released/file.txt").st_mode & 0o7777 == 0o755
    assert not os.path.exists(held)


def test_only_the_link_to_that_very_file_is_removed(tmp_path):
    top = os.fsencode(tmp_path)
    place, link = top + b"/released", top + b"/link"
    unlink_back_blocking(place, link)
    os.symlink(b"/elsewhere", link)
    unlink_back_blocking(place, link)
    assert os.path.islink(link)
    os.unlink(link)
    (tmp_path / "link").write_bytes(b"a file that came since")
    unlink_back_blocking(place, link)
    assert (tmp_path / "link").read_bytes() == b"a file that came since"
    os.unlink(link)
    os.symlink(place, link)
    unlink_back_blocking(place, link)
    assert not os.path.lexists(link)


def test_a_mode_that_is_not_ours_to_give_is_given_to_a_copy(place, held, as_nobody):
    """The lease is there, from before; the owner is another."""
    for folder in (os.path.dirname(held), place + b"/released"):
        os.makedirs(folder, exist_ok=True)
        os.chown(folder, 65534, 65534)
    os.chmod(held, 0o4755)
    with grasp_blocking(held, lease=True) as grip:

        def copied() -> bool:
            placed = release_blocking(grip, held, place + b"/released", b"file.txt", SHA)
            return placed.fresh

        assert as_nobody(copied)
    assert read(place + b"/released/file.txt") == DATA
    assert os.stat(place + b"/released/file.txt").st_mode & 0o7777 == 0o755
    assert not os.path.exists(held)


@pytest.mark.parametrize("is_there", [False, True])
def test_a_download_never_takes_the_name_of_our_own_note(place, released, is_there):
    folder, lease, _ = released
    held = written(place + b"/held/slot/Waiting.txt")
    if is_there:
        written(folder + b"/Waiting.txt", b"checkfirst holds these files")
    with grasp_blocking(held, lease=lease) as grip:
        placed = release_blocking(grip, held, folder, b"Waiting.txt", SHA)
    assert placed.path == folder + b"/Waiting (1).txt"
    written(held, b"another file")
    with grasp_blocking(held, lease=lease) as grip:
        inside = release_blocking(
            grip, held, folder, b"sub/Waiting.txt", hashlib.sha256(b"another file").hexdigest()
        )
    assert inside.path == folder + b"/sub/Waiting.txt"


def test_a_release_that_was_cut_short_under_the_notes_name_is_found(place):
    folder = place + b"/released"
    seen = os.stat(written(folder + b"/Waiting (1).txt"))
    arrival = Arrival(
        1,
        State.RELEASING,
        place,
        place + b"/Waiting.txt",
        sha256=SHA,
        size=seen.st_size,
        mtime_ns=seen.st_mtime_ns,
    )
    assert released_before_blocking(folder, b"Waiting.txt", arrival) == folder + b"/Waiting (1).txt"
