import os

import pytest

from checkfirst.watch.root import WatchProblem, is_same_blocking, open_root_blocking
from tests.watch.watching import write


@pytest.fixture
def folder(tmp_path):
    made = bytes(tmp_path) + b"/Downloads"
    os.mkdir(made)
    return made


def test_a_folder_is_known_by_device_and_inode(folder):
    root = open_root_blocking(folder, "auto")
    status = os.stat(folder)
    assert (root.path, root.dev, root.ino) == (folder, status.st_dev, status.st_ino)
    assert is_same_blocking(root)


def test_a_link_is_resolved(folder):
    link = folder + b"-link"
    os.symlink(folder, link)
    root = open_root_blocking(link, "auto")
    assert (root.configured, root.path) == (link, folder)


def test_a_link_that_leads_elsewhere_by_now_is_another_folder(folder):
    link, other = folder + b"-link", folder + b"-other"
    os.symlink(folder, link)
    root = open_root_blocking(link, "auto")
    os.mkdir(other)
    os.unlink(link)
    os.symlink(other, link)
    assert not is_same_blocking(root)


def test_a_folder_made_anew_is_another(folder):
    root = open_root_blocking(folder, "auto")
    os.rename(folder, folder + b"-old")
    assert not is_same_blocking(root)
    os.mkdir(folder)
    assert not is_same_blocking(root)


@pytest.mark.parametrize(
    ("watcher", "polling"), [("auto", False), ("native", False), ("polling", True)]
)
def test_the_setting_rules_how_a_local_folder_is_watched(folder, watcher, polling):
    root = open_root_blocking(folder, watcher)
    assert (root.polling, root.leases) == (polling, True)


def test_a_missing_folder_is_a_problem_with_advice(folder):
    with pytest.raises(WatchProblem) as caught:
        open_root_blocking(folder + b"\n\xff", "auto")
    assert caught.value.title == "The watched folder does not exist"
    assert caught.value.about.endswith(r"Downloads\x0a\xff")
    assert "`watch`" in caught.value.to_do


def test_a_file_is_no_folder(folder):
    with pytest.raises(WatchProblem, match="not a folder"):
        open_root_blocking(write(folder + b"/file"), "auto")


def test_a_loop_of_links_says_what_the_system_said(folder):
    os.symlink(folder + b"/loop", folder + b"/loop")
    with pytest.raises(WatchProblem, match="cannot be opened"):
        open_root_blocking(folder + b"/loop", "auto")


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user, which takes root")
def test_a_folder_that_cannot_be_listed_is_a_problem():
    nobody = 65534
    root = open_root_blocking(b"/tmp", "auto")
    os.seteuid(nobody)
    try:
        with pytest.raises(WatchProblem, match="cannot be listed"):
            open_root_blocking(b"/root", "auto")
        assert is_same_blocking(root)
    finally:
        os.seteuid(0)
