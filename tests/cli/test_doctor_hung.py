"""A mount behind which nobody answers, as a network share whose server is gone: a FUSE filesystem
that is mounted and never served, so that whoever looks at it waits for ever."""

import ctypes
import os
import subprocess
import sys

import pytest

MNT_DETACH = 2


@pytest.fixture
def dead_downloads(tmp_path):
    """A home whose Downloads hang."""
    libc = ctypes.CDLL(None, use_errno=True)
    mount = os.fsencode(tmp_path / "Downloads")
    os.mkdir(mount)
    try:
        descriptor = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        pytest.skip(f"no FUSE here: {error.strerror}")
    try:
        options = b"fd=%d,rootmode=40000,user_id=0,group_id=0" % descriptor
        if libc.mount(b"dead", mount, b"fuse", 0, options):
            pytest.skip(f"no mount here: {os.strerror(ctypes.get_errno())}")
        try:
            yield tmp_path
        finally:
            libc.umount2(mount, MNT_DETACH)
    finally:
        os.close(descriptor)  # whoever still waits gets an error now


@pytest.mark.story
def test_a_dead_mount_is_named_and_hangs_nobody(dead_downloads):
    done = subprocess.run(
        [sys.executable, "-m", "checkfirst", "doctor", "--offline"],
        cwd="/",
        env={
            "HOME": str(dead_downloads),
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        },
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert "A folder that the settings name does not answer" in done.stdout
    hung = done.stdout.split("The folder does not answer within 5 seconds\n")[1]
    assert hung.splitlines()[0].strip() == str(dead_downloads / "Downloads")
    assert "The quarantine folder is not there yet" in done.stdout
    assert "There is no VirusTotal API key" in done.stdout
