import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from checkfirst.simulator.quota import Limits
from checkfirst.simulator.server import Simulator
from checkfirst.simulator.thread import simulator_in_thread
from tests.stories.house import House


def says(home: Path, *words: str, given: str = "") -> subprocess.CompletedProcess[str]:
    environment = {"HOME": str(home), "PATH": os.environ["PATH"]}
    return subprocess.run(
        [sys.executable, "-m", "checkfirst", *words],
        cwd=home,
        env={**environment, "PYTHONPATH": os.pathsep.join(sys.path)},
        input=given,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


def test_a_key_is_kept_private_never_shown_and_removed(tmp_path):
    kept = tmp_path / ".config" / "checkfirst" / "virustotal.key"
    done = says(tmp_path, "key", "set", given="a-secret-key-0123456789\n")
    assert done.returncode == 0, done.stderr
    assert kept.read_text().strip() == "a-secret-key-0123456789"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert "a-secret" not in done.stdout + done.stderr
    assert says(tmp_path, "key", "clear").returncode == 0
    assert not kept.exists()
    assert "no key" in says(tmp_path, "key", "clear").stdout


def test_an_empty_key_is_refused(tmp_path):
    done = says(tmp_path, "key", "set", given="\n")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("key", "is_usual"), [("k" * 64, True), ("k" * 63, False), ("pass-word" * 7 + "k", False)]
)
def test_what_does_not_look_like_a_key_is_kept_and_told_of(tmp_path, key, is_usual):
    done = says(tmp_path, "key", "set", given=f" {key} \n")
    assert done.returncode == 0
    assert ("and this one is not" in done.stderr) is not is_usual
    assert ("checkfirst key test" in done.stderr) is not is_usual
    assert key not in done.stdout + done.stderr


@pytest.fixture
def simulator():
    with simulator_in_thread(
        Simulator(keys=["right-key"], limits=Limits(4, 500, 15500))
    ) as running:
        yield running


def account(home: Path, url: str, **more: int) -> None:
    virustotal = {"url": url, "retry": {"first": "1s"}, **more}
    (home / "settings.yaml").write_text(json.dumps({"virustotal": virustotal, "state": "state"}))


@pytest.mark.parametrize(
    ("key", "code", "result"), [("right-key", 0, "accepted"), ("wrong-key", 1, "refused")]
)
def test_a_key_is_tried_with_one_request_that_the_ledger_knows(
    tmp_path, simulator, key, code, result
):
    account(tmp_path, simulator.url)
    says(tmp_path, "--settings", "settings.yaml", "key", "set", given=f"{key}\n")
    done = says(tmp_path, "--settings", "settings.yaml", "key", "test", "--json")
    told = json.loads(done.stdout)
    assert (done.returncode, told["result"]) == (code, result), done.stderr
    assert told["from"].endswith("virustotal.key")
    assert key not in done.stdout + done.stderr
    assert len(simulator.requests) == 1
    status = json.loads(says(tmp_path, "status", "--json").stdout)
    assert status["quota"]["day"]["used"] == 1


def test_a_spent_quota_is_waited_for_by_nobody(tmp_path, simulator):
    account(tmp_path, simulator.url, per_minute=1)
    says(tmp_path, "key", "set", given="right-key\n")
    assert says(tmp_path, "key", "test").returncode == 0
    done = says(tmp_path, "key", "test")
    assert done.returncode == 3
    assert "quota for this minute is spent" in done.stdout
    assert "until" in done.stdout
    assert len(simulator.requests) == 1


def test_a_service_that_is_not_there_is_told_and_costs_nothing(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        account(tmp_path, f"http://127.0.0.1:{taken.getsockname()[1]}")
        says(tmp_path, "key", "set", given="right-key\n")
        done = says(tmp_path, "key", "test")
    assert done.returncode == 3
    assert "no answer" in done.stdout
    status = json.loads(says(tmp_path, "status", "--json").stdout)
    assert status["quota"]["day"]["used"] == 0


def test_without_a_key_there_is_nothing_to_try(tmp_path):
    done = says(tmp_path, "key", "test")
    assert done.returncode == 2
    assert "no VirusTotal API key" in done.stderr


LOCKED = """
class Backend:
    name, priority = "Locked Keyring", 5
    def get_password(self, service, user):
        raise KeyringLocked(service)
    set_password = delete_password = lambda self, *more: self.get_password(*more[:2])
class KeyringLocked(Exception):
    pass
get_keyring = Backend
"""


@pytest.fixture
def locked_keyring(tmp_path, monkeypatch):
    """The package `keyring`, with a keyring that nobody unlocks."""
    (tmp_path / "packages").mkdir()
    (tmp_path / "packages" / "keyring.py").write_text(LOCKED)
    monkeypatch.syspath_prepend(tmp_path / "packages")


def test_a_locked_keyring_leads_to_the_file_and_to_words(tmp_path, locked_keyring):
    for command in (("run",), ("key", "test")):
        done = says(tmp_path, *command)
        assert done.returncode == 2
        assert "The system keyring is locked: Locked Keyring" in done.stderr
    done = says(tmp_path, "key", "set", given="a-secret-key\n")
    assert done.returncode == 0
    assert "is locked" in done.stderr
    assert "virustotal.key" in done.stdout
    done = says(tmp_path, "key", "clear")
    assert done.returncode == 3
    assert "virustotal.key" in done.stdout
    assert "is locked" in done.stderr
    assert "a-secret-key" not in done.stdout + done.stderr


class Keyless(House):
    """Its daemon has to find the key by itself."""

    @property
    def environment(self) -> dict[str, str]:
        return {**super().environment, "CHECKFIRST_VIRUSTOTAL__API_KEY": ""}


@pytest.mark.story
def test_a_running_daemon_uses_a_new_key_at_once(tmp_path, simulator):
    house = Keyless(tmp_path / "home", simulator.url)
    command = ("--settings", str(house.file), "key", "set")
    says(house.home, *command, given="wrong-key\n")
    with house.running():
        house.drop("new.bin", b"something new")
        house.until_waits("new.bin", "refused")
        done = says(house.home, *command, given="right-key\n")
        assert "The running daemon uses it from now on" in done.stdout
        house.until_ended("new.bin")
