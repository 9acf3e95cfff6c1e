"""A folder whose server is away: a FUSE filesystem that nobody ever answers for. Linux, as root."""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

_DETACH = 2


@contextmanager
def hung(folder: bytes) -> Iterator[None]:
    """Whoever looks at the folder sleeps in the kernel until the block is left."""
    if os.geteuid() != 0:
        pytest.skip("mounting takes root")
    libc = ctypes.CDLL(None, use_errno=True)
    try:
        descriptor = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        pytest.skip(f"no FUSE here: {error.strerror}")
    options = b"fd=%d,rootmode=40000,user_id=0,group_id=0" % descriptor
    if libc.mount(b"hung", folder, b"fuse", 0, options):
        os.close(descriptor)
        pytest.skip(f"mounting is not allowed here: {os.strerror(ctypes.get_errno())}")
    try:
        yield
    finally:
        os.close(descriptor)  # all who sleep are woken with an error
        libc.umount2(folder, _DETACH)
