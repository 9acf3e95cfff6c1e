import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkfirst.simulator import known
from checkfirst.simulator.corpus import BUILT_IN, EICAR, MARKER, judge
from checkfirst.simulator.engines import ENGINES

VOTES = st.dictionaries(st.sampled_from(known.CATEGORIES), st.integers(0, 40))


@given(VOTES)
def test_statistics_are_the_tally_of_the_results(votes):
    file = known.judged(b"content", votes)

    assert file.stats == {category: votes.get(category, 0) for category in known.CATEGORIES}
    assert len(file.results) == sum(votes.values())


def test_a_category_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="timeouts"):
        known.judged(b"", {"timeouts": 1})


def test_only_bad_opinions_name_a_threat():
    file = known.judged(b"", dict.fromkeys(known.CATEGORIES, 1))

    named = {one.category for one in file.results.values() if one.result is not None}
    assert named == {"malicious", "suspicious"}


def test_content_gives_the_true_hashes_and_a_hash_alone_gives_steady_ones():
    file = known.clean(b"content")
    assert file.sha256 == hashlib.sha256(b"content").hexdigest()
    assert file.md5 == hashlib.md5(b"content").hexdigest()
    assert file.size == 7

    by_hash = known.clean(file.sha256.upper())
    assert by_hash.sha256 == file.sha256
    assert by_hash.md5 == known.malicious(file.sha256).md5
    assert (len(by_hash.md5), len(by_hash.sha1)) == (32, 40)


def test_the_builders_give_the_recorded_numbers():
    assert known.malicious(b"").stats["undetected"] == 2
    assert known.malicious(b"").stats["type-unsupported"] == 9
    clean = known.clean(b"").stats
    assert (clean["malicious"], clean["undetected"], clean["harmless"]) == (0, 63, 0)
    assert clean["type-unsupported"] == 14
    assert known.few_opinions(b"", 2).stats["undetected"] == 2
    assert known.only_suspicious(b"", 5).stats["suspicious"] == 5
    assert known.only_suspicious(b"", 5).stats["malicious"] == 0
    for pending in (known.pending_with_zeros(b""), known.pending_without_stats(b"")):
        assert pending.last_analysis_date is None
        assert sum(pending.stats.values()) == 0


def test_engine_names_are_many_and_different():
    assert len(ENGINES) >= 70
    assert len(set(ENGINES)) == len(ENGINES)
    assert all(name == name.strip() for name in ENGINES)


def test_eicar_is_eicar_and_is_built_in():
    assert hashlib.sha256(EICAR).hexdigest().startswith("275a021bbfb6489e")
    assert {file.size for file in BUILT_IN} >= {0, 1, 68}


@pytest.mark.parametrize(
    ("content", "detections"),
    [(EICAR, 62), (EICAR + b"\n", 62), (b"#!/bin/sh\n" + MARKER, 62), (b"harmless", 0)],
)
def test_new_content_is_judged_by_what_stands_in_it(content, detections):
    assert judge(content).stats["malicious"] == detections
