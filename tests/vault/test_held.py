import itertools
import os

import pytest

from checkfirst.vault.held import INSIDE, HeldFolder, held_folder_blocking
from checkfirst.vault.problems import DiskError, UnsafeFolderError


@pytest.fixture
def token():
    count = itertools.count()
    return lambda: f"token{next(count)}"


@pytest.fixture
def root(place):
    os.mkdir(place + b"/root")
    return place + b"/root"


@pytest.fixture
def state(place):
    return place + b"/deep/state"


def test_the_state_folder_is_used_where_a_rename_reaches_it(root, state, token):
    held = held_folder_blocking(root, state, token)
    assert held == HeldFolder(state + b"/held", "rename")
    assert os.stat(held.path).st_mode & 0o777 == 0o700
    assert os.listdir(root) == []
    assert os.listdir(held.path) == []
    assert held.slot("one") == state + b"/held/one"


def test_another_filesystem_gets_its_own_folder(other, state, token):
    held = held_folder_blocking(other, state, token)
    assert held == HeldFolder(other + b"/" + INSIDE, "rename")
    assert os.stat(held.path).st_mode & 0o777 == 0o700
    assert os.listdir(other) == [INSIDE]
    assert os.listdir(held.path) == []


def test_a_bind_mount_is_another_filesystem_whatever_its_device_number(
    place, root, state, token, mount
):
    os.mkdir(place + b"/bound")
    mount(b"bound", "--bind", device=os.fsdecode(root))
    os.makedirs(state)
    assert os.stat(place + b"/bound").st_dev == os.stat(state).st_dev
    held = held_folder_blocking(place + b"/bound", state, token)
    assert held.path == place + b"/bound/" + INSIDE


def test_copying_is_the_last_resort(place, other, state, token):
    """Something mounted over the inner folder: files can be written, not renamed there."""
    os.symlink(place, other + b"/" + INSIDE)
    assert held_folder_blocking(other, state, token) == HeldFolder(state + b"/held", "copy")
    assert os.listdir(other) == [INSIDE]
    assert os.listdir(state + b"/held") == []


def test_too_open_a_folder_is_closed(root, state, token):
    os.makedirs(state + b"/held")
    os.chmod(state + b"/held", 0o777)
    held_folder_blocking(root, state, token)
    assert os.stat(state + b"/held").st_mode & 0o777 == 0o700


@pytest.mark.parametrize("what", ["link", "file", "another's"])
def test_a_folder_that_is_not_safely_ours_is_refused(place, root, state, token, what):
    os.makedirs(state)
    match what:
        case "link":
            os.symlink(place, state + b"/held")
        case "file":
            with open(state + b"/held", "wb"):
                pass
        case "another's":
            if os.geteuid() != 0:
                pytest.skip("only root can make another's folder")
            os.mkdir(state + b"/held")
            os.chown(state + b"/held", 65534, 65534)
    with pytest.raises(UnsafeFolderError):
        held_folder_blocking(root, state, token)
    assert os.listdir(root) == []


def test_a_read_only_watched_folder_is_a_problem_with_words(place, root, state, token, mount):
    os.mkdir(place + b"/bound")
    mount(b"bound", "--bind", "-o", "ro", device=os.fsdecode(root))
    with pytest.raises(DiskError, match="read-only") as caught:
        held_folder_blocking(place + b"/bound", state, token)
    assert "watched folder" in caught.value.title


def test_a_folder_inside_that_is_another_filesystem_is_no_place_either(other, state, token, mount):
    """Where even that is mounted over, what is left is copying; the mount stays as it is."""
    os.mkdir(other + b"/root")
    mount(b"other/root/" + INSIDE, "-t", "tmpfs")
    held = held_folder_blocking(other + b"/root", state, token)
    assert held == HeldFolder(state + b"/held", "copy")
    assert os.listdir(other + b"/root") == [INSIDE]
    assert os.listdir(other + b"/root/" + INSIDE) == []


def test_a_state_folder_that_cannot_be_made_is_a_problem_with_words(place, root, token):
    with open(place + b"/file", "wb"):
        pass
    with pytest.raises(DiskError, match="make the folder where files are held"):
        held_folder_blocking(root, place + b"/file/state", token)
    assert os.listdir(root) == []
