"""A watched folder as it was when it was opened: what the path resolved to, and how to watch it.

A folder is known by device and inode and not by its path: a path goes on to exist when the folder
behind it is renamed, unmounted or replaced, and inotify says nothing of that.
"""

import os
import sys
from dataclasses import dataclass
from typing import Literal

from checkfirst.errors import Problem
from checkfirst.policy.names import show
from checkfirst.watch.mounts import filesystem_blocking, is_remote

WatcherChoice = Literal["auto", "native", "polling"]
"""The setting `intake.watcher`."""


class WatchProblem(Problem):
    """A folder cannot be watched for now."""


class WatchLimitError(WatchProblem):
    """The system has no more means to tell of changes; the folder itself is well."""


@dataclass(frozen=True, slots=True)
class Root:
    """One watched folder, opened."""

    configured: bytes
    """The path of the settings; may be a symbolic link."""
    path: bytes
    """What it resolved to; never a link."""
    dev: int
    ino: int
    fsid: int
    """statvfs(3) f_fsid: on most disks it stays when device numbers change; 0 says nothing."""
    kind: str
    """Filesystem type, such as `ext4`; empty where the system does not tell."""
    polling: bool
    """Looked at every few seconds instead of being told by the kernel."""
    leases: bool
    """Whether a read lease can prove that nobody writes here."""


def open_root_blocking(configured: bytes, watcher: WatcherChoice) -> Root:
    """Resolve the folder and make sure that it can be listed; raises WatchProblem."""
    path = os.path.realpath(configured)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            status, filesystem = os.fstat(descriptor), os.statvfs(descriptor)
            with os.scandir(descriptor) as entries:
                next(entries, None)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise _cannot(configured, error) from error
    kind = filesystem_blocking(path)
    remote = is_remote(kind)
    return Root(
        configured=configured,
        path=path,
        dev=status.st_dev,
        ino=status.st_ino,
        fsid=filesystem.f_fsid,
        kind=kind,
        polling=watcher == "polling" or (watcher == "auto" and remote),
        leases=sys.platform == "linux" and not remote,
    )


def is_same_blocking(root: Root) -> bool:
    """Whether the configured path still leads to the folder that was opened, and it is readable."""
    try:
        path = os.path.realpath(root.configured)
        status = os.stat(path, follow_symlinks=False)
    except OSError:
        return False
    same = (path, status.st_dev, status.st_ino) == (root.path, root.dev, root.ino)
    return same and os.access(path, os.R_OK | os.X_OK)


def _cannot(configured: bytes, error: OSError) -> WatchProblem:
    about = show(configured)
    match error:
        case FileNotFoundError():
            title = "The watched folder does not exist"
            to_do = "Create it, mount what belongs there, or change `watch` in the settings."
        case NotADirectoryError():
            title = "What is to be watched is not a folder"
            to_do = "Name a folder in `watch` in the settings."
        case PermissionError():
            title = "The watched folder cannot be listed"
            to_do = "Give the user of the daemon read, write and search permission on it."
        case _:
            title = f"The watched folder cannot be opened ({error.strerror})"
            to_do = "It is tried again every few seconds."
    return WatchProblem(title, to_do, about=about)
