import os
import subprocess
import sys

from checkfirst.intake.holder import UNSEEN, holders_blocking
from tests.intake.settling_bench import write


def identity(path):
    status = os.stat(path)
    return status.st_dev, status.st_ino


def test_a_writer_is_named_with_its_process(folder):
    path = write(folder + b"/file")
    with open(path, "ab"):
        said = holders_blocking({identity(path)})[identity(path)]
    assert f"(process {os.getpid()})" in said


def test_readers_do_not_count(folder):
    path = write(folder + b"/file")
    with open(path, "rb"):
        assert holders_blocking({identity(path)}) == {identity(path): UNSEEN}


def test_the_name_of_a_program_is_made_printable(folder):
    """A program may call itself anything of up to 15 bytes."""
    code = (
        "import ctypes, sys; ctypes.CDLL(None).prctl(15, b'x\\x1b[31m\\n\\xff', 0, 0, 0);"
        "f = open(sys.argv[1], 'ab'); print('open', flush=True); input()"
    )
    path = write(folder + b"/file")
    with subprocess.Popen(
        [sys.executable, "-c", code, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        child.stdout.readline()
        said = holders_blocking({identity(path)})[identity(path)]
        child.communicate(b"\n")
    assert said.isprintable()
    assert r"x\x1b[31m" in said
