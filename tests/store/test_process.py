import os
import signal
import subprocess
import sys

from checkfirst.store.process import is_alive, process_id

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
