"""The files that were there before the first start and are left alone (`existing: leave`).

Kept by name, inode and birth for each watched folder, in a file of its own: a lost database must
not make a whole old Downloads folder "new". Edits in place stay exempt; a replacement is new, and
so is what was still being written at the first start. It knows nothing of watchers or sightings.
"""

import os
from collections.abc import Callable, Mapping

from checkfirst.policy.ignore import Temporary, partner, temporary
from checkfirst.policy.names import show
from checkfirst.vault.grip import lease_blocking
from checkfirst.watch.baseline_file import Existing, Known, read_blocking, write_blocking
from checkfirst.watch.birth import birth_blocking
from checkfirst.watch.root import Root

_RECENT = 60.0
"""Where leases tell nothing, a file changed in the last minute counts as still being written."""

_COARSE = 1.0
"""Times of files lag behind the clock by some milliseconds, on some filesystems by a second."""


class Baseline:
    """What is exempt, of all watched folders."""

    def __init__(self, path: bytes, now: Callable[[], float]) -> None:
        """`path` is the file to keep it in; `now` gives seconds since the epoch."""
        self._path = path
        self._now = now
        self._folders: dict[bytes, Existing] = {}
        self.notice: str | None = None
        """What a person should hear about the file, if anything."""

    def load_blocking(self) -> None:
        """Read the file; one that cannot be understood counts as none, and `notice` says so."""
        try:
            self._folders = read_blocking(self._path)
        except FileNotFoundError:
            return
        except (OSError, ValueError) as error:
            self.notice = (
                f"The list of files from before the first start cannot be read ({error}): "
                f"{show(self._path)}. What is in the watched folders now counts as existing."
            )

    def knows(self, root: Root) -> bool:
        """Whether this very folder has been recorded: the same inode on the same filesystem.

        Device numbers may change between two boots; the filesystem's own id then tells.
        """
        known = self._folders.get(root.path)
        if known is None or known.ino != root.ino:
            return False
        return known.dev == root.dev or (root.fsid != 0 and known.fsid == root.fsid)

    def record_blocking(
        self, root: Root, files: Mapping[bytes, int], since: float | None = None
    ) -> int:
        """Exempt what a scan has found, unless it is unfinished; returns how many.

        `files` maps paths below the root to inode numbers. `since`: until then another folder was
        seen under this path, so what has come to its place after that is new, unless it was exempt
        there already. Raises OSError when it cannot be kept.
        """
        known = {
            name: seen
            for name in files
            if partner(name) not in files
            and not self._came_after_blocking(since, root, name)
            and (seen := self._finished_blocking(root, name)) is not None
        }
        existing = Existing(dev=root.dev, ino=root.ino, fsid=root.fsid, files=known)
        folders = {**self._folders, root.path: existing}
        write_blocking(self._path, folders)
        self._folders = folders
        return len(known)

    def spares_blocking(self, root: bytes, path: bytes, dev: int, ino: int) -> bool:
        """Whether the file at `path` is one that was there before the first start."""
        existing = self._folders.get(root)
        if existing is None or not path.startswith(root + b"/"):
            return False
        known = existing.files.get(path[len(root) + 1 :])
        if known is None or known.ino != ino:
            return False
        if known.dev is not None and known.dev != dev:
            return False
        return known.birth in (0, birth_blocking(path))

    def forget_blocking(self, root: bytes, paths: list[bytes]) -> None:
        """Let these files be like any other from now on. May raise OSError."""
        existing = self._folders.get(root)
        if existing is None:
            return
        gone = {path[len(root) + 1 :] for path in paths}
        files = {name: known for name, known in existing.files.items() if name not in gone}
        if len(files) == len(existing.files):
            return
        folders = {**self._folders, root: existing.with_files(files)}
        write_blocking(self._path, folders)
        self._folders = folders

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._now()

    def _came_after_blocking(self, since: float | None, root: Root, name: bytes) -> bool:
        """Making, writing and moving a file all set its ctime, which nobody can forge."""
        if since is None:
            return False
        path = os.path.join(root.path, name)
        try:
            status = os.stat(path, follow_symlinks=False)
        except OSError:
            return True
        came_after = status.st_ctime > since - _COARSE
        return came_after and not self.spares_blocking(
            root.path, path, status.st_dev, status.st_ino
        )

    def _finished_blocking(self, root: Root, name: bytes) -> Known | None:
        if any(temporary(part) is not Temporary.NO for part in name.split(b"/")):
            return None
        path = os.path.join(root.path, name)
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            descriptor = os.open(path, flags)
        except PermissionError:  # nobody's download in progress is unreadable to ourselves
            return self._unreadable_blocking(root, path)
        except OSError:
            return None
        try:
            status = os.fstat(descriptor)
            lease = lease_blocking(descriptor) if root.leases else None
        finally:
            os.close(descriptor)
        if status.st_size == 0 or lease is False:
            return None
        if lease is None and status.st_mtime > self._now() - _RECENT:
            return None
        return _known_blocking(root, path, status)

    def _unreadable_blocking(self, root: Root, path: bytes) -> Known | None:
        try:
            status = os.stat(path, follow_symlinks=False)
        except OSError:
            return None
        return _known_blocking(root, path, status)


def _known_blocking(root: Root, path: bytes, status: os.stat_result) -> Known:
    dev = None if status.st_dev == root.dev else status.st_dev
    return Known(ino=status.st_ino, birth=birth_blocking(path), dev=dev)
