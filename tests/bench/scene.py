"""A daemon as a process of its own on throw-away folders, and what is to be put before it."""

import asyncio
import contextlib
import hashlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from checkfirst.clock import SystemClock
from checkfirst.model import Verdict, VerdictKind
from checkfirst.store.database import Database
from checkfirst.store.listed import Listed, ListedBy, ListName
from checkfirst.store.lists import Lists
from checkfirst.store.remembered import Remembered

SETTLE = 0.2
"""Seconds, in all benchmarks; taken off the measured times."""

KEY = "demo"
"""The one that the simulator accepts."""
_NOWHERE = "http://127.0.0.1:9/api/v3"
_SETTINGS = f"""\
watch: [downloads]
released: released
quarantine: quarantine
state: state
intake: {{settle: {int(SETTLE * 1000)}ms}}
virustotal: {{url: "{_NOWHERE}"}}
notify: {{desktop: false}}
"""

Curve = tuple[tuple[float, float], ...]
"""Seconds, and how many by then."""
_POINTS = 200


class Scene:
    """Folders on one filesystem, so that files move by rename as they do in a home folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = folder / "settings.yaml"
        self.downloads = folder / "downloads"
        self.released = folder / "released"
        self.quarantine = folder / "quarantine"
        self.ready = folder / "ready"
        self.database = folder / "state" / "checkfirst.sqlite"
        for path in (self.downloads, self.ready, self.database.parent):
            path.mkdir()
        self.settings.write_text(_SETTINGS)

    def ask_at(self, url: str) -> None:
        """Let the daemon ask there; else VirusTotal's address leads nowhere."""
        self.settings.write_text(_SETTINGS.replace(_NOWHERE, url))

    @property
    def environment(self) -> dict[str, str]:
        """The key is none of VirusTotal's, as nothing here asks it."""
        kept = {name: value for name, value in os.environ.items() if "CHECKFIRST" not in name}
        return {**kept, "CHECKFIRST_VIRUSTOTAL__API_KEY": KEY}

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "checkfirst", "--settings", str(self.settings), *arguments]

    def make_files(self, count: int, size: int) -> list[tuple[Path, str]]:
        """Files with contents all different, beside the watched folder; with their SHA-256."""
        files = []
        for number in range(count):
            content = os.urandom(size)
            path = self.ready / f"file {number:05}.bin"
            path.write_bytes(content)
            files.append((path, hashlib.sha256(content).hexdigest()))
        return files

    def remember(self, hashes: list[str]) -> None:
        """VirusTotal has found these clean, a moment ago."""
        verdict = Verdict(VerdictKind.CLEAN, "virustotal", "0 of 70 engines", 0, 70)

        async def remember() -> None:
            async with _open(self.database) as database:
                kept = Remembered(database)
                for sha256 in hashes:
                    await kept.remember(sha256, verdict, SystemClock().now())

        asyncio.run(remember())

    def allow(self, hashes: list[str]) -> None:
        """Put these on the allow list."""

        async def allow() -> None:
            now = SystemClock().now()
            entries = [Listed(each, ListName.ALLOW, ListedBy.USER, now) for each in hashes]
            async with _open(self.database) as database:
                await Lists(database, SystemClock()).add(*entries)

        asyncio.run(allow())

    @contextlib.contextmanager
    def daemon(self) -> Iterator["Daemon"]:
        """Started and watching; stopped in the end."""
        began = time.perf_counter()
        output = self.folder / "output"
        with output.open("w") as stream:
            process = subprocess.Popen(
                self.command("run"), stdout=stream, stderr=stream, env=self.environment
            )
        try:
            while "watching" not in output.read_text():
                if process.poll() is not None:
                    raise RuntimeError(output.read_text())
                time.sleep(0.002)
            yield Daemon(process.pid, time.perf_counter() - began)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


class Daemon:
    """A running one, seen from outside."""

    def __init__(self, pid: int, started_in: float) -> None:
        self.pid = pid
        self.started_in = started_in
        """Seconds from the start of the process to its line with `watching`."""

    def cpu_seconds(self) -> float:
        """Of the daemon and of a second process that it has started."""
        return sum(map(_cpu_seconds, self._processes()))

    def resident_mib(self) -> float:
        """Of both together."""
        return sum(map(resident_mib, self._processes()))

    def _processes(self) -> list[int]:
        found = [self.pid]
        for thread in Path(f"/proc/{self.pid}/task").iterdir():
            with contextlib.suppress(FileNotFoundError):  # it has ended meanwhile
                found += map(int, (thread / "children").read_text().split())
        return found


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024


def arrivals(files: Iterable[Path], began: float) -> Curve:
    """How many had been moved to where they are by when; `began` is a moment of `time.time`.

    A rename sets the ctime of a file, to the kernel's clock of some 4 ms. So nobody needs to watch,
    which would cost what is measured and see the end late.
    """
    moved = sorted(file.lstat().st_ctime - began for file in files)
    step = max(1, len(moved) // _POINTS)
    some = [*range(step, len(moved), step), len(moved)] if moved else []
    return ((0.0, 0.0), *((moved[number - 1], float(number)) for number in some))


@contextlib.contextmanager
def scene() -> Iterator[Scene]:
    """A new one, removed afterwards; where it lies is TMPDIR's to say."""
    with tempfile.TemporaryDirectory(prefix="checkfirst-bench-") as folder:
        yield Scene(Path(folder).resolve())


@contextlib.asynccontextmanager
async def _open(path: Path):
    database = await Database.open(path, SystemClock())
    try:
        yield database
    finally:
        await database.close()
