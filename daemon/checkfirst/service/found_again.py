"""The bytes of a file that was decided on, found again wherever they went."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from checkfirst.errors import FileProblem
from checkfirst.model import OPEN_STATES, Arrival, State
from checkfirst.vault.digest import digest_blocking
from checkfirst.vault.grip import grasp_blocking
from checkfirst.vault.payload import grasp_payload_blocking
from checkfirst.vault.problems import ChangedError, StoppedError

_STOPPED = frozenset({State.QUARANTINED, State.QUARANTINING, State.RESTORING, State.DELETING})

_MOVING = OPEN_STATES - {State.HELD, State.WAITING}


@dataclass(frozen=True, slots=True)
class _Place:
    path: bytes
    is_folder: bool
    """A folder of the quarantine, whose payload is meant."""


class FoundAgain:
    """Opens files by their SHA-256."""

    def __init__(
        self,
        whereabouts: Callable[[str], Awaitable[Sequence[Arrival]]],
        stopped: Callable[[], bool],
    ) -> None:
        """`whereabouts` gives the rows of a SHA-256, the newest first; `stopped` ends reading."""
        self._whereabouts = whereabouts
        self._stopped = stopped

    async def open(self, sha256: str) -> int | None:
        """A descriptor on these very bytes, which are read for that.

        None when it may be had later: stopped meanwhile, or the file is on its way elsewhere.
        Raises FileProblem when something else lies there, OSError when nothing can be read, and
        StoreError.
        """
        rows = await self._whereabouts(sha256)
        places = [place for each in rows for place in _places(each)]
        try:
            return await asyncio.to_thread(self._open_blocking, places, sha256)
        except (FileProblem, OSError):
            is_moving = any(row.state in _MOVING for row in rows)
            if is_moving or await self._whereabouts(sha256) != rows:
                return None
            raise

    def _open_blocking(self, places: Sequence[_Place], sha256: str) -> int | None:
        failed: Exception = FileNotFoundError(None, "it is not where it was put any more")
        for place in places:
            try:
                return self._open_one_blocking(place, sha256)
            except StoppedError:
                return None
            except (FileNotFoundError, NotADirectoryError):
                continue
            except (FileProblem, OSError) as error:
                failed = error
        raise failed

    def _open_one_blocking(self, place: _Place, sha256: str) -> int:
        # No lease: it would make others wait who may write, for as long as an upload takes.
        grasp = grasp_payload_blocking if place.is_folder else grasp_blocking
        with grasp(place.path, lease=False) as grip:
            if digest_blocking(grip, self._stopped) != sha256:
                raise ChangedError(place.path)
            return os.dup(grip.descriptor)


def _places(file: Arrival) -> list[_Place]:
    places = []
    if file.destination is not None:
        places.append(_Place(file.destination, is_folder=file.state in _STOPPED))
    if file.held is not None and file.state not in {State.RELEASED, State.RESTORED}:
        places.append(_Place(file.held, is_folder=False))
    return places
