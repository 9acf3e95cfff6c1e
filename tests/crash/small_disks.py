"""Folders on filesystems of their own, so that files get there by copy."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest


@contextmanager
def disks(folders: Sequence[Path], mebibytes: int) -> Iterator[None]:
    """Make the folders and mount one on each; skips where that is not allowed."""
    with ExitStack() as mounted:
        for folder in folders:
            folder.mkdir()
            command = ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "tmpfs", folder]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                pytest.skip(f"mount is not possible here: {done.stderr.strip()}")
            mounted.callback(subprocess.run, ["umount", "-l", folder], check=True)
        yield
