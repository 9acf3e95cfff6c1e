import os

import pytest

from checkfirst.vault import kernel
from checkfirst.vault.folder import (
    MOST_FOLDERS,
    Folder,
    Opened,
    among,
    is_plain,
    names_in_blocking,
    open_below_blocking,
    open_beneath_blocking,
    open_folder_blocking,
    relative_to,
    sync_folder_blocking,
    walk_blocking,
)


def beneath(top: int, relative: bytes) -> int:
    return open_beneath_blocking(top, relative)


def walk(top: int, relative: bytes) -> int:
    return walk_blocking(top, relative, make=False)


@pytest.fixture
def top(place):
    os.makedirs(place + b"/one/two")
    os.symlink(b"one", place + b"/link")
    os.symlink(b"two", place + b"/one/link")
    descriptor = os.open(place, os.O_PATH)
    yield descriptor
    os.close(descriptor)


@pytest.mark.parametrize("way", [beneath, walk])
def test_a_plain_way_down_is_opened(place, top, way):
    descriptor = way(top, b"one/two")
    assert os.fstat(descriptor).st_ino == os.stat(place + b"/one/two").st_ino
    os.close(descriptor)


@pytest.mark.parametrize("way", [beneath, walk])
@pytest.mark.parametrize("relative", [b"link", b"link/two", b"one/link"])
def test_no_symbolic_link_is_followed_anywhere(top, way, relative):
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(OSError, match=r"symbolic links|Not a directory"):
        way(top, relative)
    assert len(os.listdir("/proc/self/fd")) == before


def test_the_kernel_refuses_a_step_above(top):
    with pytest.raises(OSError, match="cross-device"):
        kernel.open_beneath(top, b"..", os.O_PATH)


def test_a_folder_is_reached_from_the_watched_one(place, top):
    for folder in (b"", b"/one/two"):
        descriptor = open_below_blocking(place, place + folder)
        assert os.fstat(descriptor).st_ino == os.stat(place + folder).st_ino
        os.close(descriptor)


def test_a_watched_folder_that_became_a_link_is_not_followed(place, top):
    with pytest.raises(OSError, match=r"Not a directory|symbolic links"):
        open_below_blocking(place + b"/link", place + b"/link")


def test_a_batch_opens_each_folder_once_and_closes_them_all(place, top):
    before = len(os.listdir("/proc/self/fd"))
    asked = []

    def open_blocking(root, folder):
        asked.append(folder)
        return Folder(open_below_blocking(root, folder), folder)

    with Opened() as opened:
        for _ in range(3):
            for folder in (place, place + b"/one/two"):
                with among(opened) as folders:
                    found = folders.get_blocking(place, folder, open_blocking)
                assert os.fstat(found.descriptor).st_ino == os.stat(folder).st_ino
        assert asked == [place, place + b"/one/two"]
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_batch_of_many_folders_keeps_those_open_that_were_used_last(place):
    def open_blocking(root, folder):
        return Folder(open_below_blocking(root, folder), folder)

    folders = [place + b"/%d" % number for number in range(3 * MOST_FOLDERS)]
    before = len(os.listdir("/proc/self/fd"))
    with Opened() as opened:
        for folder in folders:
            os.mkdir(folder)
            always = opened.get_blocking(place, place, open_blocking)
            found = opened.get_blocking(place, folder, open_blocking)
            assert os.fstat(found.descriptor).st_ino == os.stat(folder).st_ino
            assert len(os.listdir("/proc/self/fd")) <= before + MOST_FOLDERS
        assert opened.get_blocking(place, place, open_blocking) is always
        assert opened.get_blocking(place, folders[-1], open_blocking) is found
        assert opened.get_blocking(place, folders[0], open_blocking).path == folders[0]
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize(
    "path", [b"/a", b"/root", b"/root/", b"/rooter/x", b"/root/../x", b"/root/a//b", b"/root/a/."]
)
def test_only_what_lies_plainly_below_counts(path):
    with pytest.raises(ValueError, match="not below root"):
        relative_to(b"/root", path)


def test_a_path_below_the_top_of_everything():
    assert relative_to(b"/", b"/a/b") == b"a/b"
    assert relative_to(b"/root/", b"/root/a") == b"a"


def test_odd_names_are_plain():
    assert is_plain(b"\xff\n ..../...")
    assert not is_plain(b"a\0b")


def test_folders_are_made_on_the_way(place, top):
    os.close(walk_blocking(top, b"new/newer", make=True))
    assert os.path.isdir(place + b"/new/newer")


def test_names_and_sync_work_through_a_bare_descriptor(place):
    descriptor = open_folder_blocking(place)
    os.mkdir(place + b"/\xff\n")
    assert names_in_blocking(descriptor) == [b"\xff\n"]
    sync_folder_blocking(descriptor)
    os.close(descriptor)


def test_a_kernel_without_openat2_is_served_too(place, top, monkeypatch):
    monkeypatch.setattr(kernel, "_syscall", None)
    descriptor = open_beneath_blocking(top, b"one/two")
    assert os.fstat(descriptor).st_ino == os.stat(place + b"/one/two").st_ino
    os.close(descriptor)
    with pytest.raises(OSError, match=r"symbolic links|Not a directory"):
        open_beneath_blocking(top, b"link/two")


def test_a_folder_that_cannot_be_listed_needs_no_sync(place, as_nobody):
    os.mkdir(place + b"/drop")
    os.chmod(place + b"/drop", 0o333)
    assert as_nobody(lambda: sync_folder_blocking(open_folder_blocking(place + b"/drop")) is None)


def test_a_folder_that_is_replaced_in_the_middle_of_a_batch_is_opened_anew(place, top):
    def open_blocking(root, folder):
        return Folder(open_below_blocking(root, folder), folder)

    folder = place + b"/one/two"
    before = len(os.listdir("/proc/self/fd"))
    with Opened() as opened:
        opened.get_blocking(place, folder, open_blocking)
        os.rename(folder, place + b"/elsewhere")
        with pytest.raises(FileNotFoundError):
            opened.get_blocking(place, folder, open_blocking)
        os.mkdir(folder)
        found = opened.get_blocking(place, folder, open_blocking)
        assert os.fstat(found.descriptor).st_ino == os.stat(folder).st_ino
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_folder_that_may_not_be_listed_is_written_to_all_the_same(place, as_nobody):
    os.mkdir(place + b"/blind")
    os.chown(place + b"/blind", 65534, 65534)
    os.chmod(place + b"/blind", 0o300)

    def sync() -> bool:
        descriptor = os.open(place + b"/blind", os.O_PATH)
        sync_folder_blocking(descriptor)
        return True

    assert as_nobody(sync)


def test_a_filesystem_that_syncs_no_folders_is_no_problem():
    descriptor = os.open("/proc/self", os.O_PATH)
    try:
        sync_folder_blocking(descriptor)
    finally:
        os.close(descriptor)
