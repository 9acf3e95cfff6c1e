"""What the line writes into the journal: pure functions from what happened to a step."""

from checkfirst.intake.look import Settled
from checkfirst.model import Action, Arrival, Fingerprint, Stamp, State, VerdictKind
from checkfirst.service.work import Done, InHand, Missed, Ordered, Undone, Work
from checkfirst.store.step import Facts, NewArrival, Step

WAITING = frozenset({State.HELD, State.WAITING})
TAKEABLE = frozenset({State.HOLDING, State.HELD, State.WAITING})
_NOT_TAKEN = frozenset({State.LEFT, State.HOLDING})
ORDERED = frozenset({State.RELEASING, State.QUARANTINING})


def intent(new: Settled, held: bytes, now: float) -> NewArrival:
    """The row of a file that is about to be held."""
    return NewArrival(new.sighting.root, new.sighting.path, held, new.stamp, now)


def not_begun(new: Settled, reason: str, now: float) -> NewArrival:
    """The row of a file of a folder from which none can be held."""
    return NewArrival(
        new.sighting.root, new.sighting.path, None, new.stamp, now, State.LEFT, reason
    )


def new_work(new: Settled, number: int, held: bytes | None, now: float) -> Work:
    """The work that follows on its row."""
    arrival = Arrival(
        id=number,
        state=State.HOLDING,
        root=new.sighting.root,
        origin=new.sighting.path,
        held=held,
        size=new.stamp.size,
        arrived_at=now,
    )
    return Work(arrival, new.stamp, new.sighting)


def tried_again(work: Work) -> Step:
    """A file that could not be taken before is to be held now, by the same row."""
    facts = Facts(held=work.arrival.held, root=work.arrival.root)
    return Step(work.arrival.id, _NOT_TAKEN, State.HOLDING, facts, keep=True)


def identified(hand: InHand) -> Arrival:
    """The row with what the fingerprint adds."""
    found = hand.fingerprint
    return hand.work.arrival._replace(
        sha256=found.sha256,
        size=found.size,
        content_type=found.content_type,
        risk=found.risk,
    )


def identity(found: Fingerprint, stamp: Stamp) -> Facts:
    """What identifies the bytes."""
    return {
        "dev": stamp.dev,
        "ino": stamp.ino,
        "size": found.size,
        "mtime_ns": stamp.mtime_ns,
        "sha256": found.sha256,
        "content_type": found.content_type,
        "risk": found.risk,
    }


def _in_hand(hand: InHand, held_at: float) -> Facts:
    """The identity of what is in hand; for a file just held, also how and when it came."""
    stamp = hand.grip.stamp
    facts = identity(hand.fingerprint, stamp)
    if hand.work.arrival.state is State.HOLDING:
        facts["held_at"] = held_at
        facts["mode"] = stamp.mode & 0o7777
    if hand.origin_url is not None:
        facts["origin_url"] = hand.origin_url
    return facts


def decided(order: Ordered) -> Facts:
    """The verdict, and what follows from it."""
    verdict = order.verdict
    return {
        "verdict": verdict.kind,
        "source": verdict.source,
        "reason": order.decision.reason,
        "detections": verdict.detections,
        "engines": verdict.engines,
        "report_url": verdict.report_url,
        "threats": verdict.threats,
        "decided_at": order.decided_at,
        "until": None,
    }


def ordered(order: Ordered, held_at: float) -> Step:
    """The decision and the intent to carry it out."""
    facts = _in_hand(order.hand, held_at) | decided(order)
    if order.hand.work.submitted_at is not None:
        facts["submitted_at"] = order.hand.work.submitted_at
    is_release = order.decision.action is Action.RELEASE
    state = State.RELEASING if is_release else State.QUARANTINING
    return Step(order.hand.work.arrival.id, TAKEABLE, state, facts, keep=True)


def waits(hand: InHand, held_at: float) -> Step:
    """Nobody here knows it: the row waits for a remote source."""
    facts = _in_hand(hand, held_at)
    facts |= Facts(verdict=VerdictKind.PENDING, reason="no source on this machine knows it yet")
    if hand.work.arrival.asked_at is None:
        facts["asked_at"] = held_at
    return Step(hand.work.arrival.id, TAKEABLE, State.WAITING, facts)


def missing(missed: Missed, now: float) -> Step:
    """It could not be brought to hand."""
    facts = Facts(reason=missed.reason)
    if missed.state is State.GONE:
        facts["finished_at"] = now
    return Step(missed.work.arrival.id, TAKEABLE, missed.state, facts)


def ended(end: Done | Undone, now: float) -> Step:
    """What became of the decision."""
    number = end.order.hand.work.arrival.id
    if isinstance(end, Undone):
        # Bytes that changed are judged anew; for all else the verdict stands and is asked again.
        return Step(number, ORDERED, State.HELD, Facts(reason=end.reason, decided_at=None))
    is_release = end.order.decision.action is Action.RELEASE
    state = State.RELEASED if is_release else State.QUARANTINED
    return Step(number, ORDERED, state, Facts(destination=end.destination, finished_at=now))
