"""Who holds a file open for writing, as far as /proc shows it to this user.

A lease tells that somebody does, whoever it is; names are only to be had by looking through the
descriptors of all processes, of which other users' are hidden. For words in a problem, no more.
"""

import os
from collections.abc import Collection

from checkfirst.policy.names import escape

UNSEEN = "a program that cannot be seen from here (another user's, or in a container)"
"""Said when the lease is refused and no holder is found."""


def holders_blocking(wanted: Collection[tuple[int, int]]) -> dict[tuple[int, int], str]:
    """Name, for each (device, inode), the processes that can write to it.

    As `curl (process 4711)`. One pass for all, some milliseconds on a desktop.
    """
    found: dict[tuple[int, int], list[str]] = {file: [] for file in wanted}
    for pid in _numbers("/proc"):
        for descriptor in _numbers(f"/proc/{pid}/fd"):
            file = _file(pid, descriptor)
            if file in found and _writes(pid, descriptor):
                found[file].append(f"{_name(pid)} (process {pid})")
    return {file: ", ".join(dict.fromkeys(names)) or UNSEEN for file, names in found.items()}


def _numbers(folder: str) -> list[int]:
    try:
        return sorted(int(name) for name in os.listdir(folder) if name.isdecimal())
    except OSError:
        return []


def _file(pid: int, descriptor: int) -> tuple[int, int] | None:
    try:
        status = os.stat(f"/proc/{pid}/fd/{descriptor}")
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _writes(pid: int, descriptor: int) -> bool:
    try:
        with open(f"/proc/{pid}/fdinfo/{descriptor}", encoding="ascii") as file:
            flags = next((line.split()[1] for line in file if line.startswith("flags:")), "0")
        return int(flags, 8) & os.O_ACCMODE != os.O_RDONLY
    except (OSError, ValueError):
        return False


def _name(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="surrogateescape") as file:
            return escape(file.read().rstrip("\n"))
    except OSError:
        return "a program that has just ended"
