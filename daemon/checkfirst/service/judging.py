"""From verdicts to orders: which files of a batch can be ended now, and which must wait. Pure."""

from collections.abc import Mapping, Sequence

from checkfirst.model import Action, Mode, Verdict, VerdictKind
from checkfirst.policy.decide import decide
from checkfirst.service.work import InHand, Ordered
from checkfirst.sources.lists import Lists
from checkfirst.sources.remembered import Remembered


def judged(
    hands: Sequence[InHand], known: Mapping[str, Verdict], mode: Mode, now: float
) -> tuple[list[Ordered], list[InHand]]:
    """What is to be done with each that has a verdict, and those that nobody knows yet."""
    orders: list[Ordered] = []
    waiting: list[InHand] = []
    for hand in hands:
        verdict = _weightier(known.get(hand.fingerprint.sha256), hand.verdict)
        decision = decide(verdict, mode) if verdict else None
        if verdict is None or decision is None or decision.action is Action.WAIT:
            waiting.append(hand)
        else:
            orders.append(Ordered(hand, verdict, decision, now))
    return orders, waiting


def _weightier(local: Verdict | None, remote: Verdict | None) -> Verdict | None:
    """Choose between what this machine says now and what a remote source has just answered.

    A person's list outranks all. What is remembered is only an older answer, and ignorance is none.
    Any other local source is believed, unless the remote one has found harm.
    """
    if local is None or remote is None or local.source == Lists.name:
        return local or remote
    is_weak = local.source == Remembered.name or local.kind is VerdictKind.UNKNOWN
    return remote if is_weak or remote.kind is VerdictKind.MALICIOUS else local
