import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkfirst.cli.layout import GAP, Cell, fit
from checkfirst.policy.columns import width

HEADINGS = ["id", "verdict", "name", "reason"]
ROW = [
    Cell("1"),
    Cell("malicious"),
    Cell("quarterly-report-of-the-whole-company.pdf.exe", is_name=True),
    Cell("62 of 64 engines call it malicious"),
]


def test_what_fits_stays_as_it_is():
    fitted = fit(HEADINGS, [ROW], 200, spare=["verdict"])
    assert fitted.headings == HEADINGS
    assert fitted.rows == [[cell.text for cell in ROW]]


def test_without_a_screen_nothing_is_cut():
    assert fit(HEADINGS, [ROW], None).rows == [[cell.text for cell in ROW]]


def test_on_a_narrow_screen_the_spare_column_goes_and_names_are_cut_in_the_middle():
    fitted = fit(HEADINGS, [ROW], 60, spare=["verdict"])
    assert fitted.headings == ["id", "name", "reason"]
    name, reason = fitted.rows[0][1:]
    assert name.startswith("quarterly-rep")
    assert name.endswith("any.pdf.exe")
    assert reason.startswith("62 of 64 engines call")
    assert reason.endswith("…")
    assert sum(fitted.widths) + GAP * 2 == 60


def test_columns_without_anything_take_no_room():
    assert fit(["", ""], [[Cell("a"), Cell("")]], 80).widths == [1]


@given(
    st.lists(st.lists(st.text(max_size=60), min_size=3, max_size=3), min_size=1, max_size=4),
    st.integers(40, 200),
)
def test_it_always_fits(rows, room):
    fitted = fit(
        ["a", "b", "c"], [[Cell(text, is_name=True) for text in row] for row in rows], room
    )
    for row in [fitted.headings, *fitted.rows]:
        assert sum(map(width, row)) + GAP * (len(row) - 1) <= room


@pytest.mark.parametrize("room", [1, 5, 12])
def test_a_screen_that_is_far_too_narrow_is_no_error(room):
    assert len(fit(HEADINGS, [ROW], room).rows) == 1
