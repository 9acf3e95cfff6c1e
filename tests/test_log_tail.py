"""Reading the log's end, and following it through whatever happens to the file."""

from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkfirst.log_tail import follow, read_last_blocking


@pytest.fixture
def log(tmp_path):
    return tmp_path / "checkfirst.log"


def older(log, n):
    return log.with_name(f"{log.name}.{n}")


def add(log, *lines):
    with log.open("ab") as stream:
        stream.write(b"".join(line.encode() + b"\n" for line in lines))


def rotate(log, keep=5):
    for n in range(keep, 1, -1):
        if older(log, n - 1).exists():
            older(log, n - 1).replace(older(log, n))
    log.replace(older(log, 1))


def following(log, *happenings, lines=0):
    """Give all that is seen while one thing after the other happens between two looks."""
    left = list(happenings)

    class Enough(Exception):  # noqa: N818
        pass

    def sleep(seconds):
        assert seconds > 0
        if not left:
            raise Enough
        left.pop(0)()

    seen = []
    with pytest.raises(Enough):
        seen.extend(collect(follow(log, lines, sleep=sleep), seen))
    return seen


def collect(lines, into):
    for line in lines:
        into.append(line)
    return []


def test_no_log_yet_has_no_lines(log):
    assert read_last_blocking(log, 5) == []


def test_the_last_lines_come_oldest_first_and_reach_into_older_files(log):
    add(older(log, 2), "a", "b")
    add(older(log, 1), "c", "d")
    add(log, "e")
    assert read_last_blocking(log, 0) == []
    assert read_last_blocking(log, 1) == ["e"]
    assert read_last_blocking(log, 4) == ["b", "c", "d", "e"]
    assert read_last_blocking(log, 99) == ["a", "b", "c", "d", "e"]


def test_a_log_that_is_just_being_rotated_is_read_from_the_older_file(log):
    add(older(log, 1), "a", "b")
    assert read_last_blocking(log, 1) == ["b"]


def test_bytes_that_are_no_text_are_shown_escaped(log):
    log.write_bytes(b"a\xff\n")
    assert read_last_blocking(log, 1) == ["a\\xff"]


def test_long_lines_are_read_whole(log):
    lines = ["x" * 200_000, "y" * 70_000, ""]
    add(log, *lines)
    assert read_last_blocking(log, 3) == lines
    assert list(islice(follow(log, 2), 2)) == lines[1:]


@given(
    st.lists(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\n"))), max_size=4),
    st.integers(0, 30),
)
def test_the_last_lines_are_the_end_of_all_files_together(tmp_path_factory, files, wanted):
    log = tmp_path_factory.mktemp("log") / "checkfirst.log"
    for n, lines in enumerate(files):
        add(older(log, n) if n else log, *lines)
    everything = [line for lines in reversed(files) for line in lines]
    assert read_last_blocking(log, wanted) == (everything[-wanted:] if wanted else [])


def test_following_begins_at_the_end_or_so_many_lines_before(log):
    add(older(log, 1), "a")
    add(log, "b")
    assert following(log, lambda: add(log, "c")) == ["c"]
    assert following(log, lambda: add(log, "d"), lines=3) == ["a", "b", "c", "d"]


def test_following_waits_for_a_log_that_is_not_there_yet(log):
    assert following(log, lambda: None, lambda: add(log, "a")) == ["a"]


def test_a_line_counts_once_it_is_complete(log):
    log.write_bytes(b"a\nb")
    assert following(log, lambda: add(log, "c"), lines=1) == ["a", "bc"]


def test_following_survives_a_rotation(log):
    add(log, "a")

    def happen():
        add(log, "b")
        rotate(log)
        add(log, "c")

    assert following(log, happen, lambda: add(log, "d")) == ["b", "c", "d"]


def test_following_survives_a_rotation_caught_in_the_middle(log):
    add(log, "a")
    assert following(log, lambda: rotate(log), lambda: add(log, "b")) == ["b"]


def test_following_survives_several_rotations_between_two_looks(log):
    add(log, "a")

    def happen():
        for line in "bcd":
            add(log, line)
            rotate(log)
        add(log, "e")

    assert following(log, happen, lambda: add(log, "f")) == ["b", "c", "d", "e", "f"]


def test_following_goes_on_where_the_log_was_removed(log):
    add(older(log, 1), "old")
    add(log, "a")

    def happen():
        log.unlink()
        add(log, "b")

    assert following(log, happen) == ["b"]


def test_following_starts_over_where_the_log_was_cut_short(log):
    add(log, "a long line of before")

    def happen():
        log.write_bytes(b"")
        add(log, "b")

    assert following(log, happen) == ["b"]


def test_what_was_torn_off_in_a_rotated_log_is_shown(log):
    add(log, "a")

    def happen():
        log.write_bytes(b"a\ntorn")
        rotate(log)
        add(log, "b")

    assert following(log, happen) == ["torn", "b"]
