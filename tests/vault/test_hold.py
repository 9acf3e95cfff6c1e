import contextlib
import os
import socket

import pytest

from checkfirst.vault.digest import digest_blocking
from checkfirst.vault.grip import stamp_of
from checkfirst.vault.hold import hold_blocking, open_held_blocking, remove_slot_blocking
from checkfirst.vault.problems import (
    BusyError,
    ChangedError,
    DiskError,
    GoneError,
    LeftError,
    NotAFileError,
)

MOVES = ["rename", "copy"]
ODD = [
    b"a b",
    b"-rf",
    b"new\nline",
    b"\xff\xfe",
    b"..hidden",
    b"con.",
    b"\xe2\x80\xaegpj",
    b"x" * 255,
]


def written(path: bytes, data: bytes = b"content") -> bytes:
    with open(path, "wb") as file:
        file.write(data)
    return path


def read(path: bytes) -> bytes:
    with open(path, "rb") as file:
        return file.read()


@pytest.fixture
def root(place):
    os.mkdir(place + b"/root")
    return place + b"/root"


@pytest.fixture
def held(place):
    os.mkdir(place + b"/held", 0o700)
    return place + b"/held"


@pytest.fixture(params=MOVES)
def hold(request, root, held):
    def run(origin, expected=None, name=None, **more):
        where = held + b"/slot/" + (name or os.path.basename(origin))
        return hold_blocking(origin, where, expected, root=root, moves=request.param, **more)

    return run


@pytest.mark.parametrize("name", ODD)
def test_a_file_is_held_under_its_own_name_and_mode(root, held, hold, name):
    origin = written(root + b"/" + name)
    os.chmod(origin, 0o640)
    expected = stamp_of(os.stat(origin))
    with hold(origin, expected) as grip:
        where = held + b"/slot/" + name
        assert read(where) == b"content"
        assert grip.leased
        assert grip.unchanged_blocking()
        assert grip.stamp == stamp_of(os.stat(where))
        assert grip.stamp.mode & 0o7777 == 0o640
        assert grip.stamp.mtime_ns == expected.mtime_ns
    assert os.listdir(root) == []
    assert os.stat(held + b"/slot").st_mode & 0o777 == 0o700


def test_many_share_a_slot(root, held, hold):
    for n in range(5):
        hold(written(root + b"/%d" % n)).close()
    assert len(os.listdir(held + b"/slot")) == 5


def test_a_taken_name_in_the_slot_moves_nothing(root, held, hold):
    hold(written(root + b"/a")).close()
    written(root + b"/a", b"second")
    with pytest.raises(DiskError, match="in the way"):
        hold(root + b"/a")
    assert read(root + b"/a") == b"second"
    assert read(held + b"/slot/a") == b"content"


def test_a_vanished_file_is_gone(root, hold):
    with pytest.raises(GoneError):
        hold(root + b"/none")
    with pytest.raises(GoneError):
        hold(root + b"/no/folder")


def test_a_file_that_did_not_settle_stays(root, held, hold):
    origin = written(root + b"/a")
    expected = stamp_of(os.stat(origin))
    written(origin, b"longer now")
    with pytest.raises(ChangedError):
        hold(origin, expected)
    assert read(origin) == b"longer now"


def test_a_file_that_is_written_to_stays(root, hold):
    origin = written(root + b"/a")
    with open(origin, "ab"), pytest.raises(BusyError):
        hold(origin)
    assert read(origin) == b"content"


@pytest.mark.parametrize("kind", ["symlink", "fifo", "folder", "socket"])
def test_what_is_no_file_stays(root, held, hold, kind, monkeypatch):
    path = root + b"/thing"
    with contextlib.ExitStack() as stack:
        match kind:
            case "symlink":
                os.symlink(written(root + b"/target"), path)
            case "fifo":
                os.mkfifo(path)
            case "folder":
                os.mkdir(path)
            case "socket":
                listener = stack.enter_context(socket.socket(socket.AF_UNIX))
                monkeypatch.chdir(os.fsdecode(root))
                listener.bind(b"thing")
        with pytest.raises(NotAFileError):
            hold(path)
    assert os.path.lexists(path)
    assert not os.path.exists(held + b"/slot")


