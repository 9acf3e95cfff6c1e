"""What the disk says of a row after a crash, or when its file is not where the row says.

Places outrank rows. Nothing is judged here and nothing is released: a file that is still held
goes back on the line. Nothing is unlinked unless the same bytes were read elsewhere.
"""

import contextlib
import logging
import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Final

from checkfirst.errors import FileProblem
from checkfirst.model import OPEN_STATES, Arrival, State
from checkfirst.policy.names import show
from checkfirst.store.step import Facts, Step
from checkfirst.vault.digest import hash_of_blocking
from checkfirst.vault.folder import OPEN_FOLDER, sync_folder_blocking
from checkfirst.vault.held_elsewhere import is_held_elsewhere_blocking
from checkfirst.vault.payload import PAYLOAD, payload_hash_blocking, seal_blocking
from checkfirst.vault.places import Places, folders_blocking, is_file_blocking
from checkfirst.vault.presence import is_away_blocking
from checkfirst.vault.problems import StoppedError
from checkfirst.vault.quarantine import read_report_blocking
from checkfirst.vault.release import released_before_blocking
from checkfirst.vault.restore import (
    delete_blocking,
    forget_restoring_blocking,
    remove_reports_blocking,
    restoring_to_blocking,
)

_log = logging.getLogger(__name__)

UNFINISHED: Final = OPEN_STATES | {State.LEFT}

_HASH: Final = re.compile(rb"([0-9a-f]{8})(?: \([0-9]+\))?")
"""How the name of a folder of the quarantine ends, see `policy.names.quarantine_folder`."""


