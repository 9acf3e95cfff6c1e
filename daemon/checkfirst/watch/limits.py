"""How much inotify the kernel gives to one user, and which sysctl gives more."""

from dataclasses import dataclass
from typing import Literal

ENOUGH_INSTANCES = 1024
ENOUGH_WATCHES = 1_048_576
ENOUGH_EVENTS = 16_384
"""The kernel's own default since 2.6; a queue of this size holds the burst of a big archive."""

Name = Literal["max_user_instances", "max_user_watches", "max_queued_events"]


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of inotify(7), for all programs of one user together; None: not told."""

    instances: int | None
    watches: int | None
    events: int | None


def limits_blocking() -> Limits:
    """As they are now."""
    return Limits(
        limit_blocking("max_user_instances"),
        limit_blocking("max_user_watches"),
        limit_blocking("max_queued_events"),
    )


def limit_blocking(name: Name) -> int | None:
    """One of them."""
    try:
        with open(f"/proc/sys/fs/inotify/{name}", encoding="ascii") as file:
            return int(file.read())
    except (OSError, ValueError):
        return None


def sysctl_remedy(name: Name, enough: int) -> str:
    """Say how to raise a limit, and to what."""
    limit = limit_blocking(name)
    now = "" if limit is None else f" (now {limit})"
    return (
        f"Raise fs.inotify.{name}{now}: `sudo sysctl fs.inotify.{name}={enough}`, and the same line"
        f" without `sudo sysctl` in /etc/sysctl.d/60-checkfirst.conf to keep it; no restart needed."
    )
