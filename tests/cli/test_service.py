"""`checkfirst service` on folders of the test's own, with and without a systemctl."""

import json
import os
import sys
from pathlib import Path

import pytest

from checkfirst.cli.service import install_blocking
from checkfirst.errors import Problem
from checkfirst.service.at_login.unit import MARK

SYSTEMCTL = """\
#!/bin/sh
echo "$*" >> "{calls}"
case "$*" in
*{refuses}*) echo "no: {refuses}"; exit 1;;
esac
"""


@pytest.fixture
def unit(scene, monkeypatch, tmp_path) -> Path:
    """Where the unit goes; there is no systemctl."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path / "home" / ".config" / "systemd" / "user" / "checkfirst.service"


@pytest.fixture
def systemctl(unit, tmp_path):
    """One that notes what it is asked and refuses one word."""
    calls = tmp_path / "calls"

    def made(refuses: str = "nothing") -> Path:
        script = tmp_path / "bin" / "systemctl"
        script.write_text(SYSTEMCTL.format(calls=calls, refuses=refuses))
        script.chmod(0o755)
        return calls

    return made


@pytest.fixture
def key(unit, tmp_path):
    """A key where the service finds it too."""
    kept = tmp_path / "home" / ".config" / "checkfirst" / "virustotal.key"
    kept.parent.mkdir(parents=True)
    kept.write_text("demo\n")
    kept.chmod(0o600)


def test_a_dry_run_prints_the_unit_and_writes_nothing(run, unit):
    code, out, _ = run("service", "install", "--dry-run")
    assert code == 0
    first, second, *_ = out.splitlines()
    assert first == f"# {unit}"
    assert second == MARK
    settings = os.path.realpath("settings.yaml")
    assert f"ExecStart={sys.executable} -P -m checkfirst --settings {settings} run" in out
    assert not unit.parent.exists()


def test_without_systemctl_the_unit_is_written_with_words_what_to_do(run, unit, key):
    code, out, _ = run("service", "install")
    assert code == 0
    assert out.splitlines()[0] == f"Written: {unit}"
    assert "systemctl --user enable --now checkfirst.service" in out
    assert unit.read_text().startswith(MARK)
    assert run("service", "install")[1].startswith(f"Unchanged: {unit}")
    code, out, _ = run("service", "status", "--json")
    assert code == 0
    assert json.loads(out) == {
        "installed": True,
        "path": str(unit),
        "up_to_date": True,
        "enabled": None,
        "active": None,
    }


def test_a_unit_that_says_something_else_is_not_overwritten_unasked(run, unit, key):
    unit.parent.mkdir(parents=True)
    unit.write_text("[Service]\nExecStart=/my/own\n")
    code, _, err = run("service", "install")
    assert code == 3
    assert "--force" in err
    assert str(unit) in err
    code, out, _ = run("service", "status")
    assert code == 1
    assert "service install --force" in out
    code, _, err = run("service", "remove")
    assert code == 3
    assert "not written by checkfirst" in err
    assert unit.read_text() == "[Service]\nExecStart=/my/own\n"
    assert run("service", "install", "--force")[0] == 0
    assert unit.read_text().startswith(MARK)
    assert os.listdir(unit.parent) == [unit.name]


def test_with_systemctl_it_is_enabled_and_started(run, systemctl, key):
    calls = systemctl(refuses="is-active")
    code, out, err = run("service", "install")
    assert (code, err) == (0, "")
    assert "It runs, and starts when you log in" in out
    asked = [line.split("--no-ask-password ")[1] for line in calls.read_text().splitlines()]
    assert asked == [
        "show-environment",
        "daemon-reload",
        "enable checkfirst.service",
        "is-active checkfirst.service",
        "restart checkfirst.service",
    ]


def test_what_systemd_refuses_is_told_in_its_words(run, systemctl, key):
    systemctl(refuses="restart")
    code, _, err = run("service", "install")
    assert code == 0
    assert "It did not start: no: restart" in err


def test_without_a_key_it_is_not_started(run, systemctl, monkeypatch):
    """A variable here is none there."""
    calls = systemctl()
    monkeypatch.setenv("CHECKFIRST_VIRUSTOTAL__API_KEY", "demo")
    code, out, err = run("service", "install")
    assert code == 0
    assert "checkfirst key set && systemctl --user start checkfirst" in out
    assert "CHECKFIRST_VIRUSTOTAL__API_KEY" in err
    assert "demo" not in out + err
    assert "restart" not in calls.read_text()


def test_a_daemon_that_runs_by_hand_is_left_running(run, scene, systemctl, key):
    from checkfirst.service.lock import only_one

    calls = systemctl(refuses="is-active")
    scene.state.mkdir()
    with only_one(scene.state):
        code, out, _ = run("service", "install")
    assert code == 0
    assert f"process {os.getpid()}" in out
    assert "restart" not in calls.read_text()


def test_the_status_in_words(run, systemctl, unit, key):
    systemctl(refuses="is-active")
    run("service", "install")
    assert run("service", "status")[1].splitlines() == [
        f"file             {unit}",
        "up to date       yes",
        "starts at login  yes",
        "runs now         no",
    ]


def test_removing_stops_it_and_leaves_everything_else(run, systemctl, unit, key):
    calls = systemctl()
    run("service", "install")
    code, out, _ = run("service", "remove")
    assert (code, out) == (0, f"Removed: {unit}\n")
    assert "disable --now checkfirst.service" in calls.read_text()
    assert not unit.exists()
    assert run("service", "remove")[1] == "There is no such service.\n"
    assert run("service", "status")[0] == 3


def test_a_service_that_does_not_run_is_told_so(run, systemctl, key):
    systemctl(refuses="is-active")
    run("service", "install")
    code, out, _ = run("service", "status", "--json")
    assert code == 1
    assert json.loads(out)["active"] is False


def test_broken_settings_are_told_and_nothing_is_written(run, unit):
    Path("settings.yaml").write_text("mode: loud\n")
    code, _, err = run("service", "install")
    assert code == 2
    assert "mode" in err
    assert not unit.exists()
    assert run("service", "remove")[0] == 0


def test_a_folder_that_cannot_be_written_is_told(run, unit, tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / ".config").write_text("a file")
    code, _, err = run("service", "install")
    assert code == 3
    assert str(unit) in err
    assert "Traceback" not in err


def test_who_sets_things_up_gets_the_files_that_were_written(unit, key, capsys):
    settings = Path("settings.yaml").absolute()
    assert install_blocking(settings) == [unit]
    assert install_blocking(settings) == []
    unit.write_text("something else")
    with pytest.raises(Problem):
        install_blocking(settings)