class Mend:
    """One look at the disk; made anew for each, as it keeps what it has listed."""

    def __init__(
        self,
        places: Places,
        now: float,
        others: Iterable[bytes] = (),
        stopped: Callable[[], bool] | None = None,
    ) -> None:
        """`others`: where files lie that rows which have ended speak of.

        `stopped` is asked while files are read.
        """
        self._places = places
        self._stopped = stopped
        self._now = now
        self._others = set(others)
        self.emptied: list[bytes] = []
        """Folders of the quarantine whose files have left: `tidy_blocking` takes them when the
        journal knows."""
        self.allowed: list[Arrival] = []
        """Files that a person has had back: their hashes are to be allowed."""

    def steps_blocking(self, rows: Iterable[Arrival]) -> list[Step]:
        """What each row must learn; one that is right, or cannot be looked into, needs no step.

        Once stopped, the rows that follow are left for another time.
        """
        steps = []
        for row in rows:
            try:
                step = self._step_blocking(row)
            except StoppedError:
                break
            except (FileProblem, OSError) as error:
                _log.warning("what became of file %d cannot be seen now: %s", row.id, error)
                continue
            if step is not None:
                steps.append(step)
        return steps

    def tidy_blocking(self) -> None:
        """Remove what is left of the folders of the quarantine that have been emptied."""
        for folder in self.emptied:
            with contextlib.suppress(OSError):
                remove_reports_blocking(folder)

    def _step_blocking(self, row: Arrival) -> Step | None:  # noqa: PLR0911  (a table of states)
        is_held = row.held is not None and is_file_blocking(row.held)
        match row.state:
            case State.HOLDING if is_held and self._is_copy_blocking(row):
                # It was copied and not yet removed; the original counts.
                _unlink_blocking(row.held)
                return self._to(row, State.LEFT, reason="taking it was interrupted")
            case State.HOLDING if not is_held and os.path.lexists(row.origin):
                return self._to(row, State.LEFT, reason="taking it was interrupted")
            case State.RELEASING | State.QUARANTINING:
                return self._ordered_blocking(row, is_held=is_held)
            case State.RESTORING if row.destination is not None:
                return self._restoring_blocking(row, row.destination)
            case State.DELETING if row.destination is not None:
                return self._deleting_blocking(row, row.destination)
            case State.HOLDING | State.LEFT if is_held:
                return self._to(row, State.HELD)
            case State.HOLDING | State.HELD | State.WAITING if not is_held:
                return self._missing_blocking(row)
            case _:
                return None

    def _ordered_blocking(self, row: Arrival, *, is_held: bool) -> Step | None:
        """A move was decided on: see whether it has been done."""
        if row.state is State.RELEASING:
            end, after = self._places.released, State.RELEASED
            there = self._given_blocking(end, self._places.relative(row), row)
        else:
            end, after = self._places.quarantine, State.QUARANTINED
            there = self._quarantined_blocking(row)
        if is_held:
            # The held file may go only if it still is what was copied and the copy is whole.
            # Else it is judged, and moved, once more.
            is_released = after is State.RELEASED
            look = self._given_hash_blocking if is_released else self._payload_hash_blocking
            is_whole = there is not None and look(there) == row.sha256
            if there is None or not is_whole or not self._still_is_blocking(row):
                return self._to(row, State.HELD, reason="its move was interrupted")
            _sync_blocking(os.path.dirname(there) if is_released else there)
            _unlink_blocking(row.held)
        if there is None:  # while the folder itself is away, nothing in it is gone
            return self._missing_blocking(row) if os.path.isdir(end) else None
        return self._to(row, after, destination=there)

    def _given_blocking(self, folder: bytes, relative: bytes, row: Arrival) -> bytes | None:
        """Where the row's own file lies there; no two rows' own, however alike they are."""
        there = released_before_blocking(folder, relative, row, self._others, self._stopped)
        if there is not None:
            self._others.add(there)
        return there

    def _quarantined_blocking(self, row: Arrival) -> bytes | None:
        """The folder that was made for this row, if the payload is in it."""
        for folder in self._by_hash.get((row.sha256 or "")[:8].encode(), ()):
            report = read_report_blocking(folder)
            if report is None or (report.origin, report.sha256) != (row.origin, row.sha256):
                continue
            try:
                payload = os.lstat(os.path.join(folder, PAYLOAD))
            except FileNotFoundError:
                continue
            if payload.st_size == row.size and (report.id == row.id or payload.st_ino == row.ino):
                return folder
        return None

    @cached_property
    def _by_hash(self) -> dict[bytes, list[bytes]]:
        """The quarantine's folders by the beginning of the SHA-256 that their names end with."""
        found: defaultdict[bytes, list[bytes]] = defaultdict(list)
        for folder in folders_blocking(self._places.quarantine):
            if end := _HASH.fullmatch(folder.rpartition(b"/")[2].rpartition(b" ")[2]):
                found[end[1]].append(folder)
        return found

    def _restoring_blocking(self, row: Arrival, folder: bytes) -> Step | None:
        """Given back already, or still in the quarantine; never both."""
        if is_away_blocking(folder):
            return None
        # When even the note of it has gone, most likely where restored files go by default.
        noted = restoring_to_blocking(folder)
        there = self._given_blocking(noted or self._places.released, row.name, row)
        payload = os.path.join(folder, PAYLOAD)
        if os.path.lexists(payload):
            is_whole = there is not None and self._given_hash_blocking(there) == row.sha256
            if there is None or not is_whole or self._payload_hash_blocking(folder) != row.sha256:
                forget_restoring_blocking(folder)
                seal_blocking(folder)
                return self._to(row, State.QUARANTINED)
            _sync_blocking(os.path.dirname(there))
            _unlink_blocking(payload)
        self.emptied.append(folder)
        if noted is not None:
            self.allowed.append(row)
        return self._to(row, State.RESTORED, destination=there)

    def _deleting_blocking(self, row: Arrival, folder: bytes) -> Step | None:
        """A person wants it deleted: it is, unless it cannot be seen."""
        if is_away_blocking(folder):
            return None
        delete_blocking(folder)
        self.emptied.append(folder)
        return self._to(row, State.DELETED)

    def _missing_blocking(self, row: Arrival) -> Step | None:
        """Not where it should be: perhaps a person or a command moved it on."""
        if is_held_elsewhere_blocking(row):
            return None  # the held folder itself is away, so nothing in it is gone
        there = self._given_blocking(self._places.released, self._places.relative(row), row)
        if there is not None and row.sha256 is not None:
            return self._to(row, State.RELEASED, destination=there)
        return self._to(row, State.GONE, reason=f"it was held as {show(row.held or b'')}")

    def _given_hash_blocking(self, path: bytes) -> str | None:
        return self._hash_of_blocking(path, insist=False)

    def _payload_hash_blocking(self, folder: bytes) -> str | None:
        return payload_hash_blocking(folder, self._stopped)

    def _is_copy_blocking(self, row: Arrival) -> bool:
        """Whether the held file is a copy of what still lies at the origin, byte for byte.

        A file of the same name may have arrived there since, even the same once more; then both are
        to be kept.
        """
        held, origin = row.held, row.origin
        if held is None or not is_file_blocking(origin):
            return False
        seen = os.lstat(origin)
        if row.ino is not None and (seen.st_dev, seen.st_ino, seen.st_mtime_ns) != (
            row.dev,
            row.ino,
            row.mtime_ns,
        ):
            return False
        if not os.path.getsize(held):
            return True  # a name that was reserved, see rename_by_reservation
        if os.path.getsize(held) != os.path.getsize(origin):
            return False
        found = self._hash_of_blocking(held)
        return found is not None and found == self._hash_of_blocking(origin, insist=False)

    def _still_is_blocking(self, row: Arrival) -> bool:
        return row.held is not None and self._hash_of_blocking(row.held) == row.sha256

    def _hash_of_blocking(self, path: bytes, *, insist: bool = True) -> str | None:
        return hash_of_blocking(path, insist=insist, stopped=self._stopped)

    def _to(
        self, row: Arrival, state: State, reason: str = "", destination: bytes | None = None
    ) -> Step:
        facts = Facts(reason=reason) if reason else Facts()
        if destination is not None:
            facts["destination"] = destination
        if state not in UNFINISHED:
            facts["finished_at"] = self._now
        return Step(row.id, frozenset({row.state}), state, facts)


def _sync_blocking(folder: bytes) -> None:
    """The names in it outlive a power cut, before the only other name of a file goes."""
    descriptor = os.open(folder, OPEN_FOLDER)
    try:
        sync_folder_blocking(descriptor)
    finally:
        os.close(descriptor)


def _unlink_blocking(path: bytes | None) -> None:
    if path is not None:
        os.unlink(path)
