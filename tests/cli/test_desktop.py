"""`checkfirst desktop` on a home of the test's own."""

import os
from pathlib import Path

import pytest

from checkfirst.service.open_with import MARK

UPDATE = '#!/bin/sh\necho "$1" >> "{calls}"\n'


@pytest.fixture
def share(scene, tmp_path, monkeypatch) -> Path:
    """Where entry and icon go; `update-desktop-database` writes down what it was given."""
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    tool = tmp_path / "bin" / "update-desktop-database"
    tool.parent.mkdir()
    tool.write_text(UPDATE.format(calls=tmp_path / "calls"))
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}{os.pathsep}{os.environ['PATH']}")
    return tmp_path / "home" / ".local" / "share"


def test_the_entry_and_its_icon_are_written_and_the_desktop_is_told(run, share, tmp_path):
    entry = share / "applications" / "checkfirst.desktop"
    icon = share / "icons" / "hicolor" / "scalable" / "apps" / "checkfirst.svg"
    code, out, _ = run("desktop", "install")
    assert (code, out) == (0, f"Written: {entry}\nWritten: {icon}\n")
    settings = os.path.realpath("settings.yaml")
    assert f" --settings {settings} check --open --browse %F\n" in entry.read_text()
    assert (tmp_path / "calls").read_text() == f"{entry.parent}\n"
    assert run("desktop", "install")[1] == f"Unchanged: {entry}\nUnchanged: {icon}\n"

    code, out, _ = run("desktop", "remove")
    assert (code, out) == (0, f"Removed: {entry}\nRemoved: {icon}\n")
    assert not entry.exists()
    assert run("desktop", "remove")[1] == "There is no such entry.\n"


def test_a_dry_run_writes_nothing(run, share):
    code, out, _ = run("desktop", "install", "--dry-run")
    assert code == 0
    assert MARK in out
    assert "<svg " in out
    assert not share.exists()


def test_an_entry_of_somebody_elses_is_left_alone_unless_asked(run, share):
    entry = share / "applications" / "checkfirst.desktop"
    entry.parent.mkdir(parents=True)
    entry.write_text("[Desktop Entry]\nName=mine\n")
    for command in ("install", "remove"):
        code, _, err = run("desktop", command)
        assert code == 3
        assert str(entry) in err
    assert "mine" in entry.read_text()
    assert run("desktop", "install", "--force")[0] == 0
    assert entry.read_text().startswith(MARK)


def test_without_the_desktops_tool_it_is_written_all_the_same(run, share, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert run("desktop", "install")[0] == 0
