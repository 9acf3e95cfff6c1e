import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkfirst.model import Action, Mode, Verdict, VerdictKind
from checkfirst.policy.decide import decide

MAIN_TABLE = [
    (VerdictKind.MALICIOUS, Mode.NORMAL, Action.QUARANTINE),
    (VerdictKind.MALICIOUS, Mode.STOP_UNKNOWNS, Action.QUARANTINE),
    (VerdictKind.CLEAN, Mode.NORMAL, Action.RELEASE),
    (VerdictKind.CLEAN, Mode.STOP_UNKNOWNS, Action.RELEASE),
    (VerdictKind.UNKNOWN, Mode.NORMAL, Action.RELEASE),
    (VerdictKind.UNKNOWN, Mode.STOP_UNKNOWNS, Action.QUARANTINE),
    (VerdictKind.PENDING, Mode.NORMAL, Action.WAIT),
    (VerdictKind.PENDING, Mode.STOP_UNKNOWNS, Action.WAIT),
]


@pytest.mark.parametrize(("kind", "mode", "action"), MAIN_TABLE)
def test_the_main_table(kind, mode, action):
    decision = decide(Verdict(kind, "virustotal", "for this reason"), mode)
    assert decision.action is action
    assert "for this reason" in decision.reason


def test_the_main_table_is_whole():
    stated = {(kind, mode) for kind, mode, _ in MAIN_TABLE}
    assert stated == {(kind, mode) for kind in VerdictKind for mode in Mode}


@pytest.mark.parametrize("mode", Mode)
def test_unknown_files_are_marked_so_and_the_mode_is_named(mode):
    reason = decide(Verdict(VerdictKind.UNKNOWN, "virustotal", "never seen"), mode).reason
    assert reason.startswith("unknown: never seen")
    assert mode.value in reason


verdicts = st.builds(
    Verdict,
    kind=st.sampled_from(VerdictKind),
    source=st.text(),
    reason=st.text(),
    detections=st.none() | st.integers(0, 100),
    engines=st.none() | st.integers(0, 100),
    report_url=st.none() | st.text(),
    threats=st.lists(st.text(), max_size=3).map(tuple),
    judged_at=st.none() | st.floats(allow_nan=False),
)


@given(verdict=verdicts, mode=st.sampled_from(Mode))
def test_nothing_but_kind_and_mode_decides_and_no_word_is_lost(verdict, mode):
    decision = decide(verdict, mode)
    plain = decide(Verdict(verdict.kind, "another", "another reason"), mode)
    assert decision.action is plain.action
    assert verdict.reason in decision.reason


@given(verdict=verdicts)
def test_the_stricter_mode_never_lets_more_through(verdict):
    strict, normal = (decide(verdict, mode).action for mode in (Mode.STOP_UNKNOWNS, Mode.NORMAL))
    if strict is Action.RELEASE:
        assert normal is Action.RELEASE
    if verdict.kind is not VerdictKind.UNKNOWN:
        assert strict is normal
