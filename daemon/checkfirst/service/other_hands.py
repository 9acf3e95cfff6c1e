"""The line's side of a second process that takes and carries out batches of small files."""

import contextlib
import logging
import os
import pickle
import socket
import subprocess
import threading
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from multiprocessing.reduction import send_handle
from typing import Any

from checkfirst import __version__, logs
from checkfirst.errors import HandsLostError, Problem
from checkfirst.service.errand import (
    READY,
    SIGN,
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
)
from checkfirst.service.hands import Hands
from checkfirst.service.launch import launched_blocking
from checkfirst.service.work import Done, InHand, Missed, Ordered, Undone, Work

_log = logging.getLogger(__name__)

READY_SECONDS = 10.0
"""A start takes a tenth of a second; a machine under load may take its time."""

END_SECONDS = 2.0

_TICK_SECONDS = 0.5
"""How often a thread that waits for the process looks about."""

_HELD_FAST = (
    "a second process that helped with many files (%d) does not end even by force: a disk or a "
    "network folder does not let it go. The files that it was moving are left alone until then. "
    "See that the disk, or its server, answers."
)


class OtherHands:
    """Does what `Hands` does, in another process; called by several threads.

    HandsLostError is raised of files that it does nothing with any more, not even at the last
    moment: that a process was killed does not mean yet that it has ended.
    """

    def __init__(self, hands: Hands, lock: int, stopped: Callable[[], bool]) -> None:
        """`lock` is the descriptor of the daemon's lock, which the process is to hold too.

        Once `stopped`, long reading is given up.
        """
        self._hands = hands
        self._lock = lock
        self._stopped = stopped
        self._process: subprocess.Popen[bytes] | None = None
        self._line: Connection | None = None
        self._one_at_a_time = threading.Lock()
        self._ending = threading.Lock()
        self._in_hand: set[int] = set()
        self._halted = False
        self._why = ""
        self.signs = 0
        """Grows with whatever is heard of it."""
        self.lost = False
        """It can be asked nothing any more."""

    @property
    def pid(self) -> int:
        """The number of the process; 0 before there is one."""
        return self._process.pid if self._process else 0

    @property
    def busy(self) -> bool:
        """Whether it does something, or should."""
        return self._one_at_a_time.locked()

    @property
    def idle(self) -> bool:
        """Whether it holds nothing and does nothing."""
        return not self._in_hand and not self.busy

    def start_blocking(self) -> None:
        """Start the process; raises Problem, EOFError or OSError when it does not come up.

        Call this in a thread that lives as long as the daemon: the kernel ends the process with the
        thread that started it.
        """
        try:
            self._line, self._process = launched_blocking()
            if self.lost:  # it was killed before there was anything to kill
                self._process.kill()
            self._begin_blocking(self._line)
        except BaseException:
            self.kill("it did not come up")
            raise

    def expect(self, works: Sequence[Work]) -> None:
        """It is about to be told to take these."""
        self._in_hand |= {work.arrival.id for work in works}

    def take_blocking(self, works: Sequence[Work]) -> list[InHand | Missed]:
        """As `Hands` does; raises HandsLostError."""
        errand = Take.of(works, self._hands)
        self.expect(works)
        try:
            answers: Sequence[Taken | NotTaken] = self._done_blocking(errand)
        except BaseException:
            self._in_hand -= {work.arrival.id for work in works}
            raise
        taken = [answer.of(work) for work, answer in zip(works, answers, strict=True)]
        self._in_hand -= {one.work.arrival.id for one in taken if isinstance(one, Missed)}
        return taken

    def carry_out_blocking(
        self, orders: Sequence[Ordered], not_now: Sequence[InHand]
    ) -> list[Done | Undone]:
        """As `Hands` does; raises HandsLostError."""
        errand = CarryOut.of(orders, not_now)
        try:
            answers: Sequence[Carried | NotCarried] = self._done_blocking(errand)
        finally:
            self._in_hand -= errand.ids
        return [answer.of(order) for order, answer in zip(orders, answers, strict=True)]

    def put_down_blocking(self, hands: Sequence[InHand]) -> None:
        """As `Hands` does; nothing is held any more by a process that has ended."""
        if not self.lost:
            self.carry_out_blocking([], hands)

    def kill(self, why: str) -> None:
        """End it by force; whoever waits for it hears why. Does not wait for its end."""
        self._why = self._why or why
        self.lost = True
        if self._process is not None:
            self._process.kill()

    def let_go_blocking(self) -> None:
        """Have it end what it is at, and then itself; comes back when it has."""
        line = self._line
        if line is None:  # it never was
            return
        with contextlib.suppress(OSError), socket.socket(fileno=os.dup(line.fileno())) as ours:
            ours.shutdown(socket.SHUT_WR)  # a thread may be reading
        self._end_blocking()
        with self._one_at_a_time:
            line.close()

    def _begin_blocking(self, line: Connection) -> None:
        version = self._first_words_blocking(line).decode(errors="replace")
        if version != __version__:  # an update has come meanwhile
            raise Problem(f"It is version {version}, and this is {__version__}")
        send_handle(line, self._lock, self.pid)
        line.send_bytes(pickle.dumps(Begin(self._hands.ends, self._hands.state)))
        if self._first_words_blocking(line) != READY:
            raise Problem("It says something else than that it is ready")

    def _first_words_blocking(self, line: Connection) -> bytes:
        if not line.poll(READY_SECONDS):
            raise Problem("It does not answer")
        return line.recv_bytes()

    def _done_blocking(self, errand: Errand) -> Any:  # noqa: ANN401  (each errand has its answer)
        data = pickle.dumps(errand, pickle.HIGHEST_PROTOCOL)
        while not self._one_at_a_time.acquire(timeout=_TICK_SECONDS):
            if self.lost:  # whatever it is at, and even if it does not die: it is not this
                raise self._lost_error()
        try:
            with contextlib.suppress(EOFError, OSError):  # it has ended, or was ended
                if (answer := self._answer_blocking(data)) is not None:
                    return answer
            self._end_blocking()
            raise self._lost_error()
        finally:
            self._one_at_a_time.release()

    def _answer_blocking(self, errand: bytes) -> Any:  # noqa: ANN401
        """The answer, or None from one that ends instead."""
        if self.lost or self._line is None:
            return None
        self._line.send_bytes(errand)
        while (said := self._heard_blocking(self._line)) == SIGN:
            pass
        answer = pickle.loads(said)  # noqa: S301  (our own process's)
        if not isinstance(answer, Failed):
            return answer
        _log.debug("in the second process:\n%s", answer.trace)
        self._why = answer.words
        return None

    def _heard_blocking(self, line: Connection) -> bytes:
        while not line.poll(_TICK_SECONDS):
            if self._stopped() and not self._halted:
                self._halted = True
                line.send_bytes(pickle.dumps(Halt()))
        said = line.recv_bytes()
        self.signs += 1
        return said

    def _end_blocking(self) -> None:
        """Wait until it has ended, and help it; for as long as the kernel does not let it go."""
        self.lost = True
        process = self._process
        with self._ending:
            if process is None or _ends_blocking(process):
                return
            process.kill()
            if not _ends_blocking(process):
                logs.say(_log, logging.ERROR, "problem", _HELD_FAST, process.pid)
                process.wait()

    def _lost_error(self) -> HandsLostError:
        return HandsLostError(
            f"A second process that helped with many files has ended ({self._why or self._how()})",
            "checkfirst goes on without it, and looks where the files are that it had in hand.",
        )

    def _how(self) -> str:
        code = self._process.poll() if self._process else None
        if code is None:
            return "it was let go"
        return f"signal {-code}" if code < 0 else f"exit code {code}"


def _ends_blocking(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return True
