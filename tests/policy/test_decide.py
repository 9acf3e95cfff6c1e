import pytest

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
