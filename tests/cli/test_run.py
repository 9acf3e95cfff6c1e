import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-m", "checkfirst"]


def environment(home: Path, **more: str) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("CHECKFIRST_", "XDG_")) and name != "CREDENTIALS_DIRECTORY"
    }
    return {**kept, "HOME": str(home), **more}


def run(home: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=home,
        env=environment(home, **more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=15,
    )


@pytest.mark.story
def test_without_a_key_and_a_person_to_ask_it_says_the_three_ways_and_takes_nothing(tmp_path):
    (tmp_path / "Downloads").mkdir()
    (tmp_path / "Downloads" / "new.exe").write_bytes(b"MZ")
    ended = run(tmp_path, "run")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "There is no VirusTotal API key" in ended.stderr
    for way in ("checkfirst key set", "CHECKFIRST_VIRUSTOTAL__API_KEY=", "api_key_file"):
        assert way in ended.stderr
    assert "\\x0a" not in ended.stderr
    assert (tmp_path / "Downloads" / "new.exe").exists()
    assert not (tmp_path / ".local").exists()


@pytest.mark.story
def test_a_key_that_cannot_be_one_is_not_shown(tmp_path):
    key_file = tmp_path / "key"
    key_file.write_text("not a key but a secret")
    key_file.chmod(0o600)
    (tmp_path / "settings.yaml").write_text("virustotal: {api_key_file: key}\n")
    ended = run(tmp_path, "run")
    assert ended.returncode == 2
    assert "blanks" in ended.stderr
    assert "secret" not in ended.stderr


@pytest.mark.story
def test_a_wrong_option_is_a_wrong_command(tmp_path):
    ended = run(tmp_path, "run", "--mode", "reckless", CHECKFIRST_VIRUSTOTAL__API_KEY="k" * 64)
    assert ended.returncode == 2
    assert "stop-unknowns" in ended.stderr


class Terminal:
    """A person at a terminal."""

    def __init__(self, home: Path) -> None:
        self.seen = ""
        self._read_to = 0
        self._master, slave = pty.openpty()
        try:
            self.process = subprocess.Popen(
                [*COMMAND, "run", "--watch", "incoming", "--mode", "stop-unknowns"],
                cwd=home,
                env=environment(home, COLUMNS="400"),  # lines are looked for whole
                stdin=slave,
                stdout=slave,
                stderr=slave,
                start_new_session=True,
            )
        finally:
            os.close(slave)
        os.set_blocking(self._master, False)

    def wait_for(self, text: str) -> None:
        """After what was waited for before."""
        end = time.monotonic() + 10
        while (at := self.seen.find(text, self._read_to)) < 0:
            assert time.monotonic() < end, self.seen
            try:
                self.seen += os.read(self._master, 4096).decode()
            except BlockingIOError:
                time.sleep(0.02)
        self._read_to = at + len(text)

    def type(self, line: str) -> None:
        os.write(self._master, line.encode() + b"\n")

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._master)


@pytest.mark.story
def test_at_a_terminal_it_asks_for_the_key_hides_it_keeps_it_and_starts(tmp_path):
    (tmp_path / "incoming").mkdir()
    terminal = Terminal(tmp_path)
    try:
        terminal.wait_for("API key (it is not shown):")
        assert "https://www.virustotal.com/gui/my-apikey" in terminal.seen
        terminal.type("has a blank")
        terminal.wait_for("This can be no key")
        terminal.wait_for("API key (it is not shown):")
        terminal.type("key-of-a-person")
        terminal.wait_for("Keep it")
        terminal.type("y")
        terminal.wait_for("mode stop-unknowns")
        assert f"{tmp_path}/incoming" in terminal.seen
        terminal.process.terminate()
        assert terminal.process.wait(10) == 0
    finally:
        terminal.close()
    kept = tmp_path / ".config" / "checkfirst" / "virustotal.key"
    assert (kept.read_text(), kept.stat().st_mode & 0o777) == ("key-of-a-person\n", 0o600)
    assert "key-of-a-person" not in terminal.seen


@pytest.mark.story
def test_a_terminal_gets_long_lines_wrapped_below_their_text(tmp_path):
    (tmp_path / "Downloads").mkdir()
    (tmp_path / "settings.yaml").write_text("sources: [lists, remembered, known-good]\n")
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 72, 0, 0))
    surroundings = environment(tmp_path, TERM="xterm")
    surroundings.pop("COLUMNS", None)
    surroundings.pop("NO_COLOR", None)
    surroundings.pop("FORCE_COLOR", None)
    daemon = subprocess.Popen(
        [*COMMAND, "run"], cwd=tmp_path, env=surroundings, stdin=subprocess.DEVNULL, stdout=theirs
    )
    os.close(theirs)
    seen = b""
    try:
        while b"releases" not in seen:
            seen += os.read(ours, 4096)
    finally:
        daemon.terminate()
        daemon.wait(15)
        os.close(ours)
    assert b"\x1b[36mwatching\x1b[0m" in seen
    lines = re.sub(r"\x1b\[\d+m", "", seen.decode()).split("\r\n")
    assert max(map(len, lines)) <= 72
    assert any(line.startswith(" " * 35) for line in lines)
