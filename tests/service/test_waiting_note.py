import os
import resource
import signal
import time

import pytest

from checkfirst.model import Arrival, Outlook, State
from checkfirst.service.waiting_note import Waits, note_blocking

HASH = "ab" * 32


def _waits(*names: bytes) -> Waits:
    rows = tuple(
        Arrival(n, State.WAITING, b"/d", b"/d/" + name, sha256=HASH)
        for n, name in enumerate(names, 1)
    )
    return Waits(rows, {HASH: Outlook(HASH, "VirusTotal's daily quota is spent", 1_764_028_800.0)})


def test_it_says_which_file_why_and_until_when(tmp_path, monkeypatch):
    monkeypatch.setenv("TZ", "Europe/Paris")
    time.tzset()
    note_blocking(os.fsencode(tmp_path), _waits(b"a\nb.pdf"))
    monkeypatch.undo()
    time.tzset()
    text = (tmp_path / "Waiting.txt").read_text()
    until = "until about 2025-11-25 01:00 (UTC+0100)"
    assert f"a\\x0ab.pdf: VirusTotal's daily quota is spent, {until}" in text


def test_it_goes_when_nobody_waits_any_more(tmp_path):
    note_blocking(os.fsencode(tmp_path), _waits(b"a"))
    note_blocking(os.fsencode(tmp_path), _waits())
    assert os.listdir(tmp_path) == []


def test_a_file_of_that_name_that_is_not_ours_is_never_touched(tmp_path):
    mine = tmp_path / "Waiting.txt"
    mine.write_bytes(b"\xffdownloaded")
    note_blocking(os.fsencode(tmp_path), _waits(b"a"))
    note_blocking(os.fsencode(tmp_path), _waits())
    assert mine.read_bytes() == b"\xffdownloaded"


def test_a_released_file_with_the_name_of_a_half_made_note_is_not_touched(tmp_path):
    download = tmp_path / ".checkfirst-Waiting.txt"
    download.write_text("released")
    note_blocking(os.fsencode(tmp_path), _waits(b"a"))
    note_blocking(os.fsencode(tmp_path), _waits(b"a", b"b"))
    assert "\nb: " in (tmp_path / "Waiting.txt").read_text()
    assert download.read_text() == "released"
    assert sorted(os.listdir(tmp_path)) == [".checkfirst-Waiting.txt", "Waiting.txt"]


def test_a_full_disk_leaves_nothing_half_made(tmp_path):
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16, limit[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            note_blocking(os.fsencode(tmp_path), _waits(b"a"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, handler)
    assert os.listdir(tmp_path) == []


def test_a_link_of_that_name_is_not_followed(tmp_path):
    target = tmp_path / "target"
    target.write_text("checkfirst holds these files until they have been judged.\n")
    (tmp_path / "Waiting.txt").symlink_to(target)
    note_blocking(os.fsencode(tmp_path), _waits(b"a"))
    note_blocking(os.fsencode(tmp_path), _waits())
    assert target.read_text() == "checkfirst holds these files until they have been judged.\n"
    assert (tmp_path / "Waiting.txt").is_symlink()


def test_many_are_counted(tmp_path):
    note_blocking(os.fsencode(tmp_path), _waits(*(b"%d" % n for n in range(150))))
    text = (tmp_path / "Waiting.txt").read_text()
    assert "... and 50 more" in text
