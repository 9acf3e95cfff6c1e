"""The bridge over watchdog: events of one root become hints. It knows no settling and no baseline.

Closed is missing for renames, links and raced sub-folders, and Created comes too early, so no event
means that a file is finished; all of them mean that a path deserves a look.
"""

import errno
import logging
import os
import sys
from typing import Protocol

from watchdog.events import (
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers.api import BaseObserver

from checkfirst.policy.names import show
from checkfirst.watch.hints import Hints
from checkfirst.watch.limits import ENOUGH_INSTANCES, ENOUGH_WATCHES, sysctl_remedy
from checkfirst.watch.root import Root, WatchLimitError, WatchProblem

_log = logging.getLogger(__name__)

_STOPPED = "called when the thread is inactive"


def _is_no_stop(record: logging.LogRecord) -> bool:
    return _STOPPED not in str(record.msg)


# watchdog calls it an error when the last event comes while its thread is being stopped, as happens
# at any stop and whenever the settings are read again; a sweep finds what that event was about.
logging.getLogger("watchdog.observers.inotify").addFilter(_is_no_stop)

WANTED: list[type[FileSystemEvent]] = [
    FileCreatedEvent,
    FileClosedEvent,
    FileMovedEvent,
    DirCreatedEvent,
    DirMovedEvent,
    DirDeletedEvent,
]
"""Without Modified and Opened: for 512 MiB in 16 KiB writes 2 events, not 8,357 (measured)."""


class Watching(Protocol):
    """A started observer."""

    @property
    def alive(self) -> bool:
        """Whether every thread of it still runs; says nothing about what it sees."""
        ...

    @property
    def folders_without_watch(self) -> int:
        """Sub-folders whose events are not told because of a limit."""
        ...

    def stop_blocking(self) -> None:
        """End and wait for all its threads."""
        ...


def observe_blocking(root: Root, hints: Hints, *, recursive: bool) -> Watching:
    """Start to watch with the system's own means; raises WatchProblem."""
    try:
        return _Observer(root, hints, recursive=recursive)
    except OSError as error:
        raise _cannot(root, error) from error


class _Observer:
    def __init__(self, root: Root, hints: Hints, *, recursive: bool) -> None:
        self._observer = _make(hints, root.path)
        path = os.fsdecode(root.path)
        try:
            self._observer.schedule(
                _Handler(hints, root.path), path, recursive=recursive, event_filter=WANTED
            )
            self._observer.start()
        except BaseException:
            self.stop_blocking()
            raise

    @property
    def alive(self) -> bool:
        threads = [self._observer, *self._observer.emitters]
        descriptor = getattr(self._observer, "descriptor", None)
        if descriptor is not None:
            threads.append(descriptor)
        return bool(self._observer.emitters) and all(thread.is_alive() for thread in threads)

    @property
    def folders_without_watch(self) -> int:
        descriptor = getattr(self._observer, "descriptor", None)
        return 0 if descriptor is None else int(descriptor.folders_without_watch)

    def stop_blocking(self) -> None:
        self._observer.stop()
        if self._observer.ident is not None:
            self._observer.join()


def _make(hints: Hints, root: bytes) -> BaseObserver:
    if sys.platform == "linux":
        from checkfirst.watch.inotify import LinuxObserver  # noqa: PLC0415  (Linux alone has it)

        return LinuxObserver(hints, root)
    else:  # noqa: RET505  (mypy reads the platform from the branch)
        from watchdog.observers import Observer  # noqa: PLC0415  (picks by platform when imported)

        return Observer()


class _Handler(FileSystemEventHandler):
    def __init__(self, hints: Hints, root: bytes) -> None:
        self._hints = hints
        self._root = root

    def dispatch(self, event: FileSystemEvent) -> None:
        try:
            path = os.fsencode(event.dest_path or event.src_path)
            if not isinstance(event, DirDeletedEvent):
                self._hints.path(path, folder=event.is_directory)
            elif path == self._root:
                self._hints.lost()
        except Exception:  # noqa: BLE001  (whatever it is, it must not end the observer's thread)
            _log.exception("An event of the watched folder could not be handled")
            self._hints.lost()


def _cannot(root: Root, error: OSError) -> WatchProblem:
    about = show(root.configured)
    match error.errno:
        case errno.EMFILE:
            return WatchLimitError(
                "The system gives out no more inotify instances (or file descriptors)",
                sysctl_remedy("max_user_instances", ENOUGH_INSTANCES),
                about=about,
            )
        case errno.ENOSPC:
            return WatchLimitError(watch_limit(), watch_limit_remedy(), about=about)
        case _:
            return WatchProblem(
                f"The folder cannot be watched ({error.strerror or error})",
                "It is tried again every few seconds; `intake.watcher: polling` does without.",
                about=about,
            )


def watch_limit() -> str:
    """Name the problem of too many watched folders."""
    return "The system gives out no more inotify watches"


def watch_limit_remedy() -> str:
    """Say which limit to raise, and to what."""
    return sysctl_remedy("max_user_watches", ENOUGH_WATCHES)
