from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkfirst.settings.units import duration, duration_text, size, size_text, some_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2s", 2), ("5m", 300), ("7d", 604_800), ("1h30m", 5400), ("1h 30m", 5400),
        (" 2w ", 1_209_600),
        ("500ms", 0.5), ("0.5s", 0.5), ("1.5h", 5400), ("0s", 0), ("36500d", 36_500 * 86_400),
    ],
)  # fmt: skip
def test_times_are_written_with_units(text, seconds):
    assert duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("value", [5, 0, 2.5, "5", "0", "2.5"])
def test_a_plain_number_is_no_time_and_no_size(value):
    for read in (duration, size):
        with pytest.raises(ValueError, match=r"with its unit.*a plain number could mean anything"):
            read(value)


@pytest.mark.parametrize(
    "value",
    ["", " ", "s", "5 minutes", "5M", "-5s", "30m1h", "1m1m", "1e3s", "٣s",
     None, True, [], "9" * 99],
)  # fmt: skip
def test_what_is_no_time_is_told_what_one_looks_like(value):
    with pytest.raises(ValueError, match=r"such as 30s, 5m, 7d or 1h30m"):
        duration(value)


def test_a_time_beyond_a_life_is_refused():
    with pytest.raises(ValueError, match="at most 100 years"):
        duration("36500d1ms")


def test_nothing_is_refused_where_it_would_mean_never_resting():
    with pytest.raises(ValueError, match="cannot be nothing"):
        some_duration("0s")


@pytest.mark.parametrize(
    ("text", "count"),
    [("10MB", 10_000_000), ("650MB", 650_000_000), ("1GiB", 1024**3), ("1.5kB", 1500),
     ("2 KiB", 2048)],
)  # fmt: skip
def test_sizes_are_written_with_units(text, count):
    assert size(text) == count


@pytest.mark.parametrize("value", ["10M", "MB", "-1MB", "10mb", None, True, []])
def test_what_is_no_size_is_told_what_one_looks_like(value):
    with pytest.raises(ValueError, match="such as 650MB or 1GiB"):
        size(value)


def test_a_number_without_end_is_no_size():
    with pytest.raises(ValueError, match="such as 650MB or 1GiB"):
        size(10**5000)


@pytest.mark.parametrize("value", ["1B", "999B", "1025TiB"])
def test_sizes_that_no_log_can_have_are_refused(value):
    with pytest.raises(ValueError, match="from 1kB to 1024TiB"):
        size(value)


@given(st.integers(0, 36_500 * 86_400_000))
def test_a_time_that_is_written_is_read_again(milliseconds):
    length = timedelta(milliseconds=milliseconds)
    assert duration(duration_text(length)) == length


@given(st.integers(1, 10**6), st.sampled_from(["kB", "MB", "KiB", "MiB"]))
def test_a_size_that_is_written_is_read_again(number, unit):
    count = size(f"{number}{unit}")
    assert size(size_text(count)) == count
