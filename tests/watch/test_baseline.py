import os
import stat

import pytest

from checkfirst.watch.baseline import Baseline
from checkfirst.watch.root import open_root_blocking
from checkfirst.watch.sweep import scan_blocking
from tests.watch.watching import write

NOW = 1_764_000_000.0


class Desk:
    def __init__(self, base: bytes) -> None:
        self.folder, self.state = base + b"/Downloads", base + b"/state"
        os.mkdir(self.folder)
        os.mkdir(self.state)

    def baseline(self) -> Baseline:
        made = Baseline(self.state + b"/existing.json", lambda: NOW)
        made.load_blocking()
        return made

    def root(self):
        return open_root_blocking(self.folder, "auto")

    def record(self, recursive: bool = False) -> Baseline:
        made = self.baseline()
        scan = scan_blocking(self.folder, recursive=recursive, excluded=frozenset())
        made.record_blocking(self.root(), scan.files)
        return made

    def spares(self, baseline: Baseline, name: bytes) -> bool:
        path = self.folder + b"/" + name
        status = os.stat(path)
        return baseline.spares_blocking(self.folder, path, status.st_dev, status.st_ino)


@pytest.fixture
def desk(tmp_path):
    return Desk(bytes(tmp_path))


def test_what_was_there_is_spared_after_a_restart_too(desk):
    write(desk.folder + b"/old\xff\n")
    desk.record()
    again = desk.baseline()
    assert again.knows(desk.root())
    assert desk.spares(again, b"old\xff\n")
    assert again.notice is None


def test_what_comes_later_is_not_spared(desk):
    baseline = desk.record()
    write(desk.folder + b"/new")
    assert not desk.spares(baseline, b"new")


def test_an_edit_in_place_stays_exempt_and_a_replacement_does_not(desk):
    path = write(desk.folder + b"/old")
    baseline = desk.record()
    write(path, b"edited")
    assert desk.spares(baseline, b"old")
    os.rename(write(desk.folder + b"/fresh"), path)
    assert not desk.spares(baseline, b"old")


def test_a_rename_is_new(desk):
    path = write(desk.folder + b"/old")
    baseline = desk.record()
    os.rename(path, desk.folder + b"/renamed")
    assert not desk.spares(baseline, b"renamed")


def test_a_file_made_again_under_its_name_is_new_even_on_the_same_inode(desk):
    path = write(desk.folder + b"/old")
    baseline = desk.record()
    os.unlink(path)
    write(path)
    assert not desk.spares(baseline, b"old")


@pytest.mark.parametrize("name", [b"x.part", b"x.crdownload", b".x.Ab12Cd", b"d.download/Info"])
def test_temporary_names_are_not_in_it(desk, name):
    os.mkdir(desk.folder + b"/d.download")
    write(desk.folder + b"/" + name)
    assert not desk.spares(desk.record(recursive=True), name)


def test_empty_files_and_those_with_an_aria2_partner_are_not_in_it(desk):
    write(desk.folder + b"/empty", b"")
    write(desk.folder + b"/big")
    write(desk.folder + b"/big.aria2")
    baseline = desk.record()
    assert not desk.spares(baseline, b"empty")
    assert not desk.spares(baseline, b"big")


def test_a_file_still_being_written_is_not_in_it(desk):
    with open(desk.folder + b"/growing", "wb") as file:
        file.write(b"half")
        file.flush()
        baseline = desk.record()
    assert not desk.spares(baseline, b"growing")


def test_without_leases_what_changed_in_the_last_minute_is_not_in_it(desk):
    for name, age in ((b"fresh", 10), (b"old", 100)):
        path = write(desk.folder + b"/" + name)
        os.utime(path, (NOW - age, NOW - age))
    baseline = desk.baseline()
    root = desk.root()
    without = type(root)(**{f: getattr(root, f) for f in root.__slots__} | {"leases": False})
    baseline.record_blocking(without, {b"fresh": 1, b"old": 2})
    assert (desk.spares(baseline, b"fresh"), desk.spares(baseline, b"old")) == (False, True)


def test_sub_folders_are_told_apart(desk):
    os.mkdir(desk.folder + b"/sub")
    write(desk.folder + b"/sub/old")
    baseline = desk.record(recursive=True)
    assert desk.spares(baseline, b"sub/old")
    os.rename(desk.folder + b"/sub/old", desk.folder + b"/old")
    assert not desk.spares(baseline, b"old")


def test_forgotten_files_are_like_any_other_after_a_restart_too(desk):
    write(desk.folder + b"/old")
    write(desk.folder + b"/other")
    desk.record().forget_blocking(desk.folder, [desk.folder + b"/old"])
    again = desk.baseline()
    assert (desk.spares(again, b"old"), desk.spares(again, b"other")) == (False, True)


def test_forgetting_what_is_not_in_it_writes_nothing(desk):
    write(desk.folder + b"/old")
    baseline = desk.record()
    os.unlink(desk.state + b"/existing.json")
    baseline.forget_blocking(desk.folder, [desk.folder + b"/none"])
    baseline.forget_blocking(b"/elsewhere", [b"/elsewhere/none"])
    assert not os.path.exists(desk.state + b"/existing.json")


def test_a_replaced_folder_is_not_known(desk):
    desk.record()
    os.rename(desk.folder, desk.folder + b"-old")
    os.mkdir(desk.folder)
    assert not desk.baseline().knows(desk.root())


def test_a_renumbered_device_is_the_same_folder(desk):
    write(desk.folder + b"/old")
    desk.record()
    root = desk.root()
    if root.fsid == 0:
        pytest.skip("this filesystem has no id of its own")
    facts = {f: getattr(root, f) for f in root.__slots__}
    assert desk.baseline().knows(type(root)(**facts | {"dev": root.dev + 1}))
    assert not desk.baseline().knows(type(root)(**facts | {"dev": root.dev + 1, "fsid": 1}))
    status = os.stat(desk.folder + b"/old")
    assert desk.baseline().spares_blocking(
        desk.folder, desk.folder + b"/old", status.st_dev + 1, status.st_ino
    )


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"layout": 2}', b"\xff", b"[" * 100_000, b'{"layout":1}']
)
def test_a_corrupt_file_counts_as_none_and_is_said(desk, content):
    write(desk.state + b"/existing.json", content)
    baseline = desk.baseline()
    assert not baseline.knows(desk.root())
    assert "cannot be read" in baseline.notice
    write(desk.folder + b"/old")
    assert desk.spares(desk.record(), b"old")


def test_a_link_in_place_of_the_file_is_not_followed(desk):
    os.symlink("/etc/passwd", desk.state + b"/existing.json")
    assert "cannot be read" in desk.baseline().notice


def test_the_file_is_private(desk):
    desk.record()
    status = os.stat(desk.state + b"/existing.json")
    assert stat.S_IMODE(status.st_mode) == 0o600
    assert os.listdir(desk.state) == [b"existing.json"]
