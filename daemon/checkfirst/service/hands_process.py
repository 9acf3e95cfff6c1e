"""A second pair of hands, as a process of its own: `python -m checkfirst.service.hands_process`.

What is bound by the interpreter and not by the disk gains nothing from a thread. This process does
for batches of small files what `Hands` does, and is told what by the line's (`other_hands`). It
knows no journal and decides nothing: a move that it makes has been journalled before it is told.

It lives no longer than the daemon: it holds the daemon's lock as well, so that no other daemon can
begin while it is at work; it ends when the pipe does, and where the kernel offers that (Linux), at
once when the daemon is killed, as its threads would.
"""

import os
import pickle
import secrets
import signal
import sys
from multiprocessing.connection import Connection

from checkfirst import __version__
from checkfirst.service.errand import (
    Answer,
    Begin,
    Carried,
    CarryOut,
    Errand,
    Failed,
    NotCarried,
    NotTaken,
    Take,
    Taken,
)
from checkfirst.service.garbage import collect_seldom
from checkfirst.service.hands import Hands
from checkfirst.service.work import Done, InHand, Ordered, Work
from checkfirst.vault.grip import ignore_lease_breaks
from checkfirst.vault.kernel import end_with_parent


class Serving:
    """The hands here, and what they hold between two errands."""

    def __init__(self, begin: Begin) -> None:
        self._leases: dict[bytes, bool] = {}
        self._kinds: tuple[str, ...] = ()
        self._in_hand: dict[int, InHand] = {}
        self._hands = Hands(
            begin.ends,
            begin.state,
            leases=self._leases.__getitem__,
            token=secrets.token_hex,
            stopped=lambda: False,  # the small ones, which are all that come here, take a moment
            kinds=lambda: self._kinds,
        )

    def do_blocking(self, errand: Errand) -> Answer:
        """Do it, and say what became of it."""
        if isinstance(errand, Take):
            return self._take_blocking(errand)
        return self._carry_out_blocking(errand)

    def _take_blocking(self, errand: Take) -> list[Taken | NotTaken]:
        self._leases.update(errand.leases)
        self._hands.held.update(errand.held)
        self._kinds = errand.kinds
        answer: list[Taken | NotTaken] = []
        for one in self._hands.take_blocking([Work(*file) for file in errand.files]):
            if isinstance(one, InHand):
                self._in_hand[one.work.arrival.id] = one
                answer.append(
                    Taken(one.grip.stamp, one.grip.lease, one.fingerprint, one.origin_url)
                )
            else:
                answer.append(NotTaken(one.state, one.reason, one.quiet))
        return answer

    def _carry_out_blocking(self, errand: CarryOut) -> list[Carried | NotCarried]:
        orders = [
            Ordered(self._in_hand.pop(number), verdict, decision, decided_at)
            for number, verdict, decision, decided_at in errand.orders
        ]
        not_now = [self._in_hand.pop(number) for number in errand.not_now]
        return [
            Carried(one.destination, one.other_names)
            if isinstance(one, Done)
            else NotCarried(one.reason, one.quiet)
            for one in self._hands.carry_out_blocking(orders, not_now)
        ]


def serve_blocking(line: Connection) -> None:
    """Do what is asked until nobody can ask any more."""
    serving = Serving(pickle.loads(line.recv_bytes()))  # noqa: S301  (our own process's)
    line.send_bytes(pickle.dumps(__version__))
    while True:
        errand = pickle.loads(line.recv_bytes())  # noqa: S301
        try:
            answer = serving.do_blocking(errand)
        except Exception as error:  # noqa: BLE001  (told to the line, which tells the person)
            line.send_bytes(pickle.dumps(Failed(f"{type(error).__name__}: {error}")))
            return
        line.send_bytes(pickle.dumps(answer, pickle.HIGHEST_PROTOCOL))


def main() -> None:
    """Arguments: the daemon's process number, and the descriptor of the pipe to it."""
    parent, descriptor = map(int, sys.argv[1:])
    end_with_parent(parent)
    # A terminal, or systemd, signals all processes of the daemon at once; the daemon alone says
    # when this one ends, as a batch may be under way.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    ignore_lease_breaks()
    collect_seldom()
    with Connection(descriptor) as line:
        try:
            serve_blocking(line)
        except (EOFError, ConnectionError):  # the daemon has ended, or needs no help any more
            os._exit(0)


if __name__ == "__main__":
    main()
