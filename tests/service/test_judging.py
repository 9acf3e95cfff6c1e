"""Whose word counts, when the lists and others speak of one file."""

import pytest

from checkfirst.model import (
    Action,
    Arrival,
    Fingerprint,
    Mode,
    Risk,
    State,
    Verdict,
    VerdictKind,
)
from checkfirst.service.judging import judged
from checkfirst.service.work import InHand, Work

A = "a" * 64
ROW = Arrival(id=1, state=State.WAITING, root=b"/w", origin=b"/w/f", sha256=A)


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("kind", [None, *VerdictKind])
@pytest.mark.parametrize(
    ("listed", "action"),
    [(VerdictKind.CLEAN, Action.RELEASE), (VerdictKind.MALICIOUS, Action.QUARANTINE)],
)
def test_the_lists_beat_whatever_a_remote_source_answers(mode, kind, listed, action):
    remote = Verdict(kind, "virustotal", "it says so") if kind else None
    hand = InHand(Work(ROW, verdict=remote), None, Fingerprint(A, 1, "", Risk.OTHER))
    (order,), waiting = judged([hand], {A: Verdict(listed, "lists", "yours")}, mode, 0.0)
    assert (order.decision.action, order.verdict.source, waiting) == (action, "lists", [])
