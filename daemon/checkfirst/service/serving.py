"""The second process's side: does for batches of small files what `Hands` does, and is told what.

It knows no journal and decides nothing: a move that it makes has been journalled before it is told.
"""

import pickle
import secrets
from multiprocessing.connection import Connection
from multiprocessing.reduction import recv_handle
from traceback import format_exc

from checkfirst import __version__
from checkfirst.clock import Clock, SystemClock
from checkfirst.service.errand import (
    READY,
    SIGN,
    Answer,
    Begin,
    Carried,
    CarryOut,
    Errand,
    Failed,
    Halt,
    NotCarried,
    NotTaken,
    Take,
    Taken,
    told_carried,
    told_taken,
)
from checkfirst.service.hands import Hands
from checkfirst.service.work import Below, InHand, Ordered

SIGN_SECONDS = 1.0
"""Nobody needs them more often."""


class Serving:
    """The hands here, and what they hold between two errands."""

    def __init__(self, begin: Begin, line: Connection, clock: Clock) -> None:
        """Signs of life are given through the `line`."""
        self._line = line
        self._clock = clock
        self._signed = clock.monotonic()
        self.halted = False
        """Whether long reading is to be given up."""
        self._below: dict[bytes, Below] = {}
        self._kinds: tuple[str, ...] = ()
        self._in_hand: dict[int, InHand] = {}
        self._hands = Hands(
            begin.ends,
            begin.state,
            below=self._below.__getitem__,
            token=secrets.token_hex,
            stopped=self._is_stopped_blocking,
            kinds=lambda: self._kinds,
            gets_on=self._sign_blocking,
        )

    def do_blocking(self, errand: Errand) -> Answer:
        """Do it, and say what became of it."""
        if isinstance(errand, Take):
            return self._take_blocking(errand)
        return self._carry_out_blocking(errand)

    def _take_blocking(self, errand: Take) -> list[Taken | NotTaken]:
        self._below.update(errand.below)
        self._hands.held.update(errand.held)
        self._kinds = errand.kinds
        taken = self._hands.take_blocking(errand.works())
        self._in_hand |= {one.work.arrival.id: one for one in taken if isinstance(one, InHand)}
        return [told_taken(one) for one in taken]

    def _carry_out_blocking(self, errand: CarryOut) -> list[Carried | NotCarried]:
        orders = [
            Ordered(self._in_hand.pop(number), verdict, decision, decided_at)
            for number, verdict, decision, decided_at in errand.orders
        ]
        not_now = [self._in_hand.pop(number) for number in errand.not_now]
        return [told_carried(one) for one in self._hands.carry_out_blocking(orders, not_now)]

    def _is_stopped_blocking(self) -> bool:
        """Asked in the middle of a long read. All that can come meanwhile is Halt, or the end."""
        self._sign_blocking()
        return self.halted or self._line.poll()

    def _sign_blocking(self) -> None:
        now = self._clock.monotonic()
        if now - self._signed >= SIGN_SECONDS:
            self._signed = now
            self._line.send_bytes(SIGN)


def serve_blocking(line: Connection) -> None:
    """Do what is asked until nobody can ask any more."""
    # As bare text and before all else: another version could make anything of our values.
    line.send_bytes(__version__.encode())
    # The daemon's lock, held from now to the end. One whose daemon dies before has not begun.
    recv_handle(line)
    serving = Serving(pickle.loads(line.recv_bytes()), line, SystemClock())  # noqa: S301  (our own process's)
    line.send_bytes(READY)
    while True:
        errand = pickle.loads(line.recv_bytes())  # noqa: S301
        if isinstance(errand, Halt):
            serving.halted = True
            continue
        try:
            answer = serving.do_blocking(errand)
        except ConnectionError:
            raise
        except Exception as error:  # noqa: BLE001  (told to the line, which tells the person)
            failed = Failed(f"{type(error).__name__}: {error}", format_exc())
            line.send_bytes(pickle.dumps(failed))
            return
        line.send_bytes(pickle.dumps(answer, pickle.HIGHEST_PROTOCOL))
