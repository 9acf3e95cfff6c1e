import os

import pytest

from checkfirst.vault import kernel
from checkfirst.vault.grip import stamp_of
from checkfirst.vault.rename import (
    exists,
    is_there,
    next_free,
    put_under_free_name,
    rename_by_link,
    rename_by_reservation,
    rename_noreplace,
    unlink_if_same,
)

WAYS = [rename_noreplace, rename_by_link, rename_by_reservation]


def written(path: bytes, data: bytes = b"content") -> bytes:
    with open(path, "wb") as file:
        file.write(data)
    return path


def read(path: bytes) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def go(way, source, target, source_fd=None, target_fd=None):
    if way is rename_noreplace:
        way(source, target, source_fd=source_fd, target_fd=target_fd)
    else:
        way(source, target, source_fd, target_fd)


@pytest.mark.parametrize("way", WAYS)
def test_a_free_name_is_taken(place, way):
    source = written(place + b"/a")
    go(way, source, place + b"/b")
    assert os.listdir(place) == [b"b"]
    assert read(place + b"/b") == b"content"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("what", ["file", "folder", "dangling link"])
def test_nothing_is_ever_replaced(place, way, what):
    source, target = written(place + b"/a"), place + b"/b"
    match what:
        case "file":
            written(target, b"other")
        case "folder":
            os.mkdir(target)
        case "dangling link":
            os.symlink(b"nowhere", target)
    before = os.lstat(target)
    with pytest.raises(FileExistsError):
        go(way, source, target)
    assert read(source) == b"content"
    assert os.lstat(target).st_ino == before.st_ino


@pytest.mark.parametrize("way", WAYS)
def test_folders_may_be_given_by_descriptor(place, way):
    os.mkdir(place + b"/from")
    os.mkdir(place + b"/to")
    written(place + b"/from/a")
    one, two = (os.open(place + name, os.O_PATH) for name in (b"/from", b"/to"))
    try:
        go(way, b"a", b"b", one, two)
    finally:
        os.close(one)
        os.close(two)
    assert read(place + b"/to/b") == b"content"
    assert os.listdir(place + b"/from") == []


@pytest.mark.parametrize("way", WAYS)
def test_a_missing_source_leaves_no_trace(place, way):
    with pytest.raises(FileNotFoundError):
        go(way, place + b"/none", place + b"/b")
    assert os.listdir(place) == []


@pytest.mark.parametrize("way", WAYS)
def test_a_symbolic_link_is_renamed_itself(place, way):
    written(place + b"/target")
    os.symlink(b"target", place + b"/link")
    go(way, place + b"/link", place + b"/b")
    assert os.readlink(place + b"/b") == b"target"
    assert not exists_at(place, b"link")


@pytest.mark.parametrize("way", WAYS)
def test_another_filesystem_is_said_and_leaves_no_trace(place, other, way):
    source = written(place + b"/a")
    with pytest.raises(OSError, match="cross-device"):
        go(way, source, other + b"/b")
    assert read(source) == b"content"
    assert os.listdir(other) == []


def exists_at(folder: bytes, name: bytes) -> bool:
    descriptor = os.open(folder, os.O_PATH)
    try:
        return exists(name, descriptor)
    finally:
        os.close(descriptor)


def test_unlink_spares_what_took_the_place(place):
    path = written(place + b"/a")
    stamp = stamp_of(os.lstat(path))
    os.rename(written(place + b"/b", b"other"), path)
    assert not unlink_if_same(path, stamp)
    assert read(path) == b"other"
    assert unlink_if_same(path, stamp_of(os.lstat(path)))
    assert not unlink_if_same(path, stamp)


def test_a_symlink_to_the_file_is_not_the_file(place):
    path = written(place + b"/a")
    os.symlink(b"a", place + b"/link")
    assert not is_there(place + b"/link", stamp_of(os.stat(path)))


@pytest.mark.parametrize("taken", [0, 1, 2, 3, 7, 64, 1000])
def test_the_first_free_number_is_found_in_few_looks(taken):
    looks = []

    def is_taken(n: int) -> bool:
        looks.append(n)
        return n <= taken

    assert next_free(is_taken, 0) == taken + 1
    assert len(looks) <= 25


def test_a_name_that_is_taken_meanwhile_is_passed_over(place):
    def put(name: bytes) -> None:
        os.close(os.open(place + b"/" + name, os.O_CREAT | os.O_EXCL))

    descriptor = os.open(place, os.O_PATH)
    try:
        for _ in range(5):
            put_under_free_name(lambda n: b"%d" % n, put, descriptor)
    finally:
        os.close(descriptor)
    assert sorted(os.listdir(place)) == [b"0", b"1", b"2", b"3", b"4"]


def test_a_kernel_without_renameat2_is_served_too(place, monkeypatch):
    monkeypatch.setattr(kernel, "_renameat2", None)
    source = written(place + b"/a")
    written(place + b"/b", b"other")
    with pytest.raises(FileExistsError):
        rename_noreplace(source, place + b"/b")
    rename_noreplace(source, place + b"/c")
    assert sorted(os.listdir(place)) == [b"b", b"c"]


def test_a_filesystem_without_links_is_served_too(place, monkeypatch):
    """A folder cannot be linked, as nothing can on FAT, so the reservation is what is left."""
    monkeypatch.setattr(kernel, "_renameat2", None)
    os.mkdir(place + b"/folder")
    with pytest.raises(NotADirectoryError):  # a folder cannot be laid over a reservation
        rename_noreplace(place + b"/folder", place + b"/other")
    assert os.listdir(place) == [b"folder"]


def test_a_link_whose_old_name_cannot_go_is_taken_back(place, as_nobody):
    os.mkdir(place + b"/from")
    os.mkdir(place + b"/to")
    source = written(place + b"/from/a")
    for path in (place + b"/to", source):
        os.chown(path, 65534, 65534)

    def look() -> bool:
        try:
            rename_by_link(source, place + b"/to/a", None, None)
        except PermissionError:
            return os.listdir(place + b"/to") == []
        return False

    assert as_nobody(look)
    assert read(source) == b"content"
