import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from checkfirst.cli.demo_daemon import Lines

COMMAND = [sys.executable, "-m", "checkfirst", "demo"]


def environment(temporary: Path) -> dict[str, str]:
    return {**os.environ, "TMPDIR": str(temporary), "HOME": str(temporary)}


def processes_in(folder: Path) -> list[str]:
    """Command lines that name the folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = entry.read_bytes()
        except OSError:  # it has ended
            continue
        if os.fsencode(folder) in line:
            found.append(line.decode(errors="replace"))
    return found


@pytest.mark.story
@pytest.mark.timeout(40)
@pytest.mark.parametrize(
    ("mode", "first_of_its_kind"), [("normal", "released"), ("stop-unknowns", "quarantined")]
)
def test_it_shows_where_every_file_ends_and_leaves_nothing(tmp_path, mode, first_of_its_kind):
    ended = subprocess.run(
        [*COMMAND, "--mode", mode],
        env=environment(tmp_path),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout + ended.stderr
    places = ended.stdout.partition("Where they are")[2]
    found = re.findall(r"^  (released|quarantined) +(\S.*)$", places, re.MULTILINE)
    ends = {name: state for state, name in found}
    assert ends == {
        "eicar.com": "quarantined",
        "annual report.pdf": "released",
        "first of its kind.txt": first_of_its_kind,
        "invoice.pdf.exe": "quarantined",
        r"caf\xe9 \u202efdp.\x1b[31mexe": "released",
    }
    for shown in ("watching", "payload.quarantined", "Why:", "checkfirst is ", "5 of 60"):
        assert shown in ended.stdout
    assert "\x1b" not in ended.stdout
    assert "***" not in ended.stdout
    address = re.compile(r"https?://\S+|/\S{70,}|\S*payload\S*")
    too_wide = [
        line for line in ended.stdout.splitlines() if len(line) > 80 and not address.search(line)
    ]
    assert too_wide == []
    assert list(tmp_path.iterdir()) == []
    assert processes_in(tmp_path) == []


@pytest.mark.story
@pytest.mark.timeout(40)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_stays_until_it_is_told_to_end_and_then_leaves_nothing(tmp_path, number):
    process = subprocess.Popen(
        [*COMMAND, "--stay"],
        env=environment(tmp_path),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with process:
        try:
            end = time.monotonic() + 25
            for line in process.stdout:
                assert time.monotonic() < end
                if line.startswith("Your turn"):
                    break
            (folder,) = tmp_path.iterdir()
            (folder / "Downloads" / "mine.txt").write_text("of my own")
            for line in process.stdout:
                assert time.monotonic() < end
                if "released" in line and "mine.txt" in line:
                    break
            process.send_signal(number)
            rest = process.stdout.read()
            assert (process.wait(15), "The end" in rest) == (0, True)
        finally:
            process.kill()
    assert list(tmp_path.iterdir()) == []
    assert processes_in(tmp_path) == []


def test_its_lines_are_read_to_the_end_before_their_pipe_is_closed(tmp_path, capsys):
    ours, theirs = os.pipe()
    with os.fdopen(ours, "rb") as stream:
        lines = Lines(stream, tmp_path)
        os.write(theirs, b"2026-11-24 21:00:11   arrived      a file\n" * 100)
        os.close(theirs)
        lines.wait(10)
    lines.show(10)
    assert lines.ended
    assert capsys.readouterr().out.count("arrived") == 100
