import hashlib
import os
import shutil
import stat
import tempfile
import zipfile

import pytest

from checkfirst.model import Arrival, State
from checkfirst.vault.export import PASSWORD, export_blocking
from checkfirst.vault.problems import DiskError, TamperedError

DATA = b"what was quarantined"
SHA = hashlib.sha256(DATA).hexdigest()
NOBODY = 65534


@pytest.fixture
def folder():
    """A folder of somebody who is not root, for whom mode 0000 means what it says."""
    path = tempfile.mkdtemp()
    os.mkdir(f"{path}/file")
    with open(f"{path}/file/payload.quarantined", "wb") as file:
        file.write(DATA)
    os.chmod(f"{path}/file/payload.quarantined", 0)
    if os.geteuid() == 0:
        for each in (path, f"{path}/file", f"{path}/file/payload.quarantined"):
            os.chown(each, NOBODY, NOBODY)
    yield os.fsencode(path)
    shutil.rmtree(path)


def as_somebody(work) -> int:
    """Run it in a process of its own without root's rights; its exit code."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            if os.geteuid() == 0:
                os.setegid(NOBODY)
                os.seteuid(NOBODY)
            code = work()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_the_payload_is_unreadable_again_before_the_first_byte_is_read(folder):
    payload = folder + b"/file/payload.quarantined"
    row = Arrival(1, State.QUARANTINED, b"", b"/d/x", sha256=SHA, destination=folder + b"/file")

    def work():
        modes = []

        def read(_):
            modes.append(stat.S_IMODE(os.stat(payload).st_mode))

        done = export_blocking([row], folder, lambda _: b"a.zip", read)
        return 0 if done.path and modes == [0] else 1

    assert as_somebody(work) == 0
    assert stat.S_IMODE(os.stat(payload).st_mode) == 0
    with zipfile.ZipFile(os.fsdecode(folder + b"/a.zip")) as file:
        assert file.read(SHA, PASSWORD) == DATA


def test_a_payload_that_grows_as_fast_as_it_is_read_is_left_out(folder):
    payload = folder + b"/file/payload.quarantined"
    row = Arrival(1, State.QUARANTINED, b"", b"/d/x", sha256=SHA, destination=folder + b"/file")

    def grow(_):
        with open(payload, "ab") as file:
            file.write(b"more")

    if os.geteuid() != 0:
        pytest.skip("only root can write to a sealed payload")
    done = export_blocking([row], folder, lambda _: b"a.zip", grow)
    assert done.path is None
    assert [type(problem) for _, problem in done.problems] == [TamperedError]
    assert os.listdir(folder) == [b"file"]


def test_a_payload_that_cannot_be_read_is_left_out_with_its_reason(folder, unreadable):
    unreadable(folder + b"/file/payload.quarantined")
    row = Arrival(1, State.QUARANTINED, b"", b"/d/x", sha256=SHA, destination=folder + b"/file")
    done = export_blocking([row], folder, lambda _: b"a.zip", lambda _: None)
    assert done.path is None
    ((_, problem),) = done.problems
    assert "read the file in the quarantine" in problem.title
    assert os.listdir(folder) == [b"file"]


def test_a_payload_of_somebody_else_is_left_out_with_its_reason(folder):
    if os.geteuid() != 0:
        pytest.skip("only root can have what is somebody else's")
    os.chown(folder + b"/file/payload.quarantined", 0, 0)
    row = Arrival(1, State.QUARANTINED, b"", b"/d/x", sha256=SHA, destination=folder + b"/file")

    def work():
        done = export_blocking([row], folder, lambda _: b"a.zip", lambda _: None)
        ((_, problem),) = done.problems
        return 0 if "permission is denied" in str(problem) and done.path is None else 1

    assert as_somebody(work) == 0


def test_a_full_disk_leaves_no_zip_and_is_told(folder, mount):
    data = os.urandom(600_000)
    sha256 = hashlib.sha256(data).hexdigest()
    with open(folder + b"/file/payload.quarantined", "wb") as file:
        file.write(data)
    row = Arrival(1, State.QUARANTINED, b"", b"/d/x", sha256=sha256, destination=folder + b"/file")
    full = mount(b"full", "-t", "tmpfs", "-o", "size=400k")
    with pytest.raises(DiskError, match="write the zip"):
        export_blocking([row], full, lambda _: b"a.zip", lambda _: None)
    assert os.listdir(full) == []
