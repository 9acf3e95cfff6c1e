"""The blocking half of the line: takes files to hand and carries out what was decided.

Runs in worker threads, a whole batch at a call, and gives a value back for every file whatever
happens to it. Decides nothing and writes no journal.
"""

import logging
import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from checkfirst.errors import FileProblem
from checkfirst.intake.fingerprint import fingerprint_blocking
from checkfirst.intake.origin_mark import origin_url_blocking
from checkfirst.model import Action, Arrival, Fingerprint, State
from checkfirst.policy.names import show
from checkfirst.service import steps
from checkfirst.service.hashing import Hashing
from checkfirst.service.work import Below, Done, InHand, Missed, Ordered, Undone, Work
from checkfirst.vault.folder import Opened
from checkfirst.vault.grip import Grip
from checkfirst.vault.held import HeldFolder, held_folder_blocking
from checkfirst.vault.held_elsewhere import is_held_elsewhere_blocking
from checkfirst.vault.hold import hold_blocking, open_held_blocking, remove_slot_blocking
from checkfirst.vault.problems import (
    BusyError,
    ChangedError,
    GoneError,
    NotAFileError,
    StoppedError,
    translate,
)
from checkfirst.vault.quarantine import quarantine_blocking
from checkfirst.vault.release import release_blocking
from checkfirst.vault.report import Report

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ends:
    """Where files end, as the settings say."""

    released: bytes
    quarantine: bytes
    keep_parents: bool
    """Sub-folders of a watched folder are kept below the released one."""
    link_back: bool


class Hands:
    """What the line touches files with."""

    def __init__(
        self,
        ends: Ends,
        state: bytes,
        *,
        below: Callable[[bytes], Below],
        token: Callable[[], str],
        stopped: Callable[[], bool],
        kinds: Callable[[], Collection[str]] = tuple,
        gets_on: Callable[[], None] = lambda: None,
    ) -> None:
        """`below` tells what holds below a watched folder.

        `kinds` tells which hashes are wanted besides SHA-256. `gets_on` is called after each file
        of a batch.
        """
        self.ends = ends
        self.state = state
        self.below = below
        self._token = token
        self._stopped = stopped
        self._gets_on = gets_on
        self.hashing = Hashing(stopped)
        self.kinds = kinds
        self.held: dict[bytes, HeldFolder] = {}
        """The held folders that have been chosen, by watched folder."""

    def held_folder_blocking(self, root: bytes) -> HeldFolder:
        """The held folder of a watched one, chosen once by a trial; else a FileProblem."""
        if root not in self.held:
            self.held[root] = held_folder_blocking(root, self.state, self._token)
        return self.held[root]

    def known_folders(self, roots: Iterable[bytes]) -> Mapping[bytes, bytes | FileProblem] | None:
        """The paths of the held folders of these roots; None while one has not been chosen."""
        try:
            return {root: self.held[root].path for root in roots}
        except KeyError:
            return None

    def held_folders_blocking(self, roots: Iterable[bytes]) -> dict[bytes, bytes | FileProblem]:
        """The same, choosing what has not been chosen; what speaks against it where it cannot."""
        folders: dict[bytes, bytes | FileProblem] = {}
        for root in roots:
            try:
                folders[root] = self.held_folder_blocking(root).path
            except FileProblem as problem:
                folders[root] = problem
        return folders

    def moves(self, root: bytes) -> str:
        """`rename` or `copy`; what is not known yet is likely to be a rename."""
        known = self.held.get(root)
        return known.moves if known else "rename"

    def take_blocking(self, works: Sequence[Work]) -> list[InHand | Missed]:
        """Hold what is to be held, open and fingerprint each."""
        below = {root: self.below(root) for root in {work.arrival.root for work in works}}
        taken: list[InHand | Missed] = []
        try:
            with Opened() as opened:
                for work in works:
                    taken.append(self._take_one_blocking(work, opened, below[work.arrival.root]))
                    self._gets_on()
        except BaseException:
            self.put_down_blocking([one for one in taken if isinstance(one, InHand)])
            raise
        return taken

    def carry_out_blocking(
        self, orders: Sequence[Ordered], not_now: Sequence[InHand]
    ) -> list[Done | Undone]:
        """Release or quarantine each; all descriptors are closed, whatever happens."""
        ended: list[Done | Undone] = []
        try:
            with Opened() as opened:
                for order in orders:
                    ended.append(self._end_one_blocking(order, opened))
                    self._gets_on()
        finally:
            self.put_down_blocking([*not_now, *(order.hand for order in orders)])
        for slot in {_held(order.hand.work.arrival).rpartition(b"/")[0] for order in orders}:
            remove_slot_blocking(slot + b"/-")
        return ended

    def put_down_blocking(self, hands: Sequence[InHand]) -> None:
        """Close what is not carried out now."""
        for hand in hands:
            hand.grip.close()

    def are_gone_blocking(self, paths: Sequence[bytes]) -> list[bytes]:
        """Which of the paths lead nowhere any more."""
        return [path for path in paths if not os.path.lexists(path)]

    def _take_one_blocking(self, work: Work, opened: Opened, below: Below) -> InHand | Missed:
        arrival = work.arrival
        grip: Grip | None = None
        try:
            if work.stamp is not None:
                grip = self._hold_blocking(work, opened, lease=below.leases)
            else:
                grip = open_held_blocking(_held(arrival), lease=below.leases)
            if grip.lease is False:
                raise BusyError(_held(arrival))  # noqa: TRY301  (one way out for all that fails)
            with self.hashing.of(arrival.id, grip.stamp.size) as stopped:
                found = fingerprint_blocking(grip, arrival.name, stopped, self.kinds())
            beside = arrival.origin if below.marks and arrival.state is State.HOLDING else None
            origin_url = origin_url_blocking(grip.descriptor, beside)
        except Exception as error:  # noqa: BLE001  (no file may end the lane, whatever is in it)
            if grip is not None:
                grip.close()
            return self._missed_blocking(work, error)
        except BaseException:
            if grip is not None:
                grip.close()
            raise
        return InHand(work, grip, found, origin_url)

    def _hold_blocking(self, work: Work, opened: Opened, *, lease: bool) -> Grip:
        arrival = work.arrival
        return hold_blocking(
            arrival.origin,
            _held(arrival),
            work.stamp,
            root=arrival.root,
            moves=self.held_folder_blocking(arrival.root).moves,
            lease=lease,
            opened=opened,
        )

    def _missed_blocking(self, work: Work, error: Exception) -> Missed:
        held = _held(work.arrival)
        why = _in_words(error, "read the file", work.arrival)
        # While the held folder itself is away (its disk is not mounted), nothing in it is gone.
        is_new = work.arrival.state is State.HOLDING
        is_away = not is_new and is_held_elsewhere_blocking(work.arrival)
        match error:
            case _ if is_away or os.path.lexists(held):
                return Missed(work, State.HELD, why, quiet=isinstance(error, _PASSING))
            case GoneError() | NotAFileError():
                return Missed(work, State.GONE, why)
            case _:
                return Missed(work, State.LEFT, why, quiet=isinstance(error, _PASSING))

    def _end_one_blocking(self, order: Ordered, opened: Opened) -> Done | Undone:
        hand = order.hand
        try:
            with hand.grip:
                if order.decision.action is Action.RELEASE:
                    return self._release_blocking(order, opened)
                return self._quarantine_blocking(order)
        except FileProblem as error:
            return Undone(order, str(error), quiet=isinstance(error, _PASSING))
        except Exception as error:  # noqa: BLE001  (no file may end the lane, whatever it is)
            return Undone(order, _in_words(error, "move the file", hand.work.arrival))

    def _release_blocking(self, order: Ordered, opened: Opened) -> Done:
        arrival = order.hand.work.arrival
        is_known = bool(arrival.root)  # else nobody knows where a link should be
        placed = release_blocking(
            order.hand.grip,
            _held(arrival),
            self.ends.released,
            self.relative(arrival),
            order.hand.fingerprint.sha256,
            link_back=arrival.origin if self.ends.link_back and is_known else None,
            restore_mode=arrival.mode,
            stopped=self._stopped,
            opened=opened,
        )
        return Done(order, placed.path, placed.other_names)

    def _quarantine_blocking(self, order: Ordered) -> Done:
        arrival = order.hand.work.arrival
        report = Report.of(described(arrival, order))
        placed = quarantine_blocking(
            order.hand.grip, _held(arrival), self.ends.quarantine, report, self._stopped
        )
        return Done(order, placed.path, placed.other_names)

    def known(self, arrival: Arrival) -> Fingerprint | None:
        """The fingerprint as the row has it, if that is all that is wanted of it."""
        return None if self.kinds() else fingerprint_of(arrival)

    def relative(self, arrival: Arrival) -> bytes:
        """The path below the released folder that the file is to have."""
        return relative_path(arrival, keep_parents=self.ends.keep_parents)