def test_sub_folders_are_reached_but_never_through_a_link(place, root, held, hold):
    os.makedirs(root + b"/sub/deep")
    hold(written(root + b"/sub/deep/a")).close()
    assert read(held + b"/slot/a") == b"content"
    os.mkdir(place + b"/outside")
    secret = written(place + b"/outside/id_rsa", b"secret")
    os.symlink(place + b"/outside", root + b"/link")
    with pytest.raises(LeftError):
        hold(root + b"/link/id_rsa")
    with pytest.raises(LeftError):
        hold(root + b"/../outside/id_rsa")
    assert read(secret) == b"secret"


def test_a_file_with_another_name_is_held_and_says_so(root, hold):
    origin = written(root + b"/a")
    os.link(origin, root + b"/b")
    with hold(origin, lease=True) as grip:
        assert read(root + b"/b") == b"content"
        assert os.listdir(root) == [b"b"]
        assert digest_blocking(grip)


def test_a_huge_sparse_file_is_held_at_once(root, held):
    origin = root + b"/huge"
    with open(origin, "wb") as file:
        file.truncate(1 << 40)
    with hold_blocking(origin, held + b"/slot/huge", None, root=root, moves="rename") as grip:
        assert grip.stamp.size == 1 << 40


def test_another_file_that_takes_the_place_is_the_arrival(root, held, at):
    origin = written(root + b"/a")
    at("hold.grasped", lambda: os.rename(written(root + b"/b", b"second"), origin))
    with hold_blocking(origin, held + b"/s/a", None, root=root, moves="rename") as grip:
        assert os.read(grip.descriptor, 99) == b"second"
        assert grip.leased
        assert grip.stamp == stamp_of(os.stat(held + b"/s/a"))


def test_another_file_that_is_written_to_is_held_without_lease(root, held, at):
    origin = written(root + b"/a")
    with contextlib.ExitStack() as stack:

        def swap() -> None:
            stack.enter_context(open(written(root + b"/b", b"second"), "ab"))
            os.rename(root + b"/b", origin)

        at("hold.grasped", swap)
        with hold_blocking(origin, held + b"/s/a", None, root=root, moves="rename") as grip:
            assert grip.lease is False
    assert read(held + b"/s/a") == b"second"


@pytest.mark.parametrize("kind", ["symlink", "fifo", "folder"])
def test_anything_else_that_takes_the_place_is_put_back(place, root, held, at, kind):
    origin = written(root + b"/a")
    secret = written(place + b"/secret", b"secret")

    def swap() -> None:
        os.unlink(origin)
        match kind:
            case "symlink":
                os.symlink(secret, origin)
            case "fifo":
                os.mkfifo(origin)
            case "folder":
                os.mkdir(origin)
                written(origin + b"/inner")

    at("hold.grasped", swap)
    with pytest.raises(NotAFileError):
        hold_blocking(origin, held + b"/s/a", None, root=root, moves="rename")
    assert os.listdir(root) == [b"a"]
    assert os.listdir(held + b"/s") == []
    assert read(secret) == b"secret"


def test_what_cannot_be_put_back_is_told_of(root, held, at):
    origin = written(root + b"/a")

    def swap() -> None:
        os.unlink(origin)
        os.symlink(b"nowhere", origin)

    at("hold.grasped", swap)
    at("hold.renamed", lambda: written(origin, b"third"))
    with pytest.raises(LeftError) as caught:
        hold_blocking(origin, held + b"/s/a", None, root=root, moves="rename")
    assert os.fsdecode(held) + "/s/a" in str(caught.value)
    assert read(origin) == b"third"
    assert os.readlink(held + b"/s/a") == b"nowhere"


