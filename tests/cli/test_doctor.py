import contextlib
import json
import os
import re
import sqlite3
import stat

import pytest

from checkfirst.simulator.server import Simulator
from checkfirst.simulator.thread import simulator_in_thread
from checkfirst.vault.grip import ignore_lease_breaks
from tests.stories.house import House

KEY = "CHECKFIRST_VIRUSTOTAL__API_KEY"

FIRST_LOOK = """\
ok        settings    The settings are right
                      TOP/settings.yaml
ok        machine     checkfirst N, Python N, SQLite N, Linux N
ok        folders     The watched folder is well (FS, N free)
                      TOP/Downloads
ok        folders     The released folder is not there yet; it is made when checkfirst first runs
                      TOP/Downloads/Released
ok        folders     The quarantine folder is not there yet; it is made when checkfirst first runs
                      TOP/quarantine
ok        folders     The state folder is not there yet; it is made when checkfirst first runs
                      TOP/state
ok        folders     The held folder is made when the first file is held
                      TOP/state/held
ok        moving      Moving files was not tried, as checkfirst has not run yet
                      TOP/Downloads
ok        moving      Leases are granted (FS)
                      TOP/Downloads
ok        watching    New files are told by the kernel (N of N watches are used)
ok        database    There is no database yet; it is made when checkfirst first runs
ok        clock       The clock says TIME
ok        log         There is no log yet
                      TOP/state/checkfirst.log
note      daemon      checkfirst is not running; nothing is watched
                      Start it: checkfirst run
NOTIFY
note      service     No service manager answers here, so nothing starts checkfirst
                      Whatever starts programs on this machine or in this container has to
ok        leftovers   No interrupted work has left anything behind
problem   virustotal  There is no VirusTotal API key
                      Give one: checkfirst key set
ok        virustotal  Requests: 0 of 4 this minute, 0 of 500 this day, 0 of 15500 this month

There is 1 problem.
"""


def steady(out, top):
    """The output without what differs from machine to machine."""
    out = out.replace(str(top), "TOP")
    out = re.sub(r"note      machine .*\n +If you want it.*\n", "", out)
    out = re.sub(r"(ok|note) +notify .*(\n +The log .*)?", "NOTIFY", out)
    out = re.sub(r"says [\d-]+ [\d:]+ UTC", "says TIME", out)
    out = re.sub(r"(checkfirst|Python|SQLite|Linux) \d[^\s,]*", r"\1 N", out)
    out = re.sub(r"\(\w+, [\d.]+ \w+ free\)", "(FS, N free)", out)
    out = re.sub(r"granted \(\w+\)", "granted (FS)", out)
    return re.sub(r"\d+ of \d+ watches", "N of N watches", out)


@pytest.fixture
def quiet(scene, monkeypatch):
    """No key of anybody's, no proxy, no credentials, and no service manager."""
    (scene.top / "bin").mkdir()
    monkeypatch.setenv("PATH", str(scene.top / "bin"))
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    return scene


@pytest.fixture
def simulator():
    with simulator_in_thread(Simulator()) as running:
        yield running


def findings(run, *arguments):
    code, out, err = run("doctor", "--json", *arguments)
    assert err == ""
    told = json.loads(out)
    assert told["problems"] == sum(each["level"] == "problem" for each in told["findings"])
    assert code == (1 if told["problems"] else 0)
    return told["findings"]


def problems(run, *arguments):
    return [each for each in findings(run, *arguments) if each["level"] == "problem"]


def test_the_first_look_on_a_machine(quiet, run):
    code, out, err = run("doctor")
    assert (code, err) == (1, "")
    assert steady(out, quiet.top) == FIRST_LOOK


def test_a_service_is_proposed_where_a_service_manager_answers(quiet, run):
    script = quiet.top / "bin" / "systemctl"
    for answer, proposes in (("true", True), ("false", False)):
        script.write_text(f"#!/bin/sh\n{answer}\n")
        script.chmod(0o755)
        (found,) = [each for each in findings(run, "--offline") if each["check"] == "service"]
        assert (found["to_do"] == "checkfirst service install") is proposes
        assert ("this container" in found["to_do"]) is not proposes


def test_json_has_the_same_and_nothing_is_wrong_with_a_key(quiet, run, monkeypatch):
    monkeypatch.setenv(KEY, "k" * 64)
    found = findings(run)
    assert {"check", "level", "title", "about", "to_do"} == set(found[0])
    assert problems(run) == []
    words = [each["title"] for each in found]
    assert any("to count the request in" in title for title in words)


def test_the_key_is_tried_once_through_the_ledger(quiet, run, simulator, monkeypatch):
    monkeypatch.setenv("CHECKFIRST_VIRUSTOTAL__URL", simulator.url)
    monkeypatch.setenv(KEY, "demo")
    quiet.arrive(b"x", "released")
    assert any("accepts" in each["title"] for each in findings(run))
    assert len(simulator.requests) == 1
    assert "1 of 4 this minute" in run("status")[1]
    findings(run, "--offline")
    assert len(simulator.requests) == 1
    monkeypatch.setenv(KEY, "wrong")
    (refused,) = problems(run)
    assert "refuses the key" in refused["title"]
    assert "key set" in refused["to_do"]


