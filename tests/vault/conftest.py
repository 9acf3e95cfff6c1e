"""Real folders, real filesystems: faults are made by mounting, not by pretending."""

import os
import subprocess
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from checkfirst.vault import hold, move, quarantine, release, restore
from checkfirst.vault.failpoint import NAMES
from checkfirst.vault.grip import ignore_lease_breaks


@pytest.fixture(scope="session", autouse=True)
def _lease_breaks_are_ignored() -> None:
    ignore_lease_breaks()


@pytest.fixture
def place(tmp_path: Path) -> bytes:
    """A folder of the test's own, as bytes."""
    return os.fsencode(tmp_path)


@pytest.fixture
def mount(place: bytes) -> Iterator[Callable[..., bytes]]:
    """Mounts a new filesystem below the test's folder: `mount(b"name", "-t", "tmpfs", …)`."""
    mounted: list[bytes] = []

    def mount_one(name: bytes, *arguments: str, device: str = "tmpfs") -> bytes:
        where = os.path.join(place, name)
        os.makedirs(where, exist_ok=True)
        done = subprocess.run(
            [b"mount", *map(os.fsencode, arguments), os.fsencode(device), where],
            capture_output=True,
            check=False,
        )
        if done.returncode:
            pytest.skip(f"mount is not possible here: {os.fsdecode(done.stderr).strip()}")
        mounted.append(where)
        return where

    yield mount_one
    for where in reversed(mounted):
        subprocess.run([b"umount", b"-l", where], check=True)


@pytest.fixture
def over() -> Iterator[Callable[[bytes, bytes], None]]:
    """Mounts one file over another: `over(cover, path)`."""
    covered: list[bytes] = []

    def cover(source: bytes, path: bytes) -> None:
        done = subprocess.run([b"mount", b"--bind", source, path], capture_output=True, check=False)
        if done.returncode:
            pytest.skip(f"mount is not possible here: {os.fsdecode(done.stderr).strip()}")
        covered.append(path)

    yield cover
    for path in reversed(covered):
        subprocess.run([b"umount", b"-l", path], check=True)


@pytest.fixture
def unreadable(over: Callable[[bytes, bytes], None]) -> Callable[[bytes], None]:
    """Lets every read of a file fail with EIO, as those of address 0 of our own memory do."""
    return lambda path: over(b"/proc/%d/mem" % os.getpid(), path)


@pytest.fixture
def other(mount: Callable[..., bytes]) -> bytes:
    """A folder on another filesystem."""
    return mount(b"other", "-t", "tmpfs", "-o", "size=64m")


@pytest.fixture
def as_nobody(place: bytes) -> Callable[[Callable[[], bool]], bool]:
    """Runs a function in a child with another user's rights, as root may do anything."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    above = place
    while above not in (b"/", b"/tmp"):
        os.chmod(above, 0o755)
        above = os.path.dirname(above)

    def run(function: Callable[[], bool]) -> bool:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # fork beside threads, from 3.12
            child = os.fork()
        if child:
            return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        code = 1
        try:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
            code = 0 if function() else 1
        except BaseException:  # noqa: BLE001  (shown, and told by the exit code)
            traceback.print_exc()
        finally:
            os._exit(code)

    return run


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Callable[[], object]], None]:
    """Act at a failpoint, between two steps, as another program may: `at("hold.grasped", swap)`."""
    actions: dict[str, Callable[[], object]] = {}

    def act(name: str) -> None:
        assert name in NAMES
        if name in actions:
            actions.pop(name)()

    for module in (hold, move, quarantine, release, restore):
        monkeypatch.setattr(module, "failpoint", act)
    return actions.__setitem__
