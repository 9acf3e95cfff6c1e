import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkfirst.policy.names import LONGEST, escape, numbered, quarantine_folder, show

names = st.binary(min_size=1, max_size=LONGEST).filter(lambda name: b"/" not in name)
printable = st.text(min_size=1).filter(str.isprintable)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"plain.txt", "plain.txt"),
        ("é 日本.pdf".encode(), "é 日本.pdf"),
        (b"back\\slash", "back\\slash"),
        (b"two\nlines", r"two\x0alines"),
        (b"\x1b[31mred", r"\x1b[31mred"),
        (b"\x7f", r"\x7f"),
        ("\x85".encode(), r"\x85"),
        (b"\xff\xfe", r"\xff\xfe"),
        (b"caf\xe9.txt", r"caf\xe9.txt"),
        ("invoice\u202efdp.exe".encode(), r"invoice\u202efdp.exe"),
        ("a\u200bb\u2028c".encode(), r"a\u200bb\u2028c"),
        ("no\u00a0break".encode(), r"no\u00a0break"),
        ("\U000e0041".encode(), r"\U000e0041"),
        (b"\xed\xa0\x80", r"\xed\xa0\x80"),
    ],
)
def test_shows_names_so_that_nothing_hides(name, shown):
    assert show(name) == shown


@given(st.binary())
def test_whatever_the_bytes_the_shown_name_is_printable(name):
    assert show(name).isprintable()
    show(name).encode("utf-8")


@given(printable)
def test_printable_text_is_shown_as_it_is(text):
    assert show(text.encode()) == text
    assert escape(text) == text


@given(st.text(st.characters(exclude_categories=())))
def test_any_text_can_be_escaped_lone_surrogates_included(text):
    assert escape(text).isprintable()


def test_escape_and_show_agree_on_smuggled_bytes():
    name = b"\xff\n.txt"
    assert escape(name.decode("utf-8", "surrogateescape")) == show(name)


def test_a_lone_surrogate_that_is_no_byte_is_escaped_as_a_code_point():
    assert escape("\ud800") == r"\ud800"


@pytest.mark.parametrize(
    ("at_most", "shown"),
    [(26, "abcdefghijklmnopqrstuvwxyz"), (7, "abc…xyz"), (6, "abc…yz"), (2, "a…"), (1, "…")],
)
def test_long_names_are_cut_in_the_middle(at_most, shown):
    assert show(b"abcdefghijklmnopqrstuvwxyz", at_most) == shown


@given(names, st.integers(1, 300))
def test_a_cut_name_is_never_longer_than_asked(name, at_most):
    assert len(show(name, at_most)) <= at_most


@pytest.mark.parametrize(
    ("name", "n", "result"),
    [
        (b"file.bin", 0, b"file.bin"),
        (b"file.bin", 1, b"file (1).bin"),
        (b"file.bin", 12, b"file (12).bin"),
        (b"no-suffix", 1, b"no-suffix (1)"),
        (b"src.tar.gz", 1, b"src (1).tar.gz"),
        (b"SRC.Tar.XZ", 1, b"SRC (1).Tar.XZ"),
        (b"a.pkg.tar.zst", 1, b"a.pkg (1).tar.zst"),
        (b"notes.txt.gz", 1, b"notes.txt (1).gz"),
        (b".tar.gz", 1, b".tar (1).gz"),
        (b".bashrc", 1, b".bashrc (1)"),
        (b"...", 1, b"... (1)"),
        (b"ends.", 1, b"ends (1)."),
        (b"file (1).bin", 1, b"file (1) (1).bin"),
        (b"-rf.txt", 2, b"-rf (2).txt"),
    ],
)
def test_the_number_goes_before_the_last_suffix(name, n, result):
    assert numbered(name, n) == result


def test_a_long_stem_is_cut_and_the_suffix_stays():
    result = numbered(b"x" * 251 + b".txt", 1000)
    assert result == b"x" * 244 + b" (1000).txt"
    assert len(result) == LONGEST


def test_utf8_is_cut_between_characters():
    name = "日".encode() * 83 + b"ab.bin"
    assert len(name) == LONGEST
    result = numbered(name, 1)
    assert result == "日".encode() * 82 + b" (1).bin"


def test_bytes_that_are_no_text_are_cut_anywhere():
    assert numbered(b"\xff" * 255, 1) == b"\xff" * 251 + b" (1)"


def test_a_suffix_that_leaves_no_room_is_part_of_the_stem():
    assert numbered(b"a." + b"b" * 253, 1) == b"a." + b"b" * 249 + b" (1)"


def test_a_full_name_that_is_numbered_already_gets_another_one():
    name = b"x" * 247 + b" (1).txt"
    assert numbered(name, 1) == b"x" * 246 + b" (1).txt"


@given(names, st.integers(0, 100_000))
def test_numbered_names_fit_and_keep_their_suffix(name, n):
    result = numbered(name, n)
    assert 0 < len(result) <= LONGEST
    stem, dot, suffix = name.rpartition(b".")
    if stem.strip(b".") and len(suffix) < 200:
        assert result.endswith(dot + suffix)


@given(names, st.sets(st.integers(0, 100_000), min_size=2, max_size=20))
def test_numbered_names_differ(name, numbers):
    assert len({numbered(name, n) for n in numbers}) == len(numbers)


@given(
    st.text("aé日", min_size=100).map(lambda text: text.encode()[:LONGEST]), st.integers(0, 9999)
)
def test_what_was_utf8_stays_utf8(name, n):
    name = name.decode("utf-8", "ignore").encode()
    assert numbered(name, n).decode()


SHA256 = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("name", "n", "folder"),
    [
        (b"evil.exe", 0, "2026-11-24 evil.exe 01234567"),
        (b"evil.exe", 1, "2026-11-24 evil.exe 01234567 (2)"),
        (b"evil.exe", 2, "2026-11-24 evil.exe 01234567 (3)"),
        (b".hidden", 0, "2026-11-24 .hidden 01234567"),
        (b"..", 0, "2026-11-24 .. 01234567"),
        (b"ends. ", 0, "2026-11-24 ends.  01234567"),
        (b"a/../b", 0, "2026-11-24 a_.._b 01234567"),
        (b"x\n", 0, r"2026-11-24 x\x0a 01234567"),
    ],
)
def test_quarantine_folders_tell_day_name_and_hash(name, n, folder):
    assert quarantine_folder("2026-11-24", name, SHA256, n) == folder


@given(st.binary(max_size=LONGEST), st.integers(0, 2000))
def test_quarantine_folders_are_safe_names(name, n):
    folder = quarantine_folder("2026-11-24", name, SHA256, n)
    assert folder.isprintable()
    assert "/" not in folder
    assert folder.startswith("2026-11-24 ")
    assert folder.rstrip(" .") == folder
    assert len(folder.encode()) <= len("2026-11-24 ") + 100 + len(" 01234567 (2001)")


def test_a_long_name_in_quarantine_keeps_its_end_and_whole_characters():
    folder = quarantine_folder("2026-11-24", "日".encode() * 80 + b".exe", SHA256, 0)
    shown = folder.removeprefix("2026-11-24 ").removesuffix(" 01234567")
    assert shown.endswith("日.exe")
    assert set(shown) == set("日….exe")
    assert 90 < len(shown.encode()) <= 100
