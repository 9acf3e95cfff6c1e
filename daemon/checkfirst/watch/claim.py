"""Whether another checkfirst, with a state folder of its own, stands guard over the same folder.

Each file would then go to whichever takes it first: nothing is lost, and nobody would understand
where it went. A name in Linux's abstract namespace, unix(7), is given to one process only and
goes with it, and it keeps no disk from being unmounted, as an open folder would.
"""

import contextlib
import os
import socket
import struct
import sys

from checkfirst.policy.names import show
from checkfirst.watch.root import Root

_CREDENTIALS = struct.Struct("=iii")


class Claim:
    """Our word that we watch a folder, as far as the system lets us give it."""

    def __init__(self, root: Root) -> None:
        self.problem: str | None = None
        """Who else watches it, in words."""
        self._folder = show(root.configured)
        self._name = f"\0checkfirst-watches-{root.dev}-{root.ino}"
        self._socket: socket.socket | None = None
        self.try_blocking()

    def try_blocking(self) -> None:
        """Claim the folder unless that has been done; another's claim becomes the `problem`."""
        if self._socket is not None or sys.platform != "linux":
            return
        claim = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            claim.bind(self._name)
            claim.listen()
        except OSError:
            claim.close()
            pid = _holder_blocking(self._name)
            if pid not in (None, os.getpid()):
                self.problem = (
                    f"Another checkfirst watches this folder as well (process {pid}): "
                    f"{self._folder}. Each file goes to the one that takes it first, so "
                    f"stop one of them, or let it watch another folder."
                )
            return
        self._socket, self.problem = claim, None

    def close(self) -> None:
        """Watch it no more."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def _holder_blocking(name: str) -> int | None:
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        asking.settimeout(1.0)
        asking.connect(name)
        credentials = asking.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        return int(_CREDENTIALS.unpack(credentials)[0])
    return None
