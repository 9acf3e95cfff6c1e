"""What the line asks of a second process, and what that answers; values alone, fit for a pipe.

A file is named by its row's id, which is never given twice. The values of each file go as bare
tuples, which take a third of the time of named ones.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, Self

from checkfirst.model import Arrival, Decision, Fingerprint, Stamp, State, Verdict
from checkfirst.service.hands import Ends, Hands
from checkfirst.service.work import Below, Done, InHand, Missed, Ordered, Undone, Work
from checkfirst.vault.grip import Grip
from checkfirst.vault.held import HeldFolder

SIGN = b""
"""Said now and then in the middle of an errand by one that gets on."""

READY = b"ready"


class Begin(NamedTuple):
    """The first thing said to one that has told its version and has ours; the answer is READY."""

    ends: Ends
    state: bytes


class Halt(NamedTuple):
    """Long reading is to be given up from now on; there is no answer."""


class Take(NamedTuple):
    """`Hands.take_blocking`; a Taken or NotTaken for each comes back, in order."""

    files: list[tuple[tuple[Any, ...], tuple[Any, ...] | None]]
    """The arrival, and its stamp."""
    below: dict[bytes, Below]
    held: dict[bytes, HeldFolder]
    kinds: tuple[str, ...]

    @classmethod
    def of(cls, works: Sequence[Work], hands: Hands) -> Self:
        """The errand of these, and what `hands` know."""
        roots = {work.arrival.root for work in works}
        return cls(
            [(tuple(work.arrival), work.stamp and tuple(work.stamp)) for work in works],
            {root: hands.below(root) for root in roots},
            {root: hands.held[root] for root in roots if root in hands.held},
            tuple(hands.kinds()),
        )

    def works(self) -> list[Work]:
        """They again."""
        return [Work(Arrival(*row), Stamp(*stamp) if stamp else None) for row, stamp in self.files]


class Taken(NamedTuple):
    """In hand there; the descriptor stays where it is."""

    stamp: tuple[Any, ...]
    lease: bool | None
    fingerprint: tuple[Any, ...]
    origin_url: str | None

    def of(self, work: Work) -> InHand:
        """What the line gets for it: a hand whose file is as if it had been closed already."""
        grip = Grip(-1, work.arrival.held or b"", Stamp(*self.stamp), self.lease)
        return InHand(work, grip, Fingerprint(*self.fingerprint), self.origin_url)


class NotTaken(NamedTuple):
    """As in `Missed`."""

    state: State
    reason: str
    quiet: bool

    def of(self, work: Work) -> Missed:
        """What the line gets for it."""
        return Missed(work, self.state, self.reason, self.quiet)


class CarryOut(NamedTuple):
    """`Hands.carry_out_blocking`; a Carried or NotCarried for each order comes back, in order."""

    orders: list[tuple[int, Verdict, Decision, float]]
    not_now: list[int]

    @classmethod
    def of(cls, orders: Sequence[Ordered], not_now: Sequence[InHand]) -> Self:
        """The errand of these."""
        return cls(
            [(_id(o.hand), o.verdict, o.decision, o.decided_at) for o in orders],
            [_id(hand) for hand in not_now],
        )

    @property
    def ids(self) -> set[int]:
        """All that are in hand no more once it is done."""
        return {number for number, *_ in self.orders} | set(self.not_now)


class Carried(NamedTuple):
    """As in `Done`."""

    destination: bytes
    other_names: int

    def of(self, order: Ordered) -> Done:
        """What the line gets for it."""
        return Done(order, self.destination, self.other_names)


class NotCarried(NamedTuple):
    """As in `Undone`."""

    reason: str
    quiet: bool

    def of(self, order: Ordered) -> Undone:
        """What the line gets for it."""
        return Undone(order, self.reason, self.quiet)


class Failed(NamedTuple):
    """The other side went wrong as a whole, and ends."""

    words: str
    trace: str
    """For whoever wants tracebacks."""


Errand = Take | CarryOut
Answer = list[Taken | NotTaken] | list[Carried | NotCarried] | Failed


def told_taken(one: InHand | Missed) -> Taken | NotTaken:
    """What is said of it through the pipe."""
    if isinstance(one, InHand):
        grip = one.grip
        return Taken(tuple(grip.stamp), grip.lease, tuple(one.fingerprint), one.origin_url)
    return NotTaken(one.state, one.reason, one.quiet)


def told_carried(one: Done | Undone) -> Carried | NotCarried:
    """What is said of it through the pipe."""
    if isinstance(one, Done):
        return Carried(one.destination, one.other_names)
    return NotCarried(one.reason, one.quiet)


def _id(hand: InHand) -> int:
    return hand.work.arrival.id
