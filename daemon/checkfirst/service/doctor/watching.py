"""Whether the kernel tells of new files, and how many folders it lets us watch."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

from checkfirst.policy.names import show
from checkfirst.service.doctor.finding import Finding, note, ok, problem
from checkfirst.watch.limits import (
    ENOUGH_EVENTS,
    ENOUGH_INSTANCES,
    ENOUGH_WATCHES,
    Limits,
    limits_blocking,
    sysctl_remedy,
)
from checkfirst.watch.mounts import filesystem_blocking, is_remote

MOST_FOLDERS = 200_000
"""Counting ends here; nobody's Downloads have as many."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Limits, what is used of them, and what we need."""

    limits: Limits
    instances_used: int
    """By all programs of this user that can be seen."""
    watches_used: int
    instances_needed: int
    watches_needed: int
    running: bool
    """Then what we need is among what is used."""
    polled: tuple[bytes, ...] = ()
    """Watched folders that are looked at every few seconds instead."""
    polled_by_choice: bool = False


def look_at_watching_blocking(
    roots: Sequence[bytes], watcher: str, *, recursive: bool, running: bool
) -> Facts:
    """Count; what cannot be seen counts for nothing."""
    polled = tuple(root for root in roots if _is_polled(root, watcher))
    native = [root for root in roots if root not in polled]
    instances, watches = _used_blocking()
    return Facts(
        limits=limits_blocking(),
        instances_used=instances,
        watches_used=watches,
        instances_needed=len(native),
        watches_needed=sum(_folders_blocking(root) if recursive else 1 for root in native),
        running=running,
        polled=polled,
        polled_by_choice=watcher == "polling",
    )


def judge_watching(facts: Facts) -> list[Finding]:
    """What the facts mean."""
    found: list[Finding] = []
    limits = facts.limits
    more_instances = 0 if facts.running else facts.instances_needed
    more_watches = 0 if facts.running else facts.watches_needed
    if limits.instances is not None and facts.instances_used + more_instances > limits.instances:
        found.append(
            problem(
                f"Too few inotify instances: {facts.instances_used} of {limits.instances} are used "
                f"and checkfirst needs {facts.instances_needed}",
                sysctl_remedy("max_user_instances", ENOUGH_INSTANCES),
            )
        )
    if limits.watches is not None and facts.watches_used + more_watches > limits.watches:
        enough = max(ENOUGH_WATCHES, 2 * (facts.watches_used + facts.watches_needed))
        found.append(
            problem(
                f"Too few inotify watches: {facts.watches_used} of {limits.watches} are used and "
                f"checkfirst needs {facts.watches_needed}, one for each folder",
                sysctl_remedy("max_user_watches", enough),
            )
        )
    if limits.events is not None and limits.events < ENOUGH_EVENTS:
        found.append(
            note(
                f"The queue of inotify is short ({limits.events} events)",
                "A burst overflows it and is then found by a look at the whole folder. "
                + sysctl_remedy("max_queued_events", ENOUGH_EVENTS),
            )
        )
    why = "as the settings want it" if facts.polled_by_choice else "a network filesystem"
    found += [
        note(f"This folder is looked at every few seconds ({why})", "", show(root))
        for root in facts.polled
    ]
    if not found:
        told = "no limits are told" if limits.watches is None else f"of {limits.watches} watches"
        found.append(ok(f"New files are told by the kernel ({facts.watches_used} {told} are used)"))
    return found


def _is_polled(root: bytes, watcher: str) -> bool:
    if watcher != "auto":
        return watcher == "polling"
    return is_remote(filesystem_blocking(os.path.realpath(root)))


def _folders_blocking(root: bytes) -> int:
    count = 0
    for _ in os.walk(root):
        count += 1
        if count >= MOST_FOLDERS:
            break
    return count


def _used_blocking() -> tuple[int, int]:
    """Instances and watches of this user's processes, proc_pid_fdinfo(5)."""
    instances = watches = 0
    try:
        processes = [name for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return 0, 0
    for process in processes:
        folder = f"/proc/{process}/fd"
        try:
            if os.stat(folder).st_uid != os.geteuid():
                continue
            descriptors = os.listdir(folder)
        except OSError:
            continue
        for descriptor in descriptors:
            try:
                if os.readlink(f"{folder}/{descriptor}") != "anon_inode:inotify":
                    continue
                with open(f"/proc/{process}/fdinfo/{descriptor}", encoding="ascii") as file:
                    watches += sum(line.startswith("inotify ") for line in file)
            except OSError:
                continue
            instances += 1
    return instances, watches
