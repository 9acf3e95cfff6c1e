import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkfirst.policy.hashes import Kind, in_line, kind, read, shown

A, SHA1, MD5 = "a" * 64, "1" * 40, "2" * 32


@pytest.mark.parametrize(
    ("text", "of", "name"),
    [(A, Kind.SHA256, "SHA-256"), (SHA1, Kind.SHA1, "SHA-1"), (MD5, Kind.MD5, "MD5")],
)
def test_the_length_tells_the_kind(text, of, name):
    assert read(text.upper(), may_be_weak=True) == text
    assert (kind(text), shown(text)) == (of, name)


@pytest.mark.parametrize("text", [SHA1, MD5])
def test_what_can_be_forged_is_refused_where_it_would_clear_a_file(text):
    with pytest.raises(ValueError, match="two files can be made to have the same"):
        read(text, may_be_weak=False)


@pytest.mark.parametrize("length", [56, 96, 128])
@pytest.mark.parametrize("may_be_weak", [False, True])
def test_hashes_that_nobody_looks_up_are_refused(length, may_be_weak):
    with pytest.raises(ValueError, match="give the SHA-256"):
        read("a" * length, may_be_weak=may_be_weak)


@pytest.mark.parametrize("text", ["", "a" * 63, "g" * 64, "a" * 65, f"{A}\n", f" {A}", "٣" * 64])
def test_anything_else_is_no_hash(text):
    assert read(text, may_be_weak=True) is None


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (A, A),
        (f"{A} # note {SHA1}", A),
        (f"{A}  name of #1 file", A),
        (f"{A} *name", A),
        (f"{A}  {A}", A),
        (f"\\{A}  a\\nb", A),
        (f"{MD5}  name", MD5),
        ("# comment", None),
        ("", None),
    ],
)
def test_a_line_is_a_hash_with_a_comment_or_what_sha256sum_writes(line, found):
    assert in_line(line, may_be_weak=True) == found


@pytest.mark.parametrize("line", ["name", f"{A},{A}", f"{A}, name", f"name  {A}", f'"{A}"', A[1:]])
def test_any_other_line_is_told(line):
    with pytest.raises(ValueError, match="no hash in this line"):
        in_line(line, may_be_weak=True)


@given(st.text())
def test_no_text_is_too_strange(text):
    for find in (read, in_line):
        try:
            found = find(text, may_be_weak=True)
        except ValueError:
            continue
        assert found is None or kind(found) in Kind
