"""Reading from pipes that nobody writes to, and a Ctrl-C that comes at the worst moment."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from checkfirst import interruptible

SOON, TOO_LATE = 0.2, 5.0


@pytest.fixture
def standard_input(monkeypatch):
    """A pipe in place of standard input; the end that is written to."""
    reads, writes = os.pipe()
    with os.fdopen(reads) as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        yield writes
    os.close(writes)


@contextmanager
def ctrl_c_that_does_not_wake(write) -> Iterator[threading.Event]:
    """A SIGINT that another thread gets: Python notes it, and read(2) in this one goes on.

    That is how one looks that comes just before read(2) begins. When it was not heard, `write`
    ends the reading; whether that was needed is given.
    """
    heard, needed = threading.Event(), threading.Event()

    def press() -> None:
        heard.wait(SOON)  # until the other one reads; sooner it would be heard in any case
        signal.pthread_kill(threading.get_ident(), signal.SIGINT)
        if not heard.wait(TOO_LATE):
            needed.set()
            write()

    thread = threading.Thread(target=press)
    thread.start()
    try:
        yield needed
    finally:
        heard.set()
        thread.join()


def test_one_ctrl_c_ends_the_wait_for_standard_input(standard_input):
    with (
        ctrl_c_that_does_not_wake(lambda: os.write(standard_input, b"x" * 5000)) as needed,
        interruptible.standard_input() as stream,
        pytest.raises(KeyboardInterrupt),
    ):
        stream.read(5000)
    assert not needed.is_set()
    assert signal.set_wakeup_fd(-1) == -1


def test_one_ctrl_c_ends_the_wait_for_a_pipe_that_nobody_has_opened_yet(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with (
        ctrl_c_that_does_not_wake(lambda: pipe.write_bytes(b"x")) as needed,
        pytest.raises(KeyboardInterrupt),
        interruptible.open_blocking(pipe) as stream,
    ):
        stream.read(1)
    assert not needed.is_set()


def test_a_signal_that_ends_nothing_does_not_end_the_reading(standard_input):
    heard = []

    def note(*_: object) -> None:
        heard.append(threading.current_thread())
        os.write(standard_input, b"a line\n")

    before = signal.signal(signal.SIGUSR1, note)
    try:
        thread = threading.Thread(
            target=lambda: signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)
        )
        thread.start()
        assert interruptible.line_of_standard_input(100) == "a line\n"
        thread.join()
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert heard == [threading.main_thread()]


def test_what_comes_in_pieces_is_read_to_its_end(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    content = os.urandom(300_000)

    def write() -> None:
        with pipe.open("wb", buffering=0) as stream:
            for at in range(0, len(content), 7000):
                stream.write(content[at : at + 7000])

    thread = threading.Thread(target=write)
    thread.start()
    with interruptible.open_blocking(pipe) as stream:
        assert stream.peek(4)[:4] == content[:4]
        assert stream.read(200_000) == content[:200_000]
        assert stream.read() == content[200_000:]
        assert stream.read(1) == b""
    thread.join()


def test_files_are_read_as_ever_and_what_is_none_is_refused(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"abc\ndef")
    with interruptible.open_blocking(path) as stream:
        assert os.fstat(stream.fileno()).st_size == 7
        assert stream.readlines() == [b"abc\n", b"def"]
    before = set(os.listdir("/proc/self/fd"))
    for wrong in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(OSError, match=r"Is a directory|No such file"):
            interruptible.open_blocking(wrong)
    assert set(os.listdir("/proc/self/fd")) == before


def test_a_thread_that_hears_no_signals_reads_as_well(standard_input):
    os.write(standard_input, b"\xff key\n")
    lines = []
    thread = threading.Thread(target=lambda: lines.append(interruptible.line_of_standard_input(4)))
    thread.start()
    thread.join()
    assert lines == ["\\xff ke"]


def test_standard_input_stays_open(standard_input):
    os.write(standard_input, b"a\n")
    assert interruptible.line_of_standard_input(10) == "a\n"
    os.write(standard_input, b"b\n")
    assert interruptible.line_of_standard_input(10) == "b\n"
