"""What the outside asks of the running daemon: to stop, or to read its settings again.

A signal that comes while something else goes on is kept until somebody looks: none is lost
between two lives of the parts, nor before the first one.
"""

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable

LONGEST_STOP_SECONDS = 9.0
"""From the signal to the end. Who asked is likely to use force after ten."""

HUNG_EXIT = 3
_LAST_WORDS_SECONDS = 0.3


class Signals:
    """Made on the loop, in the main thread; listens until the process ends."""

    def __init__(self, on_stop: Callable[[], None], last_words: Callable[[], None]) -> None:
        """`on_stop` is called on the loop when the process is first asked to stop.

        `last_words` is called in a thread when an orderly end takes too long.
        """
        self.stop = asyncio.Event()
        """The process is to end."""
        self.again = asyncio.Event()
        """The parts are to end, to be put together anew or to stop."""
        self.halt = threading.Event()
        """For worker threads: give up long reading."""
        self._on_stop = on_stop
        self._last_words = last_words
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop)
        loop.add_signal_handler(signal.SIGHUP, self._end_parts)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})  # kept since `cli.main`

    def take_hang_up(self) -> bool:
        """Whether the parts are to live again. A hang-up that comes after this asks once more."""
        if self.stop.is_set():
            return False
        self.again.clear()
        self.halt.clear()
        return True

    def _stop(self) -> None:
        if not self.stop.is_set():
            # A thread that the kernel does not let go (a server behind a network folder is away)
            # would keep the process for ever. Whatever it was at, the journal has the intent.
            threading.Thread(target=self._give_up_blocking, name="give up", daemon=True).start()
            self._on_stop()
        self.stop.set()
        self._end_parts()

    def _end_parts(self) -> None:
        self.halt.set()
        self.again.set()

    def _give_up_blocking(self) -> None:
        time.sleep(LONGEST_STOP_SECONDS - _LAST_WORDS_SECONDS)
        self._last_words()
        time.sleep(_LAST_WORDS_SECONDS)  # the log writes in a thread of its own
        os._exit(HUNG_EXIT)
