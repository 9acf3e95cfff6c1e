"""Who works on a row: a name for a running process that no later one can bear."""

import os
from pathlib import Path

_PROC = Path("/proc")


def process_id() -> str:
    """`pid:start:boot` of this process; `pid` alone where there is no /proc."""
    return _identity_blocking(os.getpid()) or str(os.getpid())


def is_alive(process: str) -> bool:
    """Whether the process that called itself so still runs; a zombie does not.

    Without /proc a pid may have been given to another process since; its work then waits until
    that one has ended.
    """
    pid = process.partition(":")[0]
    if not (pid.isascii() and pid.isdigit() and int(pid) > 0):
        return False
    if _PROC.joinpath("self", "stat").exists():
        return _identity_blocking(int(pid)) == process
    return _answers(int(pid))


def _identity_blocking(pid: int) -> str | None:
    """The start time counts in ticks since boot (proc(5), field 22), so the boot is named too."""
    try:
        stat = _PROC.joinpath(str(pid), "stat").read_bytes()
        boot = _PROC.joinpath("sys", "kernel", "random", "boot_id").read_text("ascii")
    except OSError:
        return None
    # The second field, the program's name, may hold spaces and brackets.
    fields = stat.rpartition(b")")[2].split()
    state, started = fields[0], fields[19]
    if state in (b"Z", b"X"):
        return None
    return f"{pid}:{started.decode()}:{boot[:8]}"


def _answers(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
