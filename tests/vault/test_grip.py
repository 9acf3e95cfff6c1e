import contextlib
import hashlib
import mmap
import os
import signal
import socket
import subprocess
import sys
import threading

import pytest

from checkfirst.vault import grip as grip_module
from checkfirst.vault.digest import (
    CHUNK,
    HEAD,
    digest_blocking,
    digests_and_head_blocking,
    hash_of_blocking,
    head_blocking,
)
from checkfirst.vault.grip import grasp_blocking, lease_blocking
from checkfirst.vault.problems import BusyError, ChangedError, NotAFileError, StoppedError


def written(place: bytes, data: bytes = b"content", name: bytes = b"file") -> bytes:
    path = os.path.join(place, name)
    with open(path, "wb") as file:
        file.write(data)
    return path


def test_a_quiet_file_gets_a_lease_and_its_stamp(place):
    path = written(place)
    with grasp_blocking(path, lease=True) as grip:
        seen = os.stat(path)
        assert grip.leased
        assert (grip.stamp.dev, grip.stamp.ino, grip.stamp.size) == (seen.st_dev, seen.st_ino, 7)
        assert grip.unchanged_blocking()


def test_without_asking_there_is_no_lease(place):
    with grasp_blocking(written(place), lease=False) as grip:
        assert grip.lease is None
        assert not grip.leased


@pytest.mark.parametrize("kind", ["symlink", "dangling", "loop", "fifo", "socket", "folder"])
def test_what_is_no_regular_file_is_refused_without_waiting(place, kind, monkeypatch):
    path = os.path.join(place, b"thing")
    with contextlib.ExitStack() as stack:
        match kind:
            case "symlink":
                os.symlink(written(place), path)
            case "dangling":
                os.symlink(b"nowhere", path)
            case "loop":
                os.symlink(b"thing", path)
            case "fifo":
                os.mkfifo(path)
            case "socket":
                listener = stack.enter_context(socket.socket(socket.AF_UNIX))
                monkeypatch.chdir(os.fsdecode(place))  # the path of a socket has 108 bytes at most
                listener.bind(b"thing")
            case "folder":
                os.mkdir(path)
        with pytest.raises(NotAFileError):
            grasp_blocking(path, lease=True)


def test_a_missing_file_is_an_os_error(place):
    with pytest.raises(FileNotFoundError):
        grasp_blocking(os.path.join(place, b"none"), lease=True)


def test_no_descriptor_is_lost_when_a_grasp_fails(place):
    before = len(os.listdir("/proc/self/fd"))
    os.mkfifo(os.path.join(place, b"fifo"))
    path = written(place)
    with open(path, "ab"):
        for name in (b"fifo", b"file", b"none"):
            with pytest.raises((NotAFileError, BusyError, FileNotFoundError)):
                grasp_blocking(os.path.join(place, name), lease=True)
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_writer_refuses_the_lease_under_any_name(place):
    path = written(place)
    os.link(path, os.path.join(place, b"second"))
    with open(os.path.join(place, b"second"), "ab"), pytest.raises(BusyError):
        grasp_blocking(path, lease=True)


def test_a_writable_mapping_refuses_the_lease_after_close(place):
    path = written(place, b"x" * 4096)
    with open(path, "r+b") as file:
        mapping = mmap.mmap(file.fileno(), 4096)
    try:
        with pytest.raises(BusyError):
            grasp_blocking(path, lease=True)
    finally:
        mapping.close()


def test_a_pipe_has_no_leases():
    reading, writing = os.pipe()
    try:
        assert lease_blocking(reading) is None
    finally:
        os.close(reading)
        os.close(writing)


def test_a_lease_is_not_taken_while_its_break_would_kill():
    program = (
        "import os, signal, sys; from checkfirst.vault.grip import lease_blocking;"
        "signal.signal(signal.SIGIO, signal.SIG_DFL);"  # what is ignored stays so through exec
        "lease_blocking(os.open(sys.executable, os.O_RDONLY))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert b"ignore_lease_breaks() must come before" in done.stderr


def test_sigio_is_harmless_here():
    os.kill(os.getpid(), signal.SIGIO)
    assert signal.getsignal(signal.SIGIO) is signal.SIG_IGN


def test_a_writer_that_waits_breaks_the_lease(place):
    path = written(place)
    with grasp_blocking(path, lease=True) as grip:
        with pytest.raises(BlockingIOError):
            os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        assert not grip.unchanged_blocking()
        with pytest.raises(ChangedError):
            digest_blocking(grip)


def test_a_writer_waits_until_the_grip_is_closed(place):
    path = written(place)
    grip = grasp_blocking(path, lease=True)
    began = threading.Event()

    def write() -> None:
        began.set()
        with open(path, "wb") as file:
            file.write(b"later")

    writer = threading.Thread(target=write)
    writer.start()
    began.wait()
    assert digest_blocking_or_changed(grip) in (hashlib.sha256(b"content").hexdigest(), None)
    grip.close()
    writer.join()
    with open(path, "rb") as file:
        assert file.read() == b"later"


def digest_blocking_or_changed(grip):
    try:
        return digest_blocking(grip)
    except ChangedError:
        return None


@pytest.mark.parametrize(
    "size", [0, 1, HEAD, HEAD + 1, 64 * 1024, 64 * 1024 + 1, CHUNK, CHUNK + 1, 3 * CHUNK - 1]
)
def test_digests_and_head_are_those_of_the_bytes(place, size):
    data = os.urandom(size)
    with grasp_blocking(written(place, data), lease=True) as grip:
        wanted = (hashlib.sha256(data).hexdigest(),)
        assert digests_and_head_blocking(grip, ()) == (wanted, data[:HEAD])
        wanted += (hashlib.md5(data).hexdigest(), hashlib.sha1(data).hexdigest())
        assert digests_and_head_blocking(grip, ["md5", "sha1"]) == (wanted, data[:HEAD])
        assert head_blocking(grip) == data[:HEAD]


@pytest.mark.parametrize("size", [10, CHUNK * 2])
@pytest.mark.parametrize("change", ["longer", "shorter", "same size", "chmod"])
def test_a_change_without_lease_is_noticed_by_the_stamp(place, size, change):
    path = written(place, b"a" * size)
    with grasp_blocking(path, lease=False) as grip:
        match change:
            case "longer":
                with open(path, "ab") as file:
                    file.write(b"b")
            case "shorter":
                os.truncate(path, size - 1)
            case "same size":
                times = os.stat(path)
                with open(path, "r+b") as file:
                    file.write(b"b")
                os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))  # forged; ctime is not
            case "chmod":
                os.chmod(path, 0o600)
        assert not grip.unchanged_blocking()
        with pytest.raises(ChangedError):
            digest_blocking(grip)


