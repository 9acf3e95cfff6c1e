"""GNOME's keyring in a session bus of its own, through the real package `keyring`."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

KEY = "key-for-a-real-keyring"
PROGRAMS = ("dbus-run-session", "gnome-keyring-daemon")

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(
        importlib.util.find_spec("keyring") is None, reason="the extra keyring is not installed"
    ),
    pytest.mark.skipif(
        not all(map(shutil.which, PROGRAMS)), reason=f"{' and '.join(PROGRAMS)} are not installed"
    ),
]

UNLOCKED = "printf password | gnome-keyring-daemon --unlock --components=secrets >/dev/null"
LOCKED = "gnome-keyring-daemon --start --components=secrets >/dev/null"


def session(home: Path, *lines: str) -> subprocess.CompletedProcess[str]:
    """Run these lines of shell in a session bus of their own; `checkfirst` is ours."""
    runtime = home / "run"
    runtime.mkdir(mode=0o700, exist_ok=True)
    checkfirst = f'checkfirst() {{ "{sys.executable}" -m checkfirst "$@"; }}'
    kept = {k: os.environ[k] for k in ("PATH", "LANG") if k in os.environ}
    return subprocess.run(
        ["dbus-run-session", "--", "sh", "-c", "\n".join([checkfirst, *lines])],
        cwd=home,
        env={
            **kept,
            "HOME": str(home),
            "XDG_RUNTIME_DIR": str(runtime),
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )


def test_an_unlocked_keyring_keeps_the_key_and_no_file_does(tmp_path):
    kept = tmp_path / ".config/checkfirst/virustotal.key"
    kept.parent.mkdir(parents=True)
    kept.write_text("old-key\n")
    done = session(
        tmp_path,
        UNLOCKED,
        f"echo {KEY} | checkfirst key set",
        "secret-tool lookup service checkfirst username virustotal && echo",
        "checkfirst key test --json",
        "checkfirst key clear",
        "checkfirst key clear",
    )
    lines = done.stdout.splitlines()
    assert "The key is kept in the system keyring (SecretService Keyring)." in lines, done
    assert '  "from": "the system keyring (SecretService Keyring)"' in lines
    assert "The key is removed from the system keyring (SecretService Keyring)." in lines
    assert lines[-1] == "There is no key to be removed."
    assert not kept.exists()


def test_a_locked_keyring_does_not_hang_anybody(tmp_path):
    session(tmp_path, UNLOCKED, f"echo {KEY} | checkfirst key set")  # makes the keyring
    done = session(tmp_path, LOCKED, "echo new-key | checkfirst key set")
    kept = tmp_path / ".config/checkfirst/virustotal.key"
    assert f"The key is kept in {kept}." in done.stdout
    assert "The system keyring " in done.stderr
    assert kept.read_text() == "new-key\n"


def test_without_a_session_the_key_goes_into_a_file(tmp_path):
    done = session(tmp_path, "unset DBUS_SESSION_BUS_ADDRESS", f"echo {KEY} | checkfirst key set")
    assert "virustotal.key." in done.stdout
    assert "keyring" not in done.stderr
