import itertools

import pytest

from checkfirst.model import Fingerprint, Risk, VerdictKind
from checkfirst.sources.lists import FromSettings, Lists, load_blocking, weigh
from checkfirst.store.listed import Listed, ListedBy, ListName

A, B = "a" * 64, "b" * 64


def kept(name: ListName, origin: ListedBy = ListedBy.USER, note: str = "") -> Listed:
    return Listed(A, name, origin, 0.0, note)


ALLOWED, BLOCKED = kept(ListName.ALLOW), kept(ListName.BLOCK)
RESTORED = kept(ListName.ALLOW, ListedBy.RESTORE)
LET_GO = kept(ListName.ALLOW, ListedBy.RELEASE)


@pytest.mark.parametrize(
    ("allow", "block", "row"),
    list(itertools.product([(), (A,)], [(), (A,)], [None, ALLOWED, BLOCKED, RESTORED, LET_GO])),
)
def test_restore_and_release_beat_block_and_block_beats_allow(allow, block, row):
    verdict = weigh(A, load_blocking(allow, block), row)
    kind = verdict.kind if verdict else None
    if row in {RESTORED, LET_GO}:
        assert kind is VerdictKind.CLEAN
    elif block or row is BLOCKED:
        assert kind is VerdictKind.MALICIOUS
    elif allow or row is ALLOWED:
        assert kind is VerdictKind.CLEAN
    else:
        assert kind is None


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (kept(ListName.ALLOW, note="my own tool"), "on your allow list (my own tool)"),
        (kept(ListName.BLOCK, note="a\nb"), "on your block list (a\\x0ab)"),
        (RESTORED, "you restored it from the quarantine"),
        (LET_GO, "you released it on your own responsibility"),
    ],
)
def test_the_reason_is_in_words_with_the_note(row, reason):
    verdict = weigh(A, FromSettings(), row)
    assert verdict is not None
    assert (verdict.source, verdict.reason) == ("lists", reason)


def test_files_of_hashes_have_comments_blank_lines_and_either_case(tmp_path):
    path = tmp_path / "list.txt"
    path.write_bytes(f"\ufeff# mine\n\n{A.upper()}  # a tool\r\n{B}\n".encode())
    loaded = load_blocking([path], [])
    assert loaded.problems == ()
    for sha256 in (A, B):
        verdict = weigh(sha256, loaded, None)
        assert verdict is not None
        assert str(path) in verdict.reason


def test_broken_lines_are_named_and_the_rest_is_used(tmp_path):
    path = tmp_path / "list.txt"
    path.write_bytes(f"{A[:-1]}\n{B}\n\xff\xfe not a hash\n".encode("latin-1"))
    loaded = load_blocking([], [path])
    assert [one.split(": ")[0] for one in loaded.problems] == [f"{path}:1", f"{path}:3"]
    assert weigh(B, loaded, None) is not None


def test_a_file_full_of_rubbish_does_not_flood(tmp_path):
    path = tmp_path / "list.txt"
    path.write_text("x\n" * 1000)
    problems = load_blocking([path], []).problems
    assert len(problems) == 21
    assert "980 more lines" in problems[-1]


def test_a_missing_file_is_a_problem(tmp_path):
    loaded = load_blocking([A, tmp_path / "none"], [])
    assert "cannot be read: No such file" in loaded.problems[0]
    assert weigh(A, loaded, None) is not None


async def test_both_kinds_of_lists_are_asked_and_problems_are_in_its_health():
    async def look_up(sha256s):
        return {A: BLOCKED} if A in sha256s else {}

    source = Lists(load_blocking([B], []), look_up)
    prints = [Fingerprint(one, 1, "", Risk.OTHER) for one in (A, B, "c" * 64)]
    found = await source.answer(prints)
    assert {sha256: one.kind for sha256, one in found.items()} == {
        A: VerdictKind.MALICIOUS,
        B: VerdictKind.CLEAN,
    }
    assert (source.health().asked, source.health().answered, source.health().healthy) == (
        3,
        2,
        True,
    )
    source.reload(FromSettings(problems=("x:1: no SHA-256 in this line",)))
    assert (source.health().healthy, source.health().problem) == (
        False,
        "x:1: no SHA-256 in this line",
    )
    assert B not in await source.answer(prints)