def test_rebase_accepts_our_own_rename_and_nothing_more(place):
    path = written(place)
    with grasp_blocking(path, lease=False) as grip:
        os.rename(path, path + b"2")
        os.chmod(path + b"2", 0o600)
        assert grip.rebase_blocking().mode & 0o777 == 0o600
        assert grip.unchanged_blocking()
        with open(path + b"2", "ab") as file:
            file.write(b"more")
        with pytest.raises(ChangedError):
            grip.rebase_blocking()


def test_a_long_read_can_be_stopped(place):
    path = os.path.join(place, b"large")
    with open(path, "wb") as file:
        file.truncate(1 << 40)
    with grasp_blocking(path, lease=True) as grip, pytest.raises(StoppedError):
        digest_blocking(grip, lambda: True)


def test_a_long_read_ends_soon_after_a_writer_wants_in(place):
    path = os.path.join(place, b"large")
    with open(path, "wb") as file:
        file.truncate(1 << 40)
    with grasp_blocking(path, lease=True) as grip:

        def somebody_writes() -> bool:
            with contextlib.suppress(BlockingIOError):
                os.open(path, os.O_WRONLY | os.O_NONBLOCK)
            return False

        with pytest.raises(ChangedError):
            digest_blocking(grip, somebody_writes)


def test_insisting_opens_our_own_sealed_file_even_without_privilege(place, as_nobody):
    path = written(place, b"sealed")
    os.chmod(path, 0)
    os.chown(path, 65534, 65534)

    def look() -> bool:
        with contextlib.suppress(PermissionError):
            grasp_blocking(path, lease=False).close()
            return False
        with grasp_blocking(path, lease=True, insist=True) as grip:
            return grip.leased and os.read(grip.descriptor, 9) == b"sealed"

    assert as_nobody(look)


def test_insisting_does_not_open_what_is_not_ours(place, as_nobody):
    path = written(place, b"sealed")
    os.chmod(path, 0)

    def look() -> bool:
        try:
            grasp_blocking(path, lease=False, insist=True).close()
        except PermissionError:
            return True
        return False

    assert as_nobody(look)


def test_somebody_elses_file_has_no_lease_but_can_be_read(place, as_nobody):
    path = written(place)
    os.chmod(path, 0o644)

    def look() -> bool:
        with grasp_blocking(path, lease=True) as grip:
            return (
                grip.lease is None
                and digest_blocking(grip) == hashlib.sha256(b"content").hexdigest()
            )

    assert as_nobody(look)


def test_closing_twice_does_no_harm(place):
    grip = grasp_blocking(written(place), lease=True)
    grip.close()
    grip.close()
    assert grip.descriptor == -1


def test_a_hash_by_path_can_be_stopped_and_is_none_where_there_is_no_file(place):
    path = os.path.join(place, b"large")
    with open(path, "wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(StoppedError):
        hash_of_blocking(path, stopped=lambda: True)
    assert hash_of_blocking(path + b"2") is None
    assert hash_of_blocking(place) is None
    assert hash_of_blocking(written(place)) == hashlib.sha256(b"content").hexdigest()


def test_a_disk_that_cannot_be_read_is_an_os_error_and_no_hash(place, unreadable):
    path = written(place)
    unreadable(path)
    with grasp_blocking(path, lease=False) as grip, pytest.raises(OSError, match="Input/output"):
        head_blocking(grip)
    assert hash_of_blocking(path) is None


def test_a_system_without_leases_gives_none(place, monkeypatch):
    monkeypatch.setattr(grip_module, "_SET_LEASE", None)
    with open(written(place), "rb") as file:
        assert lease_blocking(file.fileno()) is None
