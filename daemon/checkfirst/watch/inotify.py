"""watchdog's inotify observer, made to tell what it keeps to itself. Linux only.

It logs a queue overflow and tells no handler; it drops IN_UNMOUNT; it gives up silently on a
sub-folder when the watch limit is reached (read in the source of 7.1). All three pass through two
public methods of its reader thread, which are extended here. Of a folder without sub-folders that
thread tells of files itself: on their usual way each is made into two more values and handed on by
two more threads.
"""

import errno
import time
import warnings
from collections.abc import Callable

from watchdog.observers.api import BaseObserver
from watchdog.observers.inotify import InotifyEmitter
from watchdog.observers.inotify_c import (
    DEFAULT_EVENT_BUFFER_SIZE,
    CallbackId,
    InotifyConstants,
    InotifyEvent,
    InotifyFD,
    Mask,
    WatchCallback,
    WatchDescriptor,
)

from checkfirst.watch.hints import Hints

# A new sub-folder often comes to its watch twice, by its own event and by the walk from the folder
# above; watchdog overwrites one by the other, which is right, and warns, which is noise.
warnings.filterwarnings("ignore", "Callback with id", RuntimeWarning)


_APPEARED = (
    InotifyConstants.IN_CREATE | InotifyConstants.IN_MOVED_TO | InotifyConstants.IN_CLOSE_WRITE
)


_THICK = 4
"""Events that are read at once when they come thick, as at the start of thousands."""

_PAUSE_SECONDS = 0.01
"""Is lost in any quiet time; the queue of 16,384 events fills in no less than 0.1 s."""


class Descriptor(InotifyFD):
    """The reader thread of one inotify instance; raises OSError when there may be no more."""

    def __init__(
        self, hints: Hints, root: bytes, pause: Callable[[float], None] = time.sleep
    ) -> None:
        super().__init__()
        self._hints = hints
        self._within = root.rstrip(b"/") + b"/"
        self._flat = not hints.recursive
        self._pause = pause
        self._are_thick = False
        self.folders_without_watch = 0
        """Folders refused because fs.inotify.max_user_watches was reached."""

    def read_events(
        self, *, event_buffer_size: int = DEFAULT_EVENT_BUFFER_SIZE
    ) -> list[InotifyEvent]:
        """As watchdog does, but what comes thick is read together."""
        if self._are_thick:  # else this thread and the loop are woken for every handful of files
            self._pause(_PAUSE_SECONDS)
        events = super().read_events(event_buffer_size=event_buffer_size)
        self._are_thick = len(events) >= _THICK
        return events

    def handle_event(self, event: InotifyEvent) -> None:
        """Tell of overflow, unmount and files of a flat folder; the rest goes its usual way."""
        mask = event.mask
        if self._flat and mask & _APPEARED and event.name:
            if not mask & InotifyConstants.IN_ISDIR:
                self._hints.path(self._within + event.name, folder=False)
            return
        super().handle_event(event)
        if event.is_queue_overflow:
            self._hints.overflowed()
        elif event.mask & InotifyConstants.IN_UNMOUNT:
            self._hints.lost()

    def add_callback(
        self, path: bytes, mask: Mask, callback: WatchCallback, id_: CallbackId
    ) -> WatchDescriptor:
        """Count what the limit refuses: for a sub-folder watchdog swallows the error."""
        try:
            return super().add_callback(path, mask, callback, id_)
        except OSError as error:
            if error.errno == errno.ENOSPC:
                self.folders_without_watch += 1
            raise


class Emitter(InotifyEmitter):
    """Asks the kernel for less.

    watchdog keeps every IN_MOVED_FROM, and all events behind it, for half a second in the hope of
    its other half (measured: 501 ms). Each file that is taken away from here would delay the news
    of the next. Sub-folders need those events, a flat folder does not.
    """

    def get_event_mask_from_filter(self) -> Mask:
        """The usual mask, without departures where no sub-folders are watched."""
        mask = super().get_event_mask_from_filter()
        if self.watch.is_recursive:
            return mask
        return Mask(mask & ~(InotifyConstants.IN_MOVED_FROM | InotifyConstants.IN_DELETE))


class LinuxObserver(BaseObserver):
    """One inotify instance, its reader and one emitter."""

    def __init__(self, hints: Hints, root: bytes) -> None:
        self.descriptor = Descriptor(hints, root)
        self.descriptor.start()
        super().__init__(Emitter, inotify_fd=self.descriptor)

    def on_thread_stop(self) -> None:
        """The emitters first, as they take their watches off the descriptor."""
        super().on_thread_stop()
        self.descriptor.stop()
        self.descriptor.join()
