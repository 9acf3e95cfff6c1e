"""What identifies a held file and says what it is, from one reading of its bytes."""

from collections.abc import Callable, Collection

from checkfirst.model import Fingerprint
from checkfirst.policy.risk import identify
from checkfirst.vault.digest import digests_and_head_blocking
from checkfirst.vault.grip import Grip


def fingerprint_blocking(
    grip: Grip,
    name: bytes,
    stopped: Callable[[], bool] | None = None,
    others: Collection[str] = (),
) -> Fingerprint:
    """Hash and identify an open file; `name` is the one it arrived with.

    `others` are hashes that are wanted besides SHA-256, by hashlib's names. Raises ChangedError
    when the file was written to meanwhile, StoppedError when `stopped` says so, and OSError.
    """
    (sha256, *more), head = digests_and_head_blocking(grip, others, stopped)
    content_type, risk = identify(head, name)
    return Fingerprint(sha256, grip.stamp.size, content_type, risk, tuple(more))
