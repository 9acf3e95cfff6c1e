"""The log's file through rotation, removal, full disks and torn lines."""

import logging
import os

import pytest

from checkfirst.log_file import LogFile


class Log:
    """A LogFile that writes bare messages, and what it complained of."""

    def __init__(self, path, *, rotate=0, keep=2):
        self.complaints = []
        self.path = path
        self.file = LogFile(path, rotate=rotate, keep=keep, complain=self.complaints.append)

    def write(self, *texts):
        for text in texts:
            self.file.handle(logging.makeLogRecord({"msg": text}))

    def read(self, n=0):
        path = self.path.with_name(f"{self.path.name}.{n}") if n else self.path
        return path.read_bytes()


@pytest.fixture
def make(tmp_path):
    made = []

    def make(path="checkfirst.log", **options):
        made.append(Log(tmp_path / path, **options))
        return made[-1]

    yield make
    for log in made:
        log.file.close()


def test_a_full_file_is_put_aside_and_only_so_many_are_kept(make):
    log = make(rotate=10, keep=2)
    log.write("one", "two", "three", "four", "five", "sixsixsixsix", "seven")
    assert [log.read(n) for n in range(3)] == [b"seven\n", b"sixsixsixsix\n", b"four\nfive\n"]
    assert not log.path.with_name("checkfirst.log.3").exists()


def test_rotation_counts_what_was_there_before(make):
    log = make(rotate=10)
    log.path.write_bytes(b"from before\n")
    log.write("one")
    assert (log.read(), log.read(1)) == (b"one\n", b"from before\n")


def test_keeping_none_begins_anew(make):
    log = make(rotate=10, keep=0)
    log.write("one", "two", "three")
    assert log.read() == b"three\n"
    assert os.listdir(log.path.parent) == ["checkfirst.log"]


def test_a_file_removed_or_moved_away_is_made_anew(make):
    log = make()
    log.write("one")
    log.path.unlink()
    log.write("two")
    log.path.rename(log.path.with_name("aside"))
    log.write("three")
    assert log.read() == b"three\n"
    assert log.path.with_name("aside").read_bytes() == b"two\n"


def test_a_folder_removed_is_made_anew(make):
    log = make("state/checkfirst.log")
    log.write("one")
    log.path.unlink()
    log.path.parent.rmdir()
    log.write("two")
    assert log.read() == b"two\n"


def test_a_line_torn_by_a_crash_does_not_take_the_next_one_with_it(make):
    log = make()
    log.path.write_bytes(b"whole\ntorn")
    log.write("one")
    assert log.read() == b"whole\ntorn\none\n"


def test_lines_lost_to_a_full_disk_are_made_up_for_by_their_number(make):
    log = make()
    log.path.symlink_to("/dev/full")
    log.write("one", "two")
    assert log.file.lost == 2
    assert len(log.complaints) == 1
    log.path.unlink()
    log.write("three", "four")
    assert log.read() == (
        b"lines missing here: 2; the log could not be written (No space left on device)\n"
        b"three\nfour\n"
    )
    assert log.file.lost == 0
    assert len(log.complaints) == 1


def test_a_place_where_no_file_can_be_is_a_complaint_and_no_error(make, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    log = make("file/checkfirst.log")
    log.write("one", "two")
    assert log.complaints == [
        "checkfirst: the log could not be written (File exists); going on without it"
    ]


def test_a_rotation_that_is_refused_goes_on_in_the_same_file(make):
    log = make(rotate=10)
    (log.path.with_name("checkfirst.log.1") / "in the way").mkdir(parents=True)
    (log.path.with_name("checkfirst.log.2") / "in the way").mkdir(parents=True)
    log.write("one", "two", "three")
    assert log.read() == b"one\ntwo\nthree\n"
    assert len(log.complaints) == 1


def test_a_device_is_never_rotated(make):
    log = make(rotate=5)
    log.path.symlink_to("/dev/null")
    log.write("one", "two", "three")
    assert log.path.is_symlink()
    assert log.complaints == []


def test_no_descriptor_is_left_open(make):
    before = os.listdir("/proc/self/fd")
    log = make(rotate=5)
    log.write("one", "two", "three")
    log.file.close()
    assert os.listdir("/proc/self/fd") == before


def test_a_lone_surrogate_is_written_escaped(make):
    log = make()
    log.write("a\udcff")
    assert log.read() == b"a\\udcff\n"
