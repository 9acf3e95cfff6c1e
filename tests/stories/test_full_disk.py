"""A disk that is full, read-only or another one: files wait for it, and the daemon with them."""

import contextlib
import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from checkfirst.model import State
from checkfirst.simulator.corpus import EICAR
from checkfirst.simulator.known import clean, pending_without_stats
from checkfirst.simulator.thread import Elsewhere
from tests.stories.house import House, wait_for

pytestmark = [pytest.mark.story, pytest.mark.timeout(180)]

Mount = Callable[..., Path]


@pytest.fixture
def mount() -> Iterator[Mount]:
    """Mounts something at a folder until the test ends: `mount(folder, "-t", "tmpfs", …)`."""
    with ExitStack() as mounted:

        def at(folder: Path, *options: str, device: str | Path = "tmpfs") -> Path:
            folder.mkdir(parents=True, exist_ok=True)
            command = ["mount", *options, device, folder]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                pytest.skip(f"mount is not possible here: {done.stderr.strip()}")
            mounted.callback(subprocess.run, ["umount", "-l", folder], check=True)
            return folder

        yield at


def fill(folder: Path) -> Path:
    """A file that leaves no room beside it."""
    ballast = folder / ".ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    return ballast


def status(house: House) -> dict:
    done = subprocess.run(
        [*house.command[:-1], "status", "--json"],
        env=house.environment,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return json.loads(done.stdout)


def test_a_full_disk_under_the_database_is_waited_out(
    home: Path, simulator: Elsewhere, mount: Mount
):
    names = [f"file {n}" for n in range(20)]
    simulator.add(pending_without_stats(b"early"), *(clean(name.encode()) for name in names))
    house = House(home, simulator.url)
    mount(house.state, "-t", "tmpfs", "-o", "size=6m")
    try:
        with house.running():
            house.drop("early", b"early")
            house.until_waits("early", "not analysed yet")
            ballast = fill(house.state)
            for name in names:
                house.drop(name, name.encode())
            wait_for("it has failed", lambda: house.said("failed: There is no room left"))
            time.sleep(8)  # so long all that write fail again and again
            assert house.said("failed: There is no room left") <= 2, "and say it once"
            seen = status(house)
            assert seen["state"] == "degraded"
            assert any("no room left on the disk" in problem for problem in seen["problems"])
            assert os.listdir(house.released) == []
            house.hang_up()  # what waits must be claimed, and there is no room to
            wait_for("it begins anew", lambda: house.said("nothing is taken in until then"), 20)
            ballast.unlink()
            house.until_ended(*names)
            for name in names:
                assert (house.released / name).read_bytes() == name.encode()
            wait_for("all is well", lambda: not status(house)["problems"])
            house.may_complain("the log could not be written")
    finally:
        house.kill()


def test_a_restore_of_its_own_that_could_not_be_written_down_is_made_up_for(
    home: Path, simulator: Elsewhere, mount: Mount
):
    """No signal and no new start: the daemon comes back to the row that it has claimed itself."""
    content = os.urandom(1024) * 1024 * 300
    again = {"for": "1d", "every": "1s", "restore": True}
    house = House(home, simulator.url, recheck=again, mode="stop-unknowns")
    mount(house.state, "-t", "tmpfs", "-o", "size=6m")
    mount(house.released, "-t", "tmpfs")
    elsewhere = home / "elsewhere"
    elsewhere.write_bytes(content)
    try:
        with house.running():
            elsewhere.rename(house.downloads / "new.exe")
            house.until("new.exe", State.QUARANTINED)
            simulator.add(clean(content))

            def filled_meanwhile() -> Path | None:
                with house.asleep():
                    is_now = house.rows("new.exe")[-1].state is State.RESTORING
                    return fill(house.state) if is_now else None

            ballast = wait_for("it is being restored", filled_meanwhile)
            back = house.released / "new.exe"
            wait_for("it is back", lambda: back.exists() and back.stat().st_mode & 0o600)
            wait_for("nobody could write that down", lambda: house.said("failed: There is no room"))
            assert house.rows("new.exe")[-1].state is State.RESTORING
            ballast.unlink()
            row = house.until("new.exe", State.RESTORED)
            assert row.destination == os.fsencode(back)
            house.until_said("restored", "new.exe")
            house.may_complain("the log could not be written")
    finally:
        house.kill()


@pytest.mark.parametrize("way", ["full", "read-only"])
def test_an_end_that_cannot_be_written_to_is_waited_for(
    home: Path, simulator: Elsewhere, mount: Mount, way: str
):
    """The other end goes on; the reason is told; what waits goes its way when it can."""
    house = House(home, simulator.url)
    folder = mount(house.quarantine, "-t", "tmpfs", "-o", "size=1m,mode=700")
    if way == "full":
        ballast = fill(folder)
    else:
        subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
    with house.running():
        house.drop("eicar.com", EICAR)
        row = house.until("eicar.com", State.HELD)
        assert ("no space" if way == "full" else "read-only") in (row.reason or "")
        house.drop("harmless", b"harmless")
        house.until("harmless", State.RELEASED)
        assert house.rows("eicar.com")[-1].state in {State.HELD, State.QUARANTINING}
        # The folder of the next try may be gone as soon as it is seen, which rglob cannot take.
        assert not any("payload.quarantined" in names for _, _, names in os.walk(folder))
        if way == "full":
            ballast.unlink()
        else:
            subprocess.run(["mount", "-o", "remount,rw", folder], check=True)
        row = house.until("eicar.com", State.QUARANTINED)
        assert row.destination is not None


def test_a_file_that_cannot_be_taken_is_left_told_of_and_tried_again(
    home: Path, simulator: Elsewhere, mount: Mount
):
    """The watched folder is on a disk that became read-only."""
    house = House(home, simulator.url)
    house.released = home / "Released"
    house.change(released=str(house.released))
    mount(house.downloads, "-t", "tmpfs", "-o", "size=8m")
    with house.running():
        house.drop("early", b"early")
        house.until("early", State.RELEASED)
        with house.asleep():
            house.drop("late", b"late")
            subprocess.run(["mount", "-o", "remount,ro", house.downloads], check=True)
        row = house.until("late", State.LEFT)
        assert "read-only" in (row.reason or "")
        assert any("late could not be taken" in problem for problem in status(house)["problems"])
        subprocess.run(["mount", "-o", "remount,rw", house.downloads], check=True)
        again = house.until("late", State.RELEASED)
        assert again.id == row.id
        wait_for("all is well", lambda: status(house)["state"] == "running")


def test_two_bind_mounts_of_one_filesystem_are_copied_between(
    home: Path, simulator: Elsewhere, mount: Mount
):
    """Their device numbers are equal and rename(2) says EXDEV all the same."""
    house = House(home, simulator.url)
    house.released = home / "Released"
    house.change(released=str(house.released))
    disk = mount(home / "disk", "-t", "tmpfs", "-o", "size=8m")
    for folder in (house.downloads, house.released, house.quarantine, house.state):
        (disk / folder.name).mkdir(mode=0o700)
        mount(folder, "--bind", device=disk / folder.name)
    (house.downloads / ".checkfirst-held").touch()  # nothing is left but copying
    with house.running():
        house.drop("eicar.com", EICAR)
        house.drop("harmless", b"harmless")
        house.until_ended("eicar.com", "harmless")
        (folder,) = status(house)["watching"]
        assert folder["moves"] == "copy"
    assert (house.released / "harmless").read_bytes() == b"harmless"
    assert house.below_downloads() == {b".checkfirst-held"}
    assert not [path for path in (house.state / "held").rglob("*") if path.is_file()]


def test_a_log_that_cannot_be_written_stops_nothing(home: Path, simulator: Elsewhere, mount: Mount):
    house = House(home, simulator.url)
    logs = mount(home / "logs", "-t", "tmpfs", "-o", "size=64k")
    house.change(log={"file": str(logs / "checkfirst.log")})
    fill(logs)
    with house.running():
        house.drop("harmless", b"harmless")
        house.until("harmless", State.RELEASED)
        house.may_complain("the log could not be written")


def test_a_state_folder_that_turns_read_only_is_told_and_ends_nothing(
    home: Path, simulator: Elsewhere, mount: Mount
):
    """As the kernel does it when it meets an error of the disk; nothing can be written any more."""
    house = House(home, simulator.url)
    image = home / "disk"
    with image.open("wb") as file:
        file.truncate(64 * 1024 * 1024)
    made = subprocess.run(["mkfs.ext4", "-q", image], capture_output=True, check=False)
    if made.returncode:
        pytest.skip("no ext4 can be made here")
    mount(house.state, "-o", "loop,errors=remount-ro", device=image)
    device = subprocess.run(
        ["findmnt", "-no", "SOURCE", house.state], capture_output=True, text=True, check=True
    ).stdout.strip()
    break_it = Path("/sys/fs/ext4", os.path.basename(device), "trigger_fs_error")
    if not break_it.exists():
        pytest.skip("the kernel cannot be asked to meet an error")
    try:
        with house.running():
            assert status(house)["state"] == "running"
            break_it.write_text("1")
            house.drop("two", b"two")
            wait_for("it is noticed", lambda: house.said("cannot be read or written"))
            seen = status(house)
            assert seen["state"] == "degraded"
            assert "cannot be written (Read-only file system)" in "".join(seen["problems"])
            assert house.below_downloads() >= {b"two"}
            house.may_complain("the log could not be written")
    finally:
        house.kill()
