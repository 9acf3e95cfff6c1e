import os
import socket

import pytest

from checkfirst.watch.sweep import DEEPEST, scan_blocking
from tests.watch.watching import write

NOTHING = frozenset()


@pytest.fixture
def root(tmp_path):
    return bytes(tmp_path)


def test_only_regular_files_are_seen(root):
    write(root + b"/file")
    os.mkdir(root + b"/folder")
    os.mkfifo(root + b"/pipe")
    os.symlink(root + b"/file", root + b"/link")
    os.symlink(root + b"/folder", root + b"/folder link")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(root + b"/socket")
        scan = scan_blocking(root, recursive=True, excluded=NOTHING)
    assert scan.files == {b"file": os.stat(root + b"/file").st_ino}
    assert scan.folders_not_looked_into == 0


def test_names_are_bytes(root):
    name = b"inv\xff\xfe\nname"
    write(root + b"/" + name)
    assert set(scan_blocking(root, recursive=False, excluded=NOTHING).files) == {name}


def test_folders_are_entered_only_when_asked(root):
    os.makedirs(root + b"/a/b")
    write(root + b"/a/b/file")
    flat = scan_blocking(root, recursive=False, excluded=NOTHING)
    assert (flat.files, flat.folders_left_out, flat.folders_not_looked_into) == ({}, 1, 0)
    assert set(scan_blocking(root, recursive=True, excluded=NOTHING).files) == {b"a/b/file"}


def test_excluded_and_held_folders_are_not_entered(root):
    for name in (b"Released", b"a/.checkfirst-held/1", b"a/Released", b"Released2"):
        os.makedirs(root + b"/" + name)
        write(root + b"/" + name + b"/file")
    scan = scan_blocking(root, recursive=True, excluded=frozenset({root + b"/Released"}))
    assert set(scan.files) == {b"a/Released/file", b"Released2/file"}
    assert (scan.folders_not_looked_into, scan.folders_left_out) == (0, 0)


def test_only_what_a_person_may_miss_counts_as_left_out(root):
    for name in (b"Released", b".checkfirst-held/1", b"a/b", b"c"):
        os.makedirs(root + b"/" + name)
    os.symlink(root + b"/a", root + b"/link")
    scan = scan_blocking(root, recursive=False, excluded=frozenset({root + b"/Released"}))
    assert scan.folders_left_out == 2


def test_what_is_too_deep_is_counted(root):
    path = root + b"/d" * (DEEPEST + 1)
    os.makedirs(path)
    write(path + b"/too deep")
    write(os.path.dirname(path) + b"/just right")
    scan = scan_blocking(root, recursive=True, excluded=NOTHING)
    assert [os.path.basename(name) for name in scan.files] == [b"just right"]
    assert scan.folders_not_looked_into == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user, which takes root")
def test_an_unreadable_folder_is_counted(root):
    os.makedirs(root + b"/closed")
    os.makedirs(root + b"/open")
    write(root + b"/open/file")
    os.chmod(root + b"/closed", 0)
    os.chmod(root, 0o755)
    home = os.getcwd()
    descriptor = os.open(root, os.O_PATH)  # the folders above may be closed to others
    os.seteuid(65534)
    try:
        os.fchdir(descriptor)
        scan = scan_blocking(b".", recursive=True, excluded=NOTHING)
    finally:
        os.seteuid(0)
        os.chdir(home)
        os.close(descriptor)
    assert (set(scan.files), scan.folders_not_looked_into) == ({b"open/file"}, 1)


def test_a_root_that_is_gone_or_a_link_is_an_error(root):
    os.symlink(root, root + b"/link")
    for path in (root + b"/none", root + b"/link"):
        with pytest.raises(OSError, match=r"No such file|Not a directory"):
            scan_blocking(path, recursive=False, excluded=NOTHING)


def test_the_folder_that_was_looked_at_is_named(root):
    scan = scan_blocking(root, recursive=False, excluded=NOTHING)
    assert (scan.device, scan.inode) == (os.stat(root).st_dev, os.stat(root).st_ino)


def test_no_descriptor_stays_open(root):
    os.makedirs(root + b"/a/b/c")
    before = os.listdir("/proc/self/fd")
    scan_blocking(root, recursive=True, excluded=NOTHING)
    assert len(os.listdir("/proc/self/fd")) == len(before)
