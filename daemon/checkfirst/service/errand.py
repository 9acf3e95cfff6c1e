"""What the line asks of a second process, and what that answers; values alone, fit for a pipe.

A file is named by its row's id, which is never given twice.
"""

from typing import NamedTuple

from checkfirst.model import Arrival, Decision, Fingerprint, Stamp, State, Verdict
from checkfirst.service.hands import Ends
from checkfirst.vault.held import HeldFolder


class Begin(NamedTuple):
    """The first thing said; the answer is the version of the other side."""

    ends: Ends
    state: bytes


class Take(NamedTuple):
    """`Hands.take_blocking`; a Taken or NotTaken for each comes back, in order."""

    files: list[tuple[Arrival, Stamp | None]]
    leases: dict[bytes, bool]
    held: dict[bytes, HeldFolder]
    kinds: tuple[str, ...]


class Taken(NamedTuple):
    """In hand there; the descriptor stays where it is."""

    stamp: Stamp
    lease: bool | None
    fingerprint: Fingerprint
    origin_url: str | None


class NotTaken(NamedTuple):
    """As in `Missed`."""

    state: State
    reason: str
    quiet: bool


class CarryOut(NamedTuple):
    """`Hands.carry_out_blocking`; a Carried or NotCarried for each order comes back, in order."""

    orders: list[tuple[int, Verdict, Decision, float]]
    not_now: list[int]


class Carried(NamedTuple):
    """As in `Done`."""

    destination: bytes
    other_names: int


class NotCarried(NamedTuple):
    """As in `Undone`."""

    reason: str
    quiet: bool


class Failed(NamedTuple):
    """The other side went wrong as a whole, and ends."""

    words: str


Errand = Take | CarryOut
Answer = list[Taken | NotTaken] | list[Carried | NotCarried] | Failed
