"""The line's side of a second process that takes and carries out batches of small files."""

import os
import pickle
import socket
import subprocess
import sys
import threading
from collections.abc import Collection, Sequence
from multiprocessing.connection import Connection
from typing import Any

from checkfirst import __version__
from checkfirst.errors import Problem
from checkfirst.service.errand import (
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
from checkfirst.service.hands import Hands
from checkfirst.service.work import Done, InHand, Missed, Ordered, Undone, Work
from checkfirst.vault.failpoint import VARIABLE
from checkfirst.vault.grip import Grip

READY_SECONDS = 10.0
"""A start takes a tenth of a second; a machine under load may take its time."""

END_SECONDS = 2.0


class HandsLostError(Problem):
    """The second process has ended; what it had in hand is to be looked for."""


class OtherHands:
    """Does what `Hands` does, in another process; called by several threads."""

    def __init__(self, hands: Hands, process: subprocess.Popen[bytes], line: Connection) -> None:
        self._hands = hands
        self._process = process
        self._line = line
        self._one_at_a_time = threading.Lock()
        self._in_hand: set[int] = set()
        self.lost = False
        """It has ended by itself, and can be asked nothing any more."""

    def begin_blocking(self) -> None:
        """Say what there is to know; raises Problem unless the other side is what we are."""
        self._line.send_bytes(pickle.dumps(Begin(self._hands.ends, self._hands.state)))
        if not self._line.poll(READY_SECONDS):
            raise self._gone("it did not come up")
        version = pickle.loads(self._line.recv_bytes())  # noqa: S301  (our own process's)
        if version != __version__:  # an update has come meanwhile
            raise self._gone(f"it is version {version}, and this is {__version__}")

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    @property
    def idle(self) -> bool:
        """Whether it holds nothing and does nothing."""
        return not self._in_hand and not self._one_at_a_time.locked()

    def take_blocking(self, works: Sequence[Work]) -> list[InHand | Missed]:
        """As `Hands` does; raises HandsLostError."""
        roots = {work.arrival.root for work in works}
        errand = Take(
            [(work.arrival, work.stamp) for work in works],
            {root: self._hands.leases(root) for root in roots},
            {root: self._hands.held[root] for root in roots if root in self._hands.held},
            tuple(self._hands.kinds()),
        )
        ids = {work.arrival.id for work in works}
        self._in_hand |= ids
        try:
            answers: Sequence[Taken | NotTaken] = self._done_blocking(errand)
        except BaseException:
            self._in_hand -= ids
            raise
        taken = [_taken(work, answer) for work, answer in zip(works, answers, strict=True)]
        self._in_hand -= {one.work.arrival.id for one in taken if isinstance(one, Missed)}
        return taken

    def carry_out_blocking(
        self, orders: Sequence[Ordered], not_now: Sequence[InHand]
    ) -> list[Done | Undone]:
        """As `Hands` does; raises HandsLostError."""
        errand = CarryOut(
            [(_id(o.hand), o.verdict, o.decision, o.decided_at) for o in orders],
            [_id(hand) for hand in not_now],
        )
        try:
            answers: Sequence[Carried | NotCarried] = self._done_blocking(errand)
        finally:
            self._in_hand -= {number for number, *_ in errand.orders} | set(errand.not_now)
        return [
            Done(order, answer.destination, answer.other_names)
            if isinstance(answer, Carried)
            else Undone(order, answer.reason, answer.quiet)
            for order, answer in zip(orders, answers, strict=True)
        ]

    def put_down_blocking(self, hands: Sequence[InHand]) -> None:
        """As `Hands` does; nothing is held any more by a process that has ended."""
        if not self.lost:
            self.carry_out_blocking([], hands)

    def let_go_blocking(self) -> None:
        """Have it end."""
        self._line.close()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()

    def _done_blocking(self, errand: Errand) -> Any:  # noqa: ANN401  (each errand has its answer)
        data = pickle.dumps(errand, pickle.HIGHEST_PROTOCOL)
        with self._one_at_a_time:
            try:
                self._line.send_bytes(data)
                data = self._line.recv_bytes()
            except (EOFError, OSError) as error:
                raise self._gone() from error
            answer = pickle.loads(data)  # noqa: S301  (our own process's)
            if isinstance(answer, Failed):
                raise self._gone(answer.words)
        return answer

    def _gone(self, words: str = "") -> HandsLostError:
        self.lost = True
        return HandsLostError(
            f"A second process that helped with many files has ended ({words or self._how()})",
            "checkfirst goes on without it, and looks where the files are that it had in hand.",
        )

    def _how(self) -> str:
        try:
            code = self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            return "it does not answer any more"
        return f"signal {-code}" if code < 0 else f"exit code {code}"


def hire_blocking(hands: Hands, lock: int) -> OtherHands:
    """Start the process; raises Problem or OSError when it does not come up.

    `lock` is the descriptor of the daemon's lock, which it is to hold too. Call this in a thread
    that lives as long as the daemon: the kernel ends the process with the thread that started it.
    """
    ours, theirs = socket.socketpair()
    with ours, theirs:
        number = theirs.fileno()
        # -P: no module is taken from the folder we happen to be in, which may be Downloads.
        command = [sys.executable, "-P", "-m", "checkfirst.service.hands_process"]
        process = subprocess.Popen(  # noqa: S603  (ourselves)
            [*command, str(os.getpid()), str(number)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,  # what goes wrong is told through the pipe
            env=_without_secrets(os.environ.items()),
            pass_fds=[number, lock],
        )
        line = Connection(ours.detach())
    other = OtherHands(hands, process, line)
    try:
        other.begin_blocking()
    except BaseException:
        other.let_go_blocking()
        raise
    return other


def _without_secrets(environment: Collection[tuple[str, str]]) -> dict[str, str]:
    return {k: v for k, v in environment if k == VARIABLE or not k.startswith("CHECKFIRST_")}


def _taken(work: Work, answer: Taken | NotTaken) -> InHand | Missed:
    if isinstance(answer, NotTaken):
        return Missed(work, answer.state, answer.reason, answer.quiet)
    # The descriptor is over there: here it is as if it had been let go already.
    grip = Grip(-1, work.arrival.held or b"", answer.stamp, answer.lease)
    return InHand(work, grip, answer.fingerprint, answer.origin_url)


def _id(hand: InHand) -> int:
    return hand.work.arrival.id
