"""A throw-away home with the real daemon in it, for stories that are told from outside."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self, TypeVar

from checkfirst.model import Arrival, State
from checkfirst.service.status import Snapshot, read_blocking
from checkfirst.store.reading import Reading

T = TypeVar("T")
KEY = "demo"
LONGEST = 60.0
"""Seconds a story waits for anything, unless it says otherwise."""
WAITING = (State.HELD, State.WAITING)


def wait_for(what: str, look: Callable[[], T], seconds: float = LONGEST) -> T:
    """Look again and again until something is there; the first thing that is true comes back."""
    end = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < end, f"{what}: not within {seconds} s"
        time.sleep(0.02)
    return found


def not_at_midnight(seconds: float = 60.0) -> None:
    """At 00:00 UTC a spent quota is full again: wait for that where it would come too soon."""
    wait_for("a new day", lambda: time.time() % 86_400 < 86_400 - seconds, seconds + 1)


class House:
    """Downloads, Quarantine and state in one folder; the daemon is a process of its own."""

    def __init__(self, home: Path, url: str, **changes: object) -> None:
        """`changes` of the settings; groups of settings are merged."""
        self.home = home
        self.downloads = home / "Downloads"
        self.released = self.downloads / "Released"
        self.quarantine = home / "Quarantine"
        self.state = home / "state"
        self.settings: dict[str, Any] = {
            "watch": [str(self.downloads)],
            "released": str(self.released),
            "quarantine": str(self.quarantine),
            "state": str(self.state),
            "intake": {"settle": "300ms"},
            "virustotal": {
                "url": url,
                "per_minute": 0,
                "per_day": 0,
                "per_month": 0,
                "timeout": "5s",
                "retry": {"first": "200ms", "at_most": "400ms"},
                "pause": {"first": "200ms", "at_most": "400ms"},
            },
            "poll": {"first": "200ms", "at_most": "400ms"},
            "notify": {"desktop": False},
        }
        self.file = home / "settings.yaml"
        self.downloads.mkdir(parents=True)
        self.change(**changes)
        self.limited: list[str] = []
        """A command that runs the daemon with less than others have."""
        self._process: subprocess.Popen[bytes] | None = None
        self._said = home / "stdout"
        self._complained = home / "stderr"
        self.started_in = 0.0

    def change(self, **changes: object) -> None:
        """Write the settings anew; JSON is YAML."""
        self.settings = _merged(self.settings, changes)
        self.file.write_text(json.dumps(self.settings, indent=1))

    @property
    def command(self) -> list[str]:
        return [
            *self.limited,
            sys.executable,
            "-m",
            "checkfirst",
            "--settings",
            str(self.file),
            "run",
        ]

    @property
    def environment(self) -> dict[str, str]:
        """What the daemon is given: the key, and nothing of the settings of whoever runs this."""
        kept = {key: text for key, text in os.environ.items() if not key.startswith("CHECKFIRST")}
        return {
            **kept,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "HOME": str(self.home),
            "CHECKFIRST_VIRUSTOTAL__API_KEY": KEY,
        }

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def launch(self) -> None:
        """Start the daemon; it may end at any moment."""
        with self._said.open("ab") as said, self._complained.open("ab") as complained:
            self._process = subprocess.Popen(
                self.command, env=self.environment, stdout=said, stderr=complained, cwd=self.home
            )

    def start(self) -> None:
        """Start the daemon and wait until it says that it watches."""
        before = self._watching
        began = time.monotonic()
        self.launch()
        wait_for("the daemon is ready", lambda: self._has_ended or self._watching > before)
        assert not self._has_ended, self.everything_said()
        self.started_in = time.monotonic() - began

    def stop(self, within: float = 10.0) -> float:
        """Ask the daemon to stop; it must end well, in time and without complaints. Seconds."""
        assert self._process is not None
        began = time.monotonic()
        self._process.send_signal(signal.SIGTERM)
        code = self._process.wait(within)
        took = time.monotonic() - began
        assert code == 0
        assert self._complained.read_text() == ""
        self._process = None
        return took

    def hang_up(self) -> None:
        """Let the daemon read its settings again."""
        os.kill(self.pid, signal.SIGHUP)

    @contextmanager
    def asleep(self) -> Iterator[None]:
        """Whatever is done meanwhile is done before the daemon looks, however long it takes."""
        os.kill(self.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, self.pid, os.WSTOPPED)
        try:
            yield
        finally:
            if self._process is not None:
                os.kill(self.pid, signal.SIGCONT)

    @contextmanager
    def running(self) -> Iterator[Self]:
        """Run the daemon meanwhile; whatever happens, nothing is left running."""
        try:
            self.start()
            yield self
            if self._process is not None:
                self.stop()
        except BaseException as error:
            error.add_note(self.everything_said())
            raise
        finally:
            self.kill()

    def drop(self, name: bytes | str, content: bytes, folder: Path | None = None) -> Path:
        """Put a file into the watched folder, in one go."""
        path = (folder or self.downloads) / os.fsdecode(name)
        path.write_bytes(content)
        return path

    def rows(self, name: bytes | str | None = None) -> list[Arrival]:
        """The journal, oldest first; only of files with this name, if it is given."""
        with Reading(self.state / "checkfirst.sqlite") as reading:
            rows = reading.history(-1)[::-1]
        return rows if name is None else [row for row in rows if row.name == os.fsencode(name)]

    def until(self, name: bytes | str, *states: State, seconds: float = LONGEST) -> Arrival:
        """Wait until the newest file of this name is in one of these states."""

        def look() -> Arrival | None:
            rows = self.rows(name)
            return rows[-1] if rows and rows[-1].state in states else None

        return wait_for(f"{name!r} is {' or '.join(states)}", look, seconds)

    def until_ended(self, *names: bytes | str, seconds: float = LONGEST) -> dict[bytes, Arrival]:
        """Wait until all of these are released or quarantined."""
        wanted = {os.fsencode(name) for name in names}
        ends = (State.RELEASED, State.QUARANTINED)

        def look() -> dict[bytes, Arrival] | None:
            ended = {row.name: row for row in self.rows() if row.state in ends}
            return ended if ended.keys() >= wanted else None

        return wait_for(f"the end of {sorted(wanted)}", look, seconds)

    def until_waits(self, name: bytes | str, because: str) -> str:
        """Wait until `status.json` says that this file waits for such a reason; the whole one."""
        arrival = self.until(name, *WAITING)

        def look() -> str | None:
            reasons = [
                each.reason for each in self.snapshot().outlook if each.sha256 == arrival.sha256
            ]
            return next((reason for reason in reasons if because in reason), None)

        return wait_for(f"{name!r} waits because {because!r}", look)

    def snapshot(self) -> Snapshot:
        """What the daemon tells of itself."""
        return wait_for("status.json", lambda: read_blocking(self.state))

    def log(self, event: str = "") -> list[str]:
        """The lines of the log about one kind of event, without their time."""
        try:
            text = (self.state / "checkfirst.log").read_text()
        except FileNotFoundError:
            return []
        lines = [line[len("2026-11-24 04:12:33   ") :] for line in text.split("\n") if line]
        return [line for line in lines if line.startswith(event)]

    def until_said(self, event: str, text: str) -> str:
        """Wait for such a line in the log; the line."""
        return wait_for(
            f"the log says {text!r}",
            lambda: next((line for line in self.log(event) if text in line), None),
        )

    def said(self, text: str) -> int:
        """How often the terminal has shown this, which it does even when the disk is full."""
        return self._said.read_text().count(text)

    def may_complain(self, text: str) -> None:
        """Lines with this text on stderr are no surprise, and are forgotten."""
        lines = self._complained.read_text().splitlines()
        assert all(text in line for line in lines), lines
        os.truncate(self._complained, 0)

    def kill(self) -> None:
        """Leave nothing running."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def everything_told(self) -> str:
        """The reasons that the journal gives now."""
        return "\n".join(row.reason or "" for row in self.rows())

    def everything_said(self) -> str:
        """For whoever reads why a story failed."""
        parts = [path.read_text() for path in (self._said, self._complained) if path.exists()]
        return "\n".join(["--- the daemon said:", *parts])

    def below_downloads(self) -> set[bytes]:
        """The names that lie in the watched folder itself, ends left out."""
        return set(os.listdir(os.fsencode(self.downloads))) - {b"Released"}

    @property
    def _watching(self) -> int:
        """How often a daemon has said that it is ready; on the terminal, as a disk may be full."""
        return self.said("  watching  ") if self._said.exists() else 0

    @property
    def _has_ended(self) -> bool:
        return self._process is not None and self._process.poll() is not None


def _merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    both = {
        key: _merged(old[key], new[key]) for key in old.keys() & new if isinstance(new[key], dict)
    }
    return {**old, **new, **both}
