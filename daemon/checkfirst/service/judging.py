"""From verdicts to orders: which files of a batch can be ended now, and which must wait. Pure."""

from collections.abc import Mapping, Sequence

from checkfirst.model import Action, Mode, Verdict
from checkfirst.policy.decide import decide
from checkfirst.service.work import InHand, Ordered
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
    """A person's list outranks a remote answer, which outranks what is remembered of it."""
    if remote is not None and (local is None or local.source == Remembered.name):
        return remote
    return local