_PASSING = (BusyError, ChangedError, StoppedError)


def _in_words(error: Exception, doing: str, arrival: Arrival) -> str:
    if isinstance(error, FileProblem):
        return str(error)
    if isinstance(error, OSError):
        return str(translate(error, doing, arrival.origin))
    _log.debug("file %d is too much for us", arrival.id, exc_info=error)
    title = f"checkfirst itself went wrong with this file ({type(error).__name__}: {error})"
    return str(FileProblem(title, "Please report it.", about=show(arrival.origin)))


def described(arrival: Arrival, order: Ordered) -> Arrival:
    """The row as it is once the decision stands."""
    stamp = order.hand.grip.stamp
    facts = steps.identity(order.hand.fingerprint, stamp) | steps.decided(order)
    facts["mode"] = stamp.mode & 0o7777 if arrival.mode is None else arrival.mode
    facts["origin_url"] = order.hand.origin_url or arrival.origin_url
    return arrival._replace(**facts)


def relative_path(arrival: Arrival, *, keep_parents: bool) -> bytes:
    """The file's path below the released folder: its name, with its sub-folders where kept."""
    below = arrival.origin.removeprefix(arrival.root + b"/")
    return below if keep_parents and arrival.root and below != arrival.origin else arrival.name


def fingerprint_of(arrival: Arrival) -> Fingerprint | None:
    """What the row says of the bytes, if it says all."""
    if arrival.sha256 is None or arrival.size is None or arrival.risk is None:
        return None
    return Fingerprint(arrival.sha256, arrival.size, arrival.content_type or "", arrival.risk)


def _held(arrival: Arrival) -> bytes:
    if arrival.held is None:
        raise ValueError("a row on its way has a place in a held folder")
    return arrival.held
