import itertools

import pytest

from checkfirst.model import Fingerprint, Risk, VerdictKind
from checkfirst.sources.list_files import FromSettings, ListFiles
from checkfirst.sources.lists import Lists, weigh
from checkfirst.store.listed import Listed, ListedBy, ListName

A, B = "a" * 64, "b" * 64


def load_blocking(allow, block):
    return ListFiles(allow, block).read_blocking()


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
    verdict = weigh((A,), load_blocking(allow, block), {A: row} if row else {})
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
    verdict = weigh((A,), FromSettings(), {A: row})
    assert verdict is not None
    assert (verdict.source, verdict.reason) == ("lists", reason)


@pytest.mark.parametrize("weak", ["1" * 40, "2" * 32])
@pytest.mark.parametrize("by", ["settings", "database"])
def test_a_block_by_sha1_or_md5_is_a_block(weak, by):
    settings = load_blocking([A], [weak] if by == "settings" else [])
    rows = {weak: Listed(weak, ListName.BLOCK, ListedBy.USER, 0.0)} if by == "database" else {}
    assert weigh((A, weak), settings, rows).kind is VerdictKind.MALICIOUS
    assert weigh((A, weak), settings, {**rows, A: RESTORED}).kind is VerdictKind.CLEAN
    assert weigh((A,), settings, rows).kind is VerdictKind.CLEAN


def test_other_hashes_are_wanted_only_while_something_is_blocked_by_them():
    source = Lists(load_blocking([A], [B]), None)
    assert source.kinds() == frozenset()
    source.reload(load_blocking([], ["1" * 40]))
    assert source.kinds() == {"sha1"}
    assert source.reload_weak(frozenset({"2" * 32})) is True
    assert source.kinds() == {"sha1", "md5"}
    assert source.reload_weak(frozenset({"2" * 32})) is False
    assert source.reload_weak(frozenset()) is False
    source.reload(load_blocking([], []))
    assert source.kinds() == frozenset()


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


def test_many_broken_lines_fit_into_a_line_of_status():
    problems = tuple(f"bad.txt:{number}: no hash" for number in range(1, 22))

    async def look_up(_):
        return {}

    told = Lists(FromSettings(problems=problems), look_up).health().problem or ""
    assert told.startswith(
        "bad.txt:1: no hash; bad.txt:2: no hash; bad.txt:3: no hash; and 18 more"
    )