def test_broken_settings_are_told_with_their_lines_and_the_machine_is_still_looked_at(quiet, run):
    (quiet.top / "settings.yaml").write_text("mode: loud\nwatch: []\n")
    found = findings(run)
    assert [each["check"] for each in found if each["level"] == "problem"] == ["settings"] * 2
    assert found[0]["title"].startswith("settings.yaml:1:")
    assert [each["to_do"] is not None for each in found[:2]] == [False, True], "told once for all"
    assert "machine" in {each["check"] for each in found}
    assert "folders" not in {each["check"] for each in found}


def test_a_damaged_database_is_told_and_stays_as_it_is(quiet, run, monkeypatch):
    monkeypatch.setenv(KEY, "k" * 64)
    quiet.state.mkdir()
    database = quiet.state / "checkfirst.sqlite"
    database.write_bytes(b"no database" * 1000)
    (found,) = problems(run)
    assert (found["check"], found["title"]) == ("database", "The database is damaged")
    assert [path.name for path in quiet.state.iterdir()] == ["checkfirst.sqlite"]


def test_rows_from_the_future_tell_of_a_clock_that_was_set_back(quiet, run, monkeypatch):
    monkeypatch.setenv(KEY, "k" * 64)
    quiet.arrive(b"x", "released")
    with contextlib.closing(sqlite3.connect(quiet.state / "checkfirst.sqlite")) as connection:
        connection.execute("UPDATE arrivals SET arrived_at = 4102444800")
        connection.commit()
    (found,) = problems(run, "--offline")
    assert "2100-01-01" in found["title"]


def test_a_folder_that_is_missing_is_told(quiet, run, monkeypatch):
    monkeypatch.setenv(KEY, "k" * 64)
    quiet.downloads.rmdir()
    (found,) = problems(run)
    assert found["title"] == "The watched folder does not exist"
    assert found["about"] == str(quiet.downloads)


def test_a_report_holds_no_key_no_name_and_no_hash(quiet, run, monkeypatch):
    monkeypatch.setenv(KEY, "k" * 64)
    monkeypatch.setenv("USER", "annabella")
    with (quiet.top / "settings.yaml").open("a") as file:
        file.write(f"lists: {{block: ['{'ab' * 32}']}}\nvirustotal: {{account: anna.smith}}\n")
    quiet.hold(b"mortgage papers.pdf")
    (quiet.state / "checkfirst.log").write_text(
        "2026-11-24 04:12:33   arrived      mortgage papers.pdf (68 bytes) in /home/annabella/x\n"
        "2026-11-24 04:12:33 E problem      The file is busy: /home/annabella/Zwieback Rezept.odt\n"
        f"2026-11-24 04:12:33   asked        VirusTotal about tax (sha256 {'ab' * 6})\n"
    )
    code, out, err = run("doctor", "--report", "-", "--offline")
    assert (code, err) == (0, "")
    for secret in ("k" * 20, "mortgage", "annabella", "smith", "Zwieback", "Rezept", "abab"):
        assert secret not in out
    assert "2026-11-24 04:12:33   arrived      … (68 bytes) in …" in out
    assert "waiting: 1" in out or "held: 1" in out
    _, named, _ = run("doctor", "--report", "-", "--offline", "--with-names")
    assert "mortgage papers.pdf" in named
    assert ("ab" * 32) in named
    for secret in ("k" * 20, "annabella", "smith"):
        assert secret not in named


def test_a_report_goes_into_a_new_private_file(quiet, run):
    code, out, err = run("doctor", "--report", "report.txt")
    assert (code, out) == (1, "")
    assert "report.txt" in err
    path = quiet.top / "report.txt"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_text("mine")
    code, _, err = run("doctor", "--report", "report.txt")
    assert code == 3
    assert "File exists" in err
    assert path.read_text() == "mine"


@pytest.mark.story
def test_beside_a_running_daemon(tmp_path, simulator, run, monkeypatch):
    ignore_lease_breaks()
    house = House(tmp_path / "home", simulator.url)
    monkeypatch.setenv("HOME", str(house.home))
    monkeypatch.setenv(KEY, "demo")
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    monkeypatch.chdir(tmp_path)
    with house.running():
        house.drop("a.txt", b"some bytes")
        house.until_ended("a.txt")
        code, out, _ = run("--settings", str(house.file), "doctor")
        assert code == 0, out
        assert f"checkfirst is running (process {house.pid}" in out
        assert "by a rename" in out
        assert "The database is sound" in out
        assert house.below_downloads() == set()
        assert len(house.rows()) == 1
