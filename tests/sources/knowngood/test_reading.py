import hashlib
import os
import random

import pytest

from checkfirst.errors import Problem
from checkfirst.sources.knowngood.format import (
    HEAD_BYTES,
    KEY_BYTES,
    KEYS_AT,
    DamagedError,
    Facts,
    head,
    slot_of,
)
from checkfirst.sources.knowngood.reading import KnownGoodList
from tests.sources.knowngood.made import build, digests


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "known-good.cfk"


def opened(path) -> KnownGoodList:
    found = KnownGoodList.open_blocking(path)
    assert found is not None
    return found


def test_all_that_is_listed_is_found_and_nothing_else(path):
    build(path, digests(20_000))
    with opened(path) as listed:
        assert all(map(listed.has_blocking, digests(20_000)))
        assert not any(map(listed.has_blocking, digests(20_000, first=20_000)))
        assert listed.facts.count == 20_000


def test_twenty_bytes_tell_hashes_apart(path):
    first = digests(1)[0]
    build(path, [first])
    with opened(path) as listed:
        for at in range(20):
            other = bytearray(first)
            other[at] ^= 1
            assert not listed.has_blocking(bytes(other)), at
        assert listed.has_blocking(first[:20] + bytes(12))


def test_a_key_that_only_lies_across_two_others_is_not_found(path):
    """All in one slot, so that the bytes of the searched key are there, but at no key's place."""
    one, two = b"ab" + bytes(range(18)) + bytes(12), b"ab" + bytes(range(18, 36)) + bytes(12)
    build(path, [one, two])
    with opened(path) as listed:
        for shift in range(1, KEY_BYTES):
            assert not listed.has_blocking(b"ab" + bytes(range(shift, shift + 18)) + bytes(12))
        assert listed.has_blocking(one)
        assert listed.has_blocking(two)


def test_first_and_last_slot_and_first_and_last_key(path):
    edges = [bytes([first] * 2 + [last] * 30) for first in (0, 255) for last in (0, 255)]
    build(path, edges)
    with opened(path) as listed:
        assert {slot_of(edge) for edge in edges} == {0, 65_535}
        assert all(map(listed.has_blocking, edges))
        assert list(listed.verify_blocking())[-1] == 4


def test_order_and_repetition_do_not_matter(path, tmp_path):
    many = digests(3000)
    build(path, many)
    shuffled = many * 2
    random.Random(1).shuffle(shuffled)
    other = tmp_path / "other"
    build(other, shuffled)
    assert other.read_bytes() == path.read_bytes()


def test_what_is_left_out_is_not_listed_whoever_else_names_it(path):
    facts = build(path, digests(100), bad=digests(20, first=90))
    assert (facts.count, facts.left_out) == (90, 20)
    with opened(path) as listed:
        assert sum(map(listed.has_blocking, digests(110))) == 90


def test_a_large_list_has_at_most_20_bytes_a_hash(path):
    facts = Facts("x", 0.0, 30_000_000)
    assert facts.size / facts.count <= 20


def test_there_is_none(tmp_path):
    assert KnownGoodList.open_blocking(tmp_path / "none") is None


def test_the_file_is_private(path):
    build(path, digests(1))
    assert path.stat().st_mode & 0o777 == 0o600
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize("size", [0, 1, HEAD_BYTES - 1, HEAD_BYTES, KEYS_AT, KEYS_AT + 17, -1])
def test_a_file_that_was_cut_off_is_refused(path, size):
    build(path, digests(10))
    os.truncate(path, size if size >= 0 else path.stat().st_size - 1)
    with pytest.raises(DamagedError, match="damaged"):
        KnownGoodList.open_blocking(path)


def test_a_file_that_has_grown_is_refused(path):
    build(path, digests(10))
    with path.open("ab") as file:
        file.write(bytes(18))
    with pytest.raises(DamagedError, match="damaged"):
        KnownGoodList.open_blocking(path)


def _ask_all(path) -> None:
    with opened(path) as listed:
        for digest in digests(300):
            listed.has_blocking(digest)


def test_no_flipped_bit_goes_unnoticed(path):
    """Head and tables when it is opened; keys when their slot is read."""
    build(path, digests(300))
    whole = path.read_bytes()
    rng = random.Random(2)
    places = [0, HEAD_BYTES - 1, HEAD_BYTES, KEYS_AT - 1, KEYS_AT, len(whole) - 1]
    for at in places + [rng.randrange(len(whole)) for _ in range(100)]:
        spoilt = bytearray(whole)
        spoilt[at] ^= 1 << rng.randrange(8)
        path.write_bytes(spoilt)
        with pytest.raises(DamagedError):
            _ask_all(path)


def test_keys_out_of_order_are_found_by_a_full_check(path):
    """Checksums are right, as in a list that somebody else's program has made."""
    import zlib
    from array import array

    one, two = (b"ab" + bytes([n]) * 18 for n in (1, 2))
    build(path, [one, two])
    content = bytearray(path.read_bytes())
    keys = content[KEYS_AT + 18 :] + content[KEYS_AT : KEYS_AT + 18]
    sums = array("I", content[HEAD_BYTES + 4 * 65_537 : KEYS_AT])
    sums[slot_of(one)] = zlib.crc32(keys)
    tables = bytes(content[HEAD_BYTES : HEAD_BYTES + 4 * 65_537]) + sums.tobytes()
    total = hashlib.sha256(tables).hexdigest()
    path.write_bytes(head(Facts("x", 0.0, 2, tables_sum=total)) + tables + keys)
    with opened(path) as listed:
        assert listed.has_blocking(one)
        with pytest.raises(DamagedError, match="order"):
            list(listed.verify_blocking())


@pytest.mark.parametrize("facts", ['{"count": "5"}', "[]", "x", '{"source": 1, "count": 1}'])
def test_a_head_that_makes_no_sense_is_refused(path, facts, tmp_path):
    from checkfirst.sources.knowngood.format import MAGIC

    text = (MAGIC + facts.encode()).ljust(HEAD_BYTES - 32)
    spoilt = tmp_path / "spoilt"
    spoilt.write_bytes(text + hashlib.sha256(text).digest())
    with pytest.raises(DamagedError):
        KnownGoodList.open_blocking(spoilt)


def test_a_folder_in_its_place_is_a_problem_in_words(tmp_path):
    with pytest.raises(Problem, match="cannot be read"):
        KnownGoodList.open_blocking(tmp_path)


def test_a_list_that_was_replaced_goes_on_for_who_has_it_open(path):
    build(path, digests(10))
    with opened(path) as old:
        build(path, digests(10, first=10))
        assert all(map(old.has_blocking, digests(10)))
        with opened(path) as new:
            assert not any(map(new.has_blocking, digests(10)))


def test_its_file_is_closed_once_however_it_ends(path):
    build(path, digests(1))
    before = len(os.listdir("/proc/self/fd"))
    left = opened(path)
    assert len(os.listdir("/proc/self/fd")) == before + 1
    del left
    with opened(path) as closed:
        pass
    closed.close()
    os.truncate(path, 100)
    with pytest.raises(DamagedError):
        KnownGoodList.open_blocking(path)
    assert len(os.listdir("/proc/self/fd")) == before
