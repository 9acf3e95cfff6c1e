"""Whether a file that was let go still lies where it was put, with the same bytes."""

import os
from collections.abc import Callable, Collection
from enum import StrEnum

from checkfirst.errors import FileProblem
from checkfirst.vault.digest import digest_blocking, digests_and_head_blocking
from checkfirst.vault.grip import grasp_blocking
from checkfirst.vault.payload import grasp_payload_blocking
from checkfirst.vault.problems import NotAFileError


class Still(StrEnum):
    """What lies there now."""

    SAME = "same"
    """These bytes, and nobody writes to them."""
    CHANGED = "changed"
    """Something else."""
    GONE = "gone"
    """Nothing."""
    UNCLEAR = "unclear"
    """It could not be read to its end now; another look may tell."""


def still_blocking(
    path: bytes, sha256: str, *, lease: bool, stopped: Callable[[], bool] | None = None
) -> Still:
    """Read the file under a lease, where leases are to be had."""
    try:
        with grasp_blocking(path, lease=lease) as grip:
            return Still.SAME if digest_blocking(grip, stopped) == sha256 else Still.CHANGED
    except (FileNotFoundError, NotADirectoryError):
        # While the folder itself is away (its disk is not mounted), nothing in it is gone.
        return Still.GONE if os.path.isdir(os.path.dirname(path)) else Still.UNCLEAR
    except NotAFileError:
        return Still.CHANGED
    except (FileProblem, OSError):
        return Still.UNCLEAR


def others_blocking(
    path: bytes,
    sha256: str,
    kinds: Collection[str],
    *,
    lease: bool,
    is_folder: bool = False,
    stopped: Callable[[], bool] | None = None,
) -> tuple[str, ...] | None:
    """Other hashes of these bytes: none when they are not there any more, None while unreadable.

    `kinds` are hashlib's names. `is_folder`: the path is a folder of the quarantine, whose payload
    is meant.
    """
    grasp = grasp_payload_blocking if is_folder else grasp_blocking
    home = path if is_folder else os.path.dirname(path)
    try:
        with grasp(path, lease=lease) as grip:
            (found, *others), _ = digests_and_head_blocking(grip, kinds, stopped)
    except (FileNotFoundError, NotADirectoryError):
        return () if os.path.isdir(home) else None
    except NotAFileError:
        return ()
    except (FileProblem, OSError):
        return None
    return tuple(others) if found == sha256 else ()
