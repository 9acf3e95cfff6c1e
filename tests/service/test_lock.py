import os
import subprocess
import sys

import pytest

from checkfirst.errors import AlreadyRunningError, Problem
from checkfirst.service.lock import hang_up, only_one, running_pid

HOLD = """
import sys
from pathlib import Path
from checkfirst.service.lock import hang_up, only_one, running_pid
with only_one(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def other(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_daemon_is_refused_with_the_first_ones_pid(tmp_path, other):
    with pytest.raises(AlreadyRunningError) as refused, only_one(tmp_path):
        pass
    assert f"process {other.pid}" in str(refused.value)
    assert refused.value.to_do


def test_the_pid_of_the_running_one_is_told(tmp_path, other):
    assert running_pid(tmp_path) == other.pid


def test_a_killed_daemon_blocks_nobody(tmp_path, other):
    other.kill()
    other.wait()
    assert running_pid(tmp_path) is None
    with only_one(tmp_path):
        pass


def test_nobody_runs_where_nobody_ever_ran(tmp_path):
    assert running_pid(tmp_path) is None


def test_looking_does_not_keep_a_daemon_from_starting(tmp_path):
    for _ in range(50):
        assert running_pid(tmp_path) is None
        with only_one(tmp_path):
            pass


def test_a_state_folder_that_cannot_be_written_to_is_told_of(tmp_path):
    (tmp_path / "state").write_text("a file")
    with pytest.raises(Problem, match="cannot be written to"), only_one(tmp_path / "state"):
        pass


def test_a_number_of_another_world_is_not_signalled(tmp_path):
    """As where a container shares the state folder: its pid means somebody else out here."""
    with (
        subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as innocent,
        only_one(tmp_path),
    ):
        (tmp_path / "daemon.lock").write_text(str(innocent.pid))
        assert running_pid(tmp_path) == innocent.pid
        assert hang_up(tmp_path) is False
        innocent.communicate(b"\n")
        assert innocent.returncode == 0


def test_a_daemon_that_holds_the_lock_is_signalled(tmp_path):
    code = (
        "import pathlib, signal, sys\n"
        "from checkfirst.service.lock import only_one\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGHUP])\n"
        "with only_one(pathlib.Path(sys.argv[1])):\n"
        "    print('held', flush=True)\n"
        "    signal.sigwait([signal.SIGHUP])\n"
    )
    assert hang_up(tmp_path) is False
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    ) as daemon:
        assert daemon.stdout.readline() == b"held\n"
        assert hang_up(tmp_path) is True
        assert daemon.wait(10) == 0
