"""A real session bus, a real notification server on it, and the real daemon in that session."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from checkfirst.model import State
from checkfirst.simulator.known import clean, malicious
from checkfirst.simulator.quota import NO_LIMITS
from checkfirst.simulator.server import Simulator
from checkfirst.simulator.thread import Elsewhere, simulator_in_thread
from tests.stories.house import House, wait_for

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not shutil.which("dbus-daemon"), reason="dbus-daemon is not installed"),
    pytest.mark.skipif(
        importlib.util.find_spec("desktop_notifier") is None,
        reason="the extra `desktop` is not installed",
    ),
]

BAD, GOOD = b"bad bytes", b"good bytes"
SERVER = Path(__file__).with_name("notification_server.py")


class Desktop(House):
    """A house whose daemon runs in a desktop session of its own."""

    def __init__(self, home: Path, url: str, bus: str, **changes: object) -> None:
        super().__init__(home, url, **changes)
        self.bus = bus
        self.shown = home / "shown"
        self.opened = home / "opened"
        self.bin = home / "bin"
        self.bin.mkdir()
        opener = self.bin / "xdg-open"
        opener.write_text(f'#!/bin/sh\nprintf "%s\\n" "$1" >> "{self.opened}"\n')
        opener.chmod(0o755)

    @property
    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in super().environment.items() if k != "INVOCATION_ID"}
        path = f"{self.bin}{os.pathsep}{kept['PATH']}"
        more = {"DBUS_SESSION_BUS_ADDRESS": self.bus, "DISPLAY": ":77", "PATH": path}
        return {**kept, **more}

    @contextmanager
    def server(self, *options: str) -> Iterator[None]:
        """Let somebody show notifications."""
        command = [sys.executable, str(SERVER), str(self.shown), *options]
        environ = {**os.environ, "DBUS_SESSION_BUS_ADDRESS": self.bus}
        with subprocess.Popen(command, env=environ) as process:
            try:
                wait_for("the server is there", self.shown.exists)
                yield
            finally:
                process.terminate()

    def notices(self) -> list[dict]:
        return [json.loads(line) for line in self.shown.read_text().splitlines()]


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[str]:
    command = ["dbus-daemon", "--session", "--nofork", "--nopidfile", "--print-address=1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


@pytest.fixture
def simulator() -> Iterator[Elsewhere]:
    with simulator_in_thread(Simulator(limits=NO_LIMITS)) as running:
        running.add(malicious(BAD))
        running.add(clean(GOOD))
        yield running


def house(tmp_path: Path, simulator: Elsewhere, bus: str, **notify: object) -> Desktop:
    return Desktop(tmp_path / "home", simulator.url, bus, notify={"desktop": True, **notify})


def test_a_stopped_file_is_shown_with_a_button_that_opens_its_report(tmp_path, simulator, bus):
    at_home = house(tmp_path, simulator, bus)
    with at_home.server("--press"), at_home.running():
        at_home.drop("<b>setup & co.exe", BAD)
        row = at_home.until("<b>setup & co.exe", State.QUARANTINED)
        wait_for(
            "the report is opened", lambda: at_home.opened.exists() and at_home.opened.read_text()
        )
    (told,) = at_home.notices()
    assert told["summary"] == "checkfirst stopped a file"
    assert told["body"] == ("&lt;b&gt;setup &amp; co.exe: 62 of 64 engines call it malicious")
    assert told["actions"][:2] == ["default", ""]
    assert told["actions"][3:] == ["Open report"]
    assert told["urgency"] == 2
    assert at_home.opened.read_text() == f"{row.report_url}\n"


def test_a_burst_is_one_notification_and_one_page(tmp_path, simulator, bus):
    at_home = house(tmp_path, simulator, bus, open_report=True, level="all")
    with at_home.server(), at_home.running():
        names = [f"{n}.exe" for n in range(100)]
        for name in names:
            at_home.drop(name, BAD)
        at_home.until_ended(*names)
    told = at_home.notices()
    assert 1 <= len(told) <= 3  # one, where the machine is quick enough to end them all in 2 s
    assert "and 97 more" in told[0]["body"] or len(told) > 1
    assert told[0]["actions"][3:] == ["Open folder"]
    assert len(at_home.opened.read_text().splitlines()) == 1


def test_a_session_without_a_notification_server_is_told_of_once(tmp_path, simulator, bus):
    at_home = house(tmp_path, simulator, bus)
    with at_home.running():
        at_home.drop("setup.exe", BAD)
        at_home.until("setup.exe", State.QUARANTINED)
        line = at_home.until_said("notify", "no notifications are shown")
        assert "org.freedesktop.Notifications" in line
        assert at_home.snapshot().problems == ()
    assert len(at_home.log("notify")) == 1


def test_a_server_that_never_answers_holds_nothing_up(tmp_path, simulator, bus):
    at_home = house(tmp_path, simulator, bus)
    with at_home.server("--hang"), at_home.running():
        at_home.drop("setup.exe", BAD)
        at_home.until("setup.exe", State.QUARANTINED)
        at_home.until_said("notify", "the desktop does not answer")
        at_home.drop("good", GOOD)
        at_home.until("good", State.RELEASED)
        assert at_home.snapshot().problems == ()


def test_a_file_manager_opens_what_may_be_opened_and_tells_of_what_may_not(
    tmp_path, simulator, bus
):
    at_home = house(tmp_path, simulator, bus)
    with at_home.server():
        good, bad = at_home.drop("good.pdf", GOOD), at_home.drop("<i>bad.exe", BAD)
        command = [sys.executable, "-m", "checkfirst", "--settings", str(at_home.file)]
        done = subprocess.run(
            [*command, "check", "--open", good, bad],
            env=at_home.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=30,
            check=False,
        )
    assert done.returncode == 1, done.stdout
    assert at_home.opened.read_text() == f"{good}\n"
    (told,) = at_home.notices()
    assert told["summary"] == "checkfirst stopped a file"
    assert told["body"] == "&lt;i&gt;bad.exe: 62 of 64 engines call it malicious"
