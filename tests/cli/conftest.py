"""Commands are run on folders of the test's own."""

import os
import subprocess
import sys

import pytest

from checkfirst.cli.main import run_blocking
from checkfirst.vault.grip import ignore_lease_breaks
from tests.cli.journal_scene import Scene


@pytest.fixture
def scene(tmp_path, monkeypatch):
    """A settings file in the current folder, and nothing of the person's own anywhere."""
    ignore_lease_breaks()
    for name in ("CHECKFIRST_SETTINGS", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Downloads").mkdir()
    (tmp_path / "settings.yaml").write_text(
        "watch: [Downloads]\nreleased: Downloads/Released\nquarantine: quarantine\nstate: state\n"
    )
    return Scene(tmp_path)


@pytest.fixture
def run(capsys):
    """Run a command line; its exit code, what it printed, and what it said on stderr."""

    def one(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run_blocking(arguments)
        told = capsys.readouterr()
        return code, told.out, told.err

    return one


@pytest.fixture
def act(scene):
    """The same as a process of its own, with nobody to be asked: for commands with a loop."""
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    code = "from checkfirst.cli.main import entry; entry()"

    def one(*arguments: str) -> tuple[int, str, str]:
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            env=environ,
        )
        return done.returncode, done.stdout, done.stderr

    return one