def test_a_parent_swapped_for_a_link_leads_nowhere(place, root, held, at):
    """The folder was opened before; what its path means now does not matter."""
    os.mkdir(root + b"/sub")
    os.mkdir(place + b"/outside")
    secret = written(place + b"/outside/a", b"secret")
    origin = written(root + b"/sub/a")

    def swap() -> None:
        os.rename(root + b"/sub", root + b"/moved")
        os.symlink(place + b"/outside", root + b"/sub")

    at("hold.grasped", swap)
    with hold_blocking(origin, held + b"/s/a", None, root=root, moves="rename") as grip:
        assert os.read(grip.descriptor, 99) == b"content"
    assert read(secret) == b"secret"


@pytest.mark.parametrize("change", ["replaced", "deleted", "written", "moved away"])
def test_a_change_while_copying_takes_back_the_copy(root, held, at, change):
    origin = written(root + b"/a")

    def act() -> None:
        match change:
            case "replaced":
                os.rename(written(root + b"/b", b"second"), origin)
            case "deleted":
                os.unlink(origin)
            case "written":
                with pytest.raises(BlockingIOError):
                    os.open(origin, os.O_WRONLY | os.O_NONBLOCK)
            case "moved away":
                os.rename(origin, root + b"/c")

    at("hold.synced", act)
    with pytest.raises((ChangedError, GoneError)):
        hold_blocking(origin, held + b"/s/a", None, root=root, moves="copy")
    assert os.listdir(held + b"/s") == []
    left = {name: read(root + b"/" + name) for name in os.listdir(root)}
    assert (
        left
        == {
            "replaced": {b"a": b"second"},
            "deleted": {},
            "written": {b"a": b"content"},
            "moved away": {b"c": b"content"},
        }[change]
    )


def test_a_mount_below_the_watched_folder_is_copied_from(root, held, mount):
    inner = mount(b"root/inner", "-t", "tmpfs")
    origin = written(inner + b"/a")
    with hold_blocking(origin, held + b"/s/a", None, root=root, moves="rename") as grip:
        assert grip.leased
    assert read(held + b"/s/a") == b"content"
    assert os.listdir(inner) == []


def test_a_full_held_folder_leaves_the_file_alone(root, mount):
    full = mount(b"full", "-t", "tmpfs", "-o", "size=100k")
    origin = written(root + b"/a", os.urandom(300_000))
    with pytest.raises(DiskError, match="no space is left"):
        hold_blocking(origin, full + b"/s/a", None, root=root, moves="copy")
    assert os.stat(origin).st_size == 300_000
    assert os.listdir(full + b"/s") == []


def test_a_missing_held_folder_is_no_missing_file(root, place):
    origin = written(root + b"/a")
    with pytest.raises(DiskError, match="Is its disk mounted"):
        hold_blocking(origin, place + b"/none/s/a", None, root=root, moves="rename")
    assert read(origin) == b"content"


def test_an_unreadable_file_stays_with_words(root, held, as_nobody):
    origin = written(root + b"/a")
    os.chmod(origin, 0)
    os.chmod(root, 0o777)
    os.chmod(held, 0o777)

    def look() -> bool:
        try:
            hold_blocking(origin, held + b"/s/a", None, root=root, moves="rename")
        except DiskError as error:
            return "permission is denied" in error.title
        return False

    assert as_nobody(look)
    assert os.path.exists(origin)


def test_no_descriptor_is_lost_by_success_or_failure(root, held, hold):
    before = len(os.listdir("/proc/self/fd"))
    hold(written(root + b"/a")).close()
    with pytest.raises(GoneError):
        hold(root + b"/none")
    with open(written(root + b"/b"), "ab"), pytest.raises(BusyError):
        hold(root + b"/b")
    assert len(os.listdir("/proc/self/fd")) == before


def test_only_an_empty_slot_is_removed(root, held, hold):
    hold(written(root + b"/a")).close()
    remove_slot_blocking(held + b"/slot/a")
    assert os.listdir(held) == [b"slot"]
    os.unlink(held + b"/slot/a")
    remove_slot_blocking(held + b"/slot/a")
    assert os.listdir(held) == []


