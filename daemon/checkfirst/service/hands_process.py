"""A second pair of hands, as a process of its own: `python -m checkfirst.service.hands_process`.

What is bound by the interpreter and not by the disk gains nothing from a thread. What the process
does is told in `serving`, and who tells it in `other_hands`.

It lives no longer than the daemon: it holds the daemon's lock as well, so that no other daemon can
begin while it is at work; it ends when the pipe does, and where the kernel offers that (Linux), at
once when the daemon is killed, as its threads would.
"""

import os
import signal
import sys

from checkfirst.vault.kernel import end_with_parent


def main() -> None:
    """Arguments: the daemon's process number, and the descriptor of the pipe to it."""
    parent, descriptor = map(int, sys.argv[1:])
    end_with_parent(parent)
    # A terminal, or systemd, signals all processes of the daemon at once; the daemon alone says
    # when this one ends, as a batch may be under way.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    _serve_blocking(descriptor)


def _serve_blocking(descriptor: int) -> None:
    # Only now, as it takes the longest: whoever loses its daemon meanwhile does not load the rest.
    from multiprocessing.connection import Connection  # noqa: PLC0415

    from checkfirst.service.garbage import collect_seldom  # noqa: PLC0415
    from checkfirst.service.serving import serve_blocking  # noqa: PLC0415
    from checkfirst.vault.grip import ignore_lease_breaks  # noqa: PLC0415

    ignore_lease_breaks()
    collect_seldom()
    with Connection(descriptor) as line:
        try:
            serve_blocking(line)
        except (EOFError, ConnectionError):  # the daemon has ended, or needs no help any more
            os._exit(0)


if __name__ == "__main__":
    main()
