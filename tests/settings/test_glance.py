import json
import os
import subprocess
import sys

import pytest

from checkfirst.errors import SettingsError
from checkfirst.settings.glance import glance_blocking

MODULES = """
import os, sys
from checkfirst.settings.glance import glance_blocking
print(glance_blocking(None, os.environ).mode, *sorted(set(sys.modules) & {
    "pydantic", "ruamel.yaml", "asyncio", "logging"}))
"""


@pytest.fixture
def kept(desk):
    return desk.home / ".cache/checkfirst/settings.json"


def test_a_glance_tells_what_a_full_look_tells(desk, kept):
    desk.write("mode: stop-unknowns\nvirustotal: {per_minute: 9, api_key: s3cret}\n")
    first, second = (glance_blocking(None, desk.environ) for _ in range(2))
    full = desk.settings()
    assert first == second
    assert (first.mode, first.per_minute) == ("stop-unknowns", 9)
    assert first.state == str(full.state)
    assert first.log_file == str(full.state / "checkfirst.log")
    assert first.watch == tuple(map(str, full.watch))
    assert first.path == str(desk.file)
    assert "s3cret" not in kept.read_text()
    assert kept.stat().st_mode & 0o777 == 0o600


def test_the_second_glance_imports_nothing_heavy(desk):
    def loaded():
        environ = {**os.environ, **desk.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        command = [sys.executable, "-c", MODULES]
        done = subprocess.run(command, env=environ, check=True, capture_output=True, text=True)
        return done.stdout.split()

    desk.write("mode: normal\n")
    assert "pydantic" in loaded()
    assert loaded() == ["normal"]


def test_whatever_changes_leads_to_a_full_look(desk, monkeypatch):
    desk.write("mode: normal\n")
    assert glance_blocking(None, desk.environ).mode == "normal"
    desk.write("mode: stop-unknowns\n")
    assert glance_blocking(None, desk.environ).mode == "stop-unknowns"
    environ = desk.environ | {"CHECKFIRST_VIRUSTOTAL__PER_DAY": "7"}
    assert glance_blocking(None, environ).per_day == 7
    assert glance_blocking(None, desk.environ).per_day == 500
    monkeypatch.chdir(desk.home)
    assert glance_blocking(None, desk.environ).path is None
    desk.file.write_text("mode: x\n")
    with pytest.raises(SettingsError):
        glance_blocking(desk.file, desk.environ)


@pytest.mark.parametrize("content", ["", "[]", "{}", "null", '{"digest": 5}', "\x00"])
def test_a_spoilt_cache_is_written_anew(desk, kept, content):
    kept.parent.mkdir(parents=True)
    kept.write_text(content)
    expected = glance_blocking(None, desk.environ)
    assert json.loads(kept.read_text())["glance"]["state"] == expected.state


def test_a_cache_with_missing_or_strange_parts_is_not_used(desk, kept):
    expected = glance_blocking(None, desk.environ)
    for glance in ({}, {"watch": 5}, {"watch": [], "warnings": [], "more": 1}, []):
        content = json.loads(kept.read_text()) | {"glance": glance}
        kept.write_text(json.dumps(content))
        assert glance_blocking(None, desk.environ) == expected


def test_a_cache_that_others_could_write_is_not_used(desk, kept):
    glance_blocking(None, desk.environ)
    content = json.loads(kept.read_text())
    content["glance"]["state"] = "/elsewhere"
    kept.write_text(json.dumps(content))
    assert glance_blocking(None, desk.environ).state == "/elsewhere"
    kept.chmod(0o666)
    assert glance_blocking(None, desk.environ).state != "/elsewhere"


def test_a_cache_that_cannot_be_written_is_no_trouble(desk):
    (desk.home / ".cache").write_text("in the way")
    assert glance_blocking(None, desk.environ).mode == "normal"
