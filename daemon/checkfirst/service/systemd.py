"""What systemd is told of the daemon, sd_notify(3): one datagram for each change.

Where nobody asked to be told (no NOTIFY_SOCKET) nothing happens, and a service manager that does
not listen is no trouble of the daemon's.
"""

import contextlib
import os
import socket
from collections.abc import Mapping

from checkfirst.clock import Clock


class Systemd:
    """The service manager that started us, if one did."""

    def __init__(self, clock: Clock, environ: Mapping[str, str] = os.environ) -> None:
        """Look into the environment for whom to tell."""
        address = environ.get("NOTIFY_SOCKET", "")
        # An address that begins with @ is in the abstract namespace, unix(7).
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._clock = clock
        self.watchdog_seconds = _watchdog_seconds(environ) if address else None
        """Within this time a sign of life is expected; None: none is."""

    def ready(self) -> None:
        """Everything runs, for the first time or after the settings were read again."""
        self._tell("READY=1")

    def reloading(self) -> None:
        """The settings are read again."""
        now = int(self._clock.monotonic() * 1_000_000)
        self._tell("RELOADING=1", f"MONOTONIC_USEC={now}", "WATCHDOG=1")

    def stopping(self) -> None:
        """The daemon ends."""
        self._tell("STOPPING=1")

    def status(self, text: str) -> None:
        """For whoever asks `systemctl status`; one line."""
        self._tell(f"STATUS={text}")

    def alive(self) -> None:
        """Work gets done; must come within `watchdog_seconds` again."""
        self._tell("WATCHDOG=1")

    def _tell(self, *assignments: str) -> None:
        if not self._address:
            return
        with (
            contextlib.suppress(OSError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told,
        ):
            told.setblocking(False)  # a manager that does not read must not stop us
            told.connect(self._address)
            told.send("\n".join(assignments).encode(errors="replace"))


def _watchdog_seconds(environ: Mapping[str, str]) -> float | None:
    """sd_watchdog_enabled(3); the variable may be meant for a parent of ours."""
    if environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    microseconds = environ.get("WATCHDOG_USEC", "")
    return int(microseconds) / 1_000_000 if microseconds.isdecimal() else None
