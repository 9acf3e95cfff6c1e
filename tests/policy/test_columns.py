import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkfirst.policy.columns import cut_end, shorten, width, wrap


@pytest.mark.parametrize(
    ("text", "columns"), [("", 0), ("abc", 3), ("漢字", 4), ("e\u0301", 1), ("🦠.exe", 6)]
)
def test_width(text, columns):
    assert width(text) == columns


def test_a_name_keeps_its_beginning_and_its_end():
    assert shorten("quarterly-report-of-the-company.pdf.exe", 20) == "quarterly-…y.pdf.exe"[:10] + (
        "…" + "y.pdf.exe"[-9:]
    )


def test_a_sentence_keeps_its_beginning():
    assert cut_end("none of 63 engines found anything", 12) == "none of 63…"


@given(st.text(), st.integers(1, 40))
def test_neither_is_ever_wider_than_asked_for(text, at_most):
    assert width(shorten(text, at_most)) <= max(at_most, 1)
    assert width(cut_end(text, at_most)) <= max(at_most, 1)


@given(st.text(max_size=20))
def test_what_fits_stays(text):
    assert shorten(text, width(text)) == cut_end(text, width(text)) == text


@pytest.mark.parametrize("at_most", [1, 2, 7, 40, 500])
def test_wrapped_lines_fit_by_columns_and_lose_nothing(at_most):
    text = "released 漢字漢字漢字.zip -> /q/" + "x" * 90 + ": none  of 63 e\u0301ngines"
    lines = wrap(text, at_most)
    assert max(map(width, lines)) <= max(at_most, 2)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert wrap("", at_most) == [""]


def test_what_fits_stays_on_one_line_with_its_blanks():
    assert wrap("a  b c", 6) == ["a  b c"]
    assert wrap("a  b c", 5) == ["a  b", "c"]
    assert wrap("漢字 漢", 5) == ["漢字", "漢"]
