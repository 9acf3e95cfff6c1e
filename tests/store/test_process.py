import os
import signal
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from checkfirst.store import process
from checkfirst.store.process import is_alive, process_id

NOWHERE = Path("/nowhere")
SAY = "from checkfirst.store.process import process_id; print(process_id(), flush=True); input()"


def test_we_are_alive_and_always_called_the_same():
    assert process_id() == process_id()
    assert process_id().startswith(f"{os.getpid()}:")
    assert is_alive(process_id())


def test_our_pid_with_another_start_is_somebody_else():
    assert not is_alive(f"{os.getpid()}:1")
    assert not is_alive(process_id() + "0")


def test_nonsense_is_not_alive():
    assert not any(map(is_alive, ("", ":", "0:1", "-1:5", "x:y", "99999999:1", "²:1")))


def test_a_killed_process_is_dead_even_before_its_parent_looks():
    child = subprocess.Popen(
        [sys.executable, "-c", SAY],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    with child:
        name = child.stdout.readline().decode().strip()
        assert is_alive(name)
        child.send_signal(signal.SIGKILL)
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert not is_alive(name)


def test_without_proc_a_pid_is_all_there_is(monkeypatch):
    monkeypatch.setattr(process, "_PROC", NOWHERE)
    assert process_id() == str(os.getpid())
    assert is_alive(process_id())
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    assert not is_alive(str(child.pid))
    assert is_alive("9" * 30)  # no system tells that it is not


def test_without_proc_somebody_elses_process_is_alive(monkeypatch):
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    monkeypatch.setattr(process, "_PROC", NOWHERE)
    others = os.getpid()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # fork beside threads, from 3.12
        child = os.fork()
    if child == 0:
        code = 1
        try:
            os.setuid(65534)
            code = 0 if is_alive(str(others)) else 1
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
