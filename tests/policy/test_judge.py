import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkfirst.model import VerdictKind
from checkfirst.policy.judge import MOST_ENGINES, judge, still_stands

DATE = 1_750_000_000
KEYS = (
    "malicious",
    "suspicious",
    "undetected",
    "harmless",
    "timeout",
    "confirmed-timeout",
    "failure",
    "type-unsupported",
)
MALICIOUS, CLEAN = VerdictKind.MALICIOUS, VerdictKind.CLEAN
UNKNOWN, PENDING = VerdictKind.UNKNOWN, VerdictKind.PENDING


def judged(stats, date=DATE, *, malicious_at=1, opinions_at_least=10, finished=True):
    return judge(
        stats,
        date,
        malicious_at=malicious_at,
        opinions_at_least=opinions_at_least,
        finished=finished,
    )


@pytest.mark.parametrize(
    ("stats", "result"),
    [
        (  # EICAR
            {"malicious": 62, "undetected": 2, "type-unsupported": 9},
            (MALICIOUS, 62, 64, "62 of 64 engines call it malicious"),
        ),
        (  # a .NET trojan
            {"malicious": 57, "undetected": 13, "type-unsupported": 2},
            (MALICIOUS, 57, 70, "57 of 70 engines call it malicious"),
        ),
        (  # an ELF program
            {"malicious": 29, "undetected": 36, "failure": 2, "type-unsupported": 10},
            (MALICIOUS, 29, 65, "29 of 65 engines call it malicious"),
        ),
        (  # clean text
            {"malicious": 0, "harmless": 0, "undetected": 63, "type-unsupported": 14},
            (CLEAN, 0, 63, "none of 63 engines found anything"),
        ),
        (  # a JPEG
            {"undetected": 49, "timeout": 4, "failure": 8, "type-unsupported": 15},
            (CLEAN, 0, 49, "none of 49 engines found anything"),
        ),
        (
            {"malicious": 1, "undetected": 60},
            (MALICIOUS, 1, 61, "1 of 61 engines calls it malicious"),
        ),
        (
            {"suspicious": 2, "undetected": 60},
            (MALICIOUS, 2, 62, "2 of 62 engines call it suspicious"),
        ),
        (
            {"malicious": 1, "suspicious": 1, "undetected": 60},
            (MALICIOUS, 2, 62, "2 of 62 engines call it malicious or suspicious"),
        ),
        (
            {"malicious": 1, "undetected": 1},
            (MALICIOUS, 1, 2, "1 of 2 engines calls it malicious"),
        ),
        (
            {"undetected": 3, "type-unsupported": 70},
            (UNKNOWN, 0, 3, "only 3 engines had an opinion (10 are asked for)"),
        ),
        ({"undetected": 1}, (UNKNOWN, 0, 1, "only 1 engine had an opinion (10 are asked for)")),
        (
            {"timeout": 40, "type-unsupported": 30, "failure": 3, "confirmed-timeout": 1},
            (UNKNOWN, 0, 0, "no engine had an opinion (10 are asked for)"),
        ),
        (
            dict.fromkeys(KEYS, 0),
            (UNKNOWN, 0, 0, "no engine had an opinion (10 are asked for)"),
        ),
        ({}, (UNKNOWN, 0, 0, "no engine had an opinion (10 are asked for)")),
        ({"undetected": 9}, (UNKNOWN, 0, 9, "only 9 engines had an opinion (10 are asked for)")),
        (
            {"undetected": 4, "harmless": 6},
            (CLEAN, 0, 10, "none of 10 engines found anything"),
        ),
        (None, (PENDING, None, None, "not analysed yet")),
    ],
)
def test_recorded_and_likely_tallies(stats, result):
    assert judged(stats) == result


@pytest.mark.parametrize("date", [None, 0, -1, True, "1750000000", 1.5])
def test_without_a_date_nothing_is_cleared(date):
    assert judged({"undetected": 60}, date) == (PENDING, None, None, "not analysed yet")
    assert judged({}, date)[0] is PENDING


def test_enough_detections_condemn_even_without_a_date():
    assert judged({"malicious": 5, "undetected": 60}, None)[0] is MALICIOUS


def test_an_unfinished_analysis_condemns_but_never_clears():
    assert judged({"malicious": 1, "undetected": 2}, finished=False)[0] is MALICIOUS
    assert judged({"undetected": 70}, finished=False) == (
        PENDING,
        None,
        None,
        "the analysis is not finished",
    )


def test_fewer_detections_than_asked_for_are_clean_and_told():
    result = judged({"malicious": 2, "undetected": 60}, malicious_at=3)
    assert result == (CLEAN, 2, 62, "only 2 of 62 engines call it malicious (3 are asked for)")
    assert judged({"malicious": 3, "undetected": 60}, malicious_at=3)[0] is MALICIOUS


def test_few_opinions_with_few_detections_are_unknown_and_told():
    result = judged({"suspicious": 1, "undetected": 2}, malicious_at=2)
    assert result == (
        UNKNOWN,
        1,
        3,
        "only 3 engines had an opinion (10 are asked for); 1 of 3 engines calls it suspicious",
    )


def test_no_settings_clear_a_file_without_opinions():
    assert judged({}, opinions_at_least=0)[0] is UNKNOWN
    assert judged({"undetected": 1}, opinions_at_least=0)[0] is CLEAN
    assert judged({"undetected": 60}, malicious_at=0)[0] is CLEAN


