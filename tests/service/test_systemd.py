"""What is told to a service manager, over a real datagram socket."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from checkfirst.service.systemd import Systemd
from tests.fakes.clock import FakeClock


class Manager:
    """The other end of NOTIFY_SOCKET."""

    def __init__(self, listener: socket.socket) -> None:
        self.listener = listener

    def heard(self) -> list[str]:
        found = []
        while True:
            try:
                found.append(self.listener.recv(4096).decode())
            except BlockingIOError:
                return found


@contextmanager
def manager(address: str) -> Iterator[Manager]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(address)
        listener.setblocking(False)
        yield Manager(listener)


@pytest.mark.parametrize("abstract", [False, True])
def test_everything_reaches_a_socket_with_a_path_and_an_abstract_one(tmp_path, abstract):
    name = f"checkfirst-{os.getpid()}"
    address = f"\0{name}" if abstract else str(tmp_path / "notify")
    environ = {"NOTIFY_SOCKET": f"@{name}" if abstract else address}
    with manager(address) as told:
        systemd = Systemd(FakeClock(), environ)
        systemd.ready()
        systemd.status("Watching ~/Downloads")
        systemd.reloading()
        systemd.alive()
        systemd.stopping()
        assert told.heard() == [
            "READY=1",
            "STATUS=Watching ~/Downloads",
            "RELOADING=1\nMONOTONIC_USEC=1000000000\nWATCHDOG=1",
            "WATCHDOG=1",
            "STOPPING=1",
        ]


def test_nobody_asked_and_nothing_is_told():
    systemd = Systemd(FakeClock(), {"WATCHDOG_USEC": "1000000"})
    systemd.ready()
    assert systemd.watchdog_seconds is None


def test_a_manager_that_is_gone_is_no_trouble(tmp_path):
    Systemd(FakeClock(), {"NOTIFY_SOCKET": str(tmp_path / "gone")}).ready()


def test_a_manager_that_does_not_read_stops_nobody(tmp_path):
    with manager(str(tmp_path / "notify")) as told:
        systemd = Systemd(FakeClock(), {"NOTIFY_SOCKET": str(tmp_path / "notify")})
        for _ in range(10_000):
            systemd.alive()
        assert len(told.heard()) < 10_000


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_signs_of_life_are_given_to_whoever_waits_for_ours(environ, seconds):
    assert Systemd(FakeClock(), {"NOTIFY_SOCKET": "/x", **environ}).watchdog_seconds == seconds