def test_a_copy_is_taken_back_when_the_original_cannot_go(root, held, as_nobody):
    origin = written(root + b"/a")
    for path in (held, origin):
        os.chown(path, 65534, 65534)

    def look() -> bool:
        try:
            hold_blocking(origin, held + b"/s/a", None, root=root, moves="copy")
        except DiskError as error:
            return "permission is denied" in error.title and os.listdir(held + b"/s") == []
        return False

    assert as_nobody(look)
    assert read(origin) == b"content"


def test_what_vanishes_from_the_slot_is_gone(root, held, at):
    origin = written(root + b"/a")
    at("hold.renamed", lambda: os.unlink(held + b"/s/a"))
    with pytest.raises(GoneError):
        hold_blocking(origin, held + b"/s/a", None, root=root, moves="rename")


def test_a_slot_that_is_removed_meanwhile_is_made_again(root, held, at):
    origin = written(root + b"/a")
    at("hold.slot", lambda: os.rmdir(held + b"/s"))
    with hold_blocking(origin, held + b"/s/a", None, root=root, moves="rename") as grip:
        assert grip.leased
    assert read(held + b"/s/a") == b"content"


def test_a_file_that_vanishes_at_the_last_moment_is_gone(root, held, at):
    origin = written(root + b"/a")
    at("hold.grasped", lambda: os.unlink(origin))
    with pytest.raises(GoneError):
        hold_blocking(origin, held + b"/s/a", None, root=root, moves="rename")


def test_a_held_file_that_cannot_be_opened_is_told_why(place, held, as_nobody):
    with pytest.raises(GoneError):
        open_held_blocking(held + b"/slot/none", lease=True)
    os.mkdir(place + b"/slot")
    os.chmod(written(place + b"/slot/a"), 0o600)

    def refused() -> bool:
        with pytest.raises(DiskError, match="open the held file"):
            open_held_blocking(place + b"/slot/a", lease=True)
        return True

    assert as_nobody(refused)


def test_a_folder_on_the_way_that_may_not_be_entered_is_told_of(root, held, as_nobody):
    os.makedirs(root + b"/closed/sub")
    origin = written(root + b"/closed/sub/a")
    os.chmod(root + b"/closed", 0o700)

    def refused() -> bool:
        with pytest.raises(DiskError, match="permission is denied"):
            hold_blocking(origin, held + b"/s/a", None, root=root, moves="rename")
        return True

    assert as_nobody(refused)
    assert read(origin) == b"content"


def test_a_slot_that_is_removed_again_and_again_is_given_up(root, held, at):
    origin = written(root + b"/a")

    def remove() -> None:
        os.rmdir(held + b"/s")
        at("hold.slot", remove)

    at("hold.slot", remove)
    with pytest.raises(DiskError):
        hold_blocking(origin, held + b"/s/a", None, root=root, moves="rename")
    assert read(origin) == b"content"
    assert os.listdir(held) == []


def test_a_slot_that_became_a_link_is_not_copied_into(place, root, held, at):
    origin = written(root + b"/a")
    os.mkdir(place + b"/elsewhere")
    before = len(os.listdir("/proc/self/fd"))

    def swap() -> None:
        os.rmdir(held + b"/s")
        os.symlink(place + b"/elsewhere", held + b"/s")

    at("hold.slot", swap)
    with pytest.raises(DiskError):
        hold_blocking(origin, held + b"/s/a", None, root=root, moves="copy")
    assert read(origin) == b"content"
    assert os.listdir(place + b"/elsewhere") == []
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_file_that_another_is_mounted_over_while_it_is_copied_stays_with_it(
    place, root, held, at, over
):
    origin = written(root + b"/a")
    at("hold.synced", lambda: over(written(place + b"/cover", b"cover"), origin))
    with pytest.raises(GoneError):
        hold_blocking(origin, held + b"/s/a", None, root=root, moves="copy")
    assert read(origin) == b"cover"
    assert os.listdir(held + b"/s") == []