NONSENSE = [None, "62", 1.5, -1, True, MOST_ENGINES + 1, 2**70, [], float("nan")]


@pytest.mark.parametrize("value", NONSENSE)
def test_a_nonsensical_opinion_counts_for_nothing(value):
    assert judged({"undetected": value})[:3] == (UNKNOWN, 0, 0)
    assert judged({"malicious": 3, "harmless": value})[:3] == (MALICIOUS, 3, 3)


@pytest.mark.parametrize("value", NONSENSE)
@pytest.mark.parametrize("key", ["malicious", "suspicious"])
def test_a_nonsensical_detection_never_clears(key, value):
    result = judged({key: value, "undetected": 60})
    assert result == (PENDING, None, None, "the numbers of the report make no sense")


counts = st.integers(0, 100)
tallies = st.dictionaries(st.sampled_from(KEYS), counts)
rules = st.fixed_dictionaries(
    {
        "malicious_at": st.integers(1, 20),
        "opinions_at_least": st.integers(0, 80),
        "finished": st.booleans(),
    }
)
dates = st.none() | st.integers(1, 2**33)
MILDEST_FIRST = [CLEAN, UNKNOWN, PENDING, MALICIOUS]


detecting = st.sampled_from(["malicious", "suspicious"])


def milder(after, before):
    return MILDEST_FIRST.index(after) < MILDEST_FIRST.index(before)


@given(tallies, dates, rules, detecting, st.sampled_from(["undetected", "harmless"]), counts)
def test_engines_that_come_to_detect_something_never_make_a_verdict_milder(
    stats, date, rule, to, source, how_many
):
    moved = min(how_many, stats.get(source, 0))
    changed = {**stats, source: stats.get(source, 0) - moved, to: stats.get(to, 0) + moved}
    assert not milder(judged(changed, date, **rule)[0], judged(stats, date, **rule)[0])


@given(tallies, dates, rules, detecting, st.integers(1, 90))
def test_one_more_detection_never_makes_a_verdict_milder(stats, date, rule, key, more):
    """Save that it is an opinion too, and may be the one that was wanting for a `clean`."""
    before = judged(stats, date, **rule)[0]
    after, detections, engines, _ = judged({**stats, key: stats.get(key, 0) + more}, date, **rule)
    if before is UNKNOWN and after is CLEAN:
        assert detections < rule["malicious_at"]
        assert engines - more < max(rule["opinions_at_least"], 1) <= engines
    else:
        assert not milder(after, before)


@given(tallies, dates, st.integers(0, 80), detecting)
def test_by_default_any_detection_condemns(stats, date, opinions_at_least, key):
    stats = {**stats, key: stats.get(key, 0) + 1}
    assert judged(stats, date, opinions_at_least=opinions_at_least)[0] is MALICIOUS


@given(tallies, dates, rules, st.randoms())
def test_the_order_of_keys_makes_no_difference(stats, date, rule, random):
    shuffled = list(stats.items())
    random.shuffle(shuffled)
    assert judged(dict(shuffled), date, **rule) == judged(stats, date, **rule)


@given(tallies, dates, rules)
def test_only_finished_dated_analyses_with_enough_opinions_clear(stats, date, rule):
    kind, detections, engines, reason = judged(stats, date, **rule)
    assert reason
    if kind is CLEAN:
        assert rule["finished"]
        assert date
        assert engines >= max(rule["opinions_at_least"], 1)
        assert detections < rule["malicious_at"]


anything = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.none())


@given(st.none() | st.dictionaries(st.sampled_from(KEYS) | st.text(), anything), anything, rules)
def test_no_answer_whatever_makes_it_raise(stats, date, rule):
    assert judged(stats, date, **rule)[0] in VerdictKind


@given(tallies, st.dictionaries(st.sampled_from(KEYS[4:]), counts), rules)
def test_abstentions_change_nothing(stats, abstentions, rule):
    opinions = {key: count for key, count in stats.items() if key in KEYS[:4]}
    assert judged({**opinions, **abstentions}, **rule) == judged(opinions, **rule)


@pytest.mark.parametrize(
    ("kind", "detections", "opinions", "malicious_at", "opinions_at_least", "stands"),
    [
        (CLEAN, 0, 60, 1, 10, True),
        (CLEAN, 2, 60, 3, 10, True),
        (CLEAN, 2, 60, 2, 10, False),
        (CLEAN, 0, 10, 1, 10, True),
        (CLEAN, 0, 9, 1, 10, False),
        (CLEAN, 0, 0, 1, 0, False),
        (CLEAN, 0, 60, 0, 10, True),
        (UNKNOWN, 0, 5, 1, 10, True),
        (UNKNOWN, 1, 5, 1, 10, False),
        (MALICIOUS, 1, 60, 5, 10, True),
        (CLEAN, None, 60, 1, 10, True),
        (CLEAN, 0, None, 1, 10, True),
    ],
)
def test_an_earlier_verdict_stands_unless_the_thresholds_have_come_to_forbid_it(
    kind, detections, opinions, malicious_at, opinions_at_least, stands
):
    found = still_stands(
        kind,
        detections,
        opinions,
        malicious_at=malicious_at,
        opinions_at_least=opinions_at_least,
    )
    assert found is stands
