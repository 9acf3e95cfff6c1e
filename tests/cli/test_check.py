import hashlib
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from checkfirst.cli.check import Openers, follow_up
from checkfirst.model import Action, Decision, Fingerprint, Risk, Verdict, VerdictKind
from checkfirst.service.checking import Judged, Looked, unchanged_blocking
from checkfirst.simulator import corpus, faults
from checkfirst.simulator.known import pending_without_stats
from checkfirst.simulator.quota import Limits
from checkfirst.simulator.server import Simulator
from checkfirst.simulator.thread import Elsewhere, simulator_in_thread
from checkfirst.vault.grip import ignore_lease_breaks
from tests.cli.check_scene import Desk

NEW = b"MZ nobody has ever seen this program"
EICAR_PAGE = f"https://www.virustotal.com/gui/file/{hashlib.sha256(corpus.EICAR).hexdigest()}"


@pytest.fixture
def simulator() -> Iterator[Elsewhere]:
    with simulator_in_thread(Simulator(limits=Limits(60, 500, 500))) as running:
        running.behave(queued_seconds=0.0, in_progress_seconds=0.0)
        yield running


@pytest.fixture
def desk(
    tmp_path: Path,
    simulator: Elsewhere,
    capsys: pytest.CaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> Desk:
    for name in [each for each in os.environ if each.startswith("CHECKFIRST_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_CONFIG_HOME", "DBUS_SESSION_BUS_ADDRESS"):  # no notification to who tests
        monkeypatch.delenv(name, raising=False)
    return Desk(tmp_path, simulator, capsys)


def test_a_bad_file_is_stopped_and_its_report_named(desk):
    told = desk.check(desk.file("eicar.com", corpus.EICAR))
    assert told.code == 1
    assert told.actions == ["stop"]
    assert "62 of 64 engines call it malicious" in told.out
    assert EICAR_PAGE in told.out


def test_a_good_file_may_be_opened_and_stays_where_it_is(desk):
    path = desk.file("good.txt", corpus.CLEAN_SAMPLE)
    told = desk.check(path)
    assert (told.code, told.actions) == (0, ["open"])
    assert Path(path).read_bytes() == corpus.CLEAN_SAMPLE


def test_each_file_gets_one_line_in_the_order_given_and_a_bad_one_gives_the_code(desk):
    files = [
        desk.file("good.txt", corpus.CLEAN_SAMPLE),
        str(desk.folder / "missing"),
        desk.file("eicar.com", corpus.EICAR),
    ]
    told = desk.check(*files)
    assert (told.code, told.actions) == (1, ["open", "error", "stop"])


def test_an_unknown_file_is_decided_on_by_the_flag_alone_whatever_the_settings_say(desk):
    path = desk.file("new.exe", NEW)
    assert "mode: stop-unknowns" in desk.settings.read_text()
    opened = desk.check(path)
    stopped = desk.check("--stop-unknowns", path)
    assert (opened.code, opened.actions) == (0, ["open"])
    assert (stopped.code, stopped.actions) == (1, ["stop"])
    assert desk.simulator.uploads == []


def test_the_settings_never_make_it_upload(desk):
    desk.write_settings(more="unknowns: {submit: true}\n")
    assert desk.check(desk.file("new.exe", NEW)).code == 0
    assert desk.simulator.uploads == []


def test_the_same_bytes_are_asked_about_once(desk):
    told = desk.check(*(desk.file(f"{n}.exe", NEW) for n in range(3)))
    assert told.actions == ["open"] * 3
    assert desk.looked_up() == [hashlib.sha256(NEW).hexdigest()]


def test_what_was_answered_before_is_not_asked_again(desk):
    path = desk.file("eicar.com", corpus.EICAR)
    desk.check(path)
    again = desk.check(path)
    assert (again.code, len(desk.looked_up())) == (1, 1)
    assert "(answered just now)" in again.out


def test_submitting_without_waiting_decides_at_once_and_has_uploaded_before_it_ends(desk):
    desk.simulator.behave(queued_seconds=600.0)
    told = desk.check("--submit-unknowns", "--json", desk.file("letter.pdf", b"%PDF-1.7 new"))
    (upload,) = desk.simulator.uploads
    (facts,) = told.facts
    assert (told.code, facts["action"], facts["verdict"]) == (0, "open", "unknown")
    assert str(facts["reason"]).endswith("submitted to VirusTotal")
    assert str(facts["report_url"]).endswith(upload.sha256)
    (line,) = (desk.folder / "state" / "checkfirst.log").read_text().splitlines()
    assert " submitted    letter.pdf (12 bytes) to VirusTotal, as it has never seen it" in line


@pytest.mark.parametrize(
    ("content", "code", "action"),
    [(b"MZ new", 0, "open"), (b"MZ new " + corpus.MARKER, 1, "stop")],
)
def test_waiting_for_the_response_submits_and_judges_by_it(desk, content, code, action):
    told = desk.check("--wait-response", desk.file("new.exe", content))
    assert (told.code, told.actions, len(desk.simulator.uploads)) == (code, [action], 1)


def test_whoever_asks_for_an_upload_is_not_content_with_a_remembered_unknown(desk):
    path = desk.file("new.exe", b"MZ new " + corpus.MARKER)
    assert desk.check(path).code == 0
    assert desk.check("--wait-response", path).code == 1


def test_an_analysis_that_does_not_end_in_time_is_no_answer(desk):
    desk.simulator.behave(queued_seconds=600.0)
    told = desk.check("--wait-response", "--timeout", "400ms", desk.file("new.exe", NEW))
    assert (told.code, told.actions) == (3, ["wait"])
    assert "being analysed by VirusTotal" in told.out


def test_an_upload_that_fails_is_said_and_the_file_decided_on_nevertheless(desk):
    desk.simulator.do(
        lambda inside: inside.faults.always(faults.error("TransientError"), method="POST")
    )
    told = desk.check("--submit-unknowns", "--timeout", "400ms", desk.file("new.exe", NEW))
    assert (told.code, told.actions) == (0, ["open"])
    assert "it was not submitted, for want of time" in told.out


def test_a_spent_quota_is_waited_out_only_so_long(desk):
    desk.settings.write_text(desk.settings.read_text().replace("per_minute: 60", "per_minute: 1"))
    files = [desk.file("good.txt", corpus.CLEAN_SAMPLE), desk.file("new.exe", NEW)]
    told = desk.check("--timeout", "500ms", *files)
    assert told.code == 3
    assert sorted(told.actions) == ["open", "wait"]
    assert "no answer in time" in told.out
    assert len(desk.looked_up()) == 1


def test_no_network_is_no_good_answer(desk):
    desk.simulator.fail_always(faults.dropped())
    told = desk.check("--timeout", "300ms", desk.file("good.txt", corpus.CLEAN_SAMPLE))
    assert (told.code, told.actions) == (3, ["wait"])


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (None, "VirusTotal cannot be reached"),
        (faults.error("QuotaExceededError"), "VirusTotal refuses more requests for now"),
        (faults.error("WrongCredentialsError"), "The API key was refused by VirusTotal"),
        (faults.redirect("https://elsewhere.invalid/"), ""),
    ],
)
def test_while_virustotal_is_away_nothing_is_promised_that_a_command_cannot_keep(
    desk, fault, reason
):
    if fault is None:
        desk.write_settings(more="sources: [lists, virustotal]\n")
        text = desk.settings.read_text().replace(desk.simulator.url, "http://127.0.0.1:9/api/v3")
        desk.settings.write_text(text)
    else:
        desk.simulator.fail_always(fault)
    told = desk.check("--timeout", "300ms", desk.file("good.txt", corpus.CLEAN_SAMPLE))
    assert told.err.startswith(reason)
    assert "by itself" not in told.err
    assert "held" not in told.err


def test_a_report_without_a_result_is_no_answer(desk):
    desk.simulator.add(pending_without_stats(NEW))
    told = desk.check("--timeout", "300ms", "--json", desk.file("new.exe", NEW))
    assert (told.code, told.facts[0]["verdict"]) == (3, "pending")


def test_json_has_exactly_these_keys(desk):
    path = desk.file("eicar.com", corpus.EICAR)
    missing = str(desk.folder / "missing")
    told = desk.check("--json", path, missing)
    assert told.code == 1
    assert told.facts == [
        {
            "path": path,
            "sha256": hashlib.sha256(corpus.EICAR).hexdigest(),
            "verdict": "malicious",
            "source": "virustotal",
            "action": "stop",
            "detections": 62,
            "engines": 64,
            "report_url": EICAR_PAGE,
            "reason": "62 of 64 engines call it malicious",
        },
        {
            "path": missing,
            "sha256": None,
            "verdict": None,
            "source": None,
            "action": "wait",
            "detections": None,
            "engines": None,
            "report_url": None,
            "reason": "there is no such file",
        },
    ]


def test_what_is_no_file_is_told_and_not_judged(desk):
    pipe = desk.folder / "pipe"
    os.mkfifo(pipe)
    link = desk.folder / "link"
    link.symlink_to("nowhere")
    told = desk.check(str(pipe), str(desk.folder), str(desk.folder / "missing"), str(link))
    assert (told.code, told.actions) == (3, ["error"] * 4)
    reasons = [line.rpartition(": ")[2] for line in told.out.splitlines()]
    assert reasons == [
        "it is no regular file",
        "it is a folder; name the files in it",
        "there is no such file",
        "it is a link to a file that is not there",
    ]


def test_a_file_that_is_being_written_is_told_and_not_judged(desk):
    path = desk.file("growing.txt", corpus.CLEAN_SAMPLE)
    with open(path, "ab"):
        told = desk.check(path)
    assert (told.code, told.actions) == (3, ["wait"])
    assert "still open for writing" in told.out


def test_a_link_is_followed(desk):
    link = desk.folder / "link"
    link.symlink_to(desk.file("eicar.com", corpus.EICAR))
    assert desk.check(str(link)).code == 1


def test_a_hostile_name_cannot_drive_the_terminal(desk):
    path = os.fsdecode(os.fsencode(desk.folder) + b"/caf\xe9\n\x1b[31m.txt")
    Path(path).write_bytes(corpus.CLEAN_SAMPLE)
    told = desk.check(path)
    assert told.out.count("\n") == 1
    assert r"caf\xe9\x0a\x1b[31m.txt" in told.out
    assert desk.check("--json", path).facts[0]["path"].endswith(r"caf\xe9\x0a\x1b[31m.txt")


def test_without_a_key_it_says_how_to_give_one(desk):
    desk.write_settings(key=None)
    told = desk.check(desk.file("new.exe", NEW))
    assert (told.code, told.out) == (2, "")
    assert "checkfirst key set" in told.err


def test_no_key_is_needed_where_the_lists_answer(desk):
    digest = hashlib.sha256(NEW).hexdigest()
    desk.write_settings(key=None, more=f"lists: {{block: [{digest}]}}\n")
    told = desk.check("--json", desk.file("new.exe", NEW))
    assert (told.code, told.facts[0]["source"]) == (1, "lists")


def test_a_refused_key_is_never_shown(desk):
    desk.write_settings(key="secret-key-of-mine")
    desk.simulator.behave(echoes_wrong_key=True)
    told = desk.check("--timeout", "300ms", desk.file("new.exe", NEW))
    assert (told.code, told.actions) == (3, ["wait"])
    assert "secret-key-of-mine" not in told.out + told.err


@pytest.mark.parametrize("wrong", ["90", "soon"])
def test_a_time_without_a_unit_is_a_wrong_command(desk, wrong):
    assert desk.check("--timeout", wrong, desk.file("new.exe", NEW)).code == 2


def test_no_file_is_a_wrong_command(desk):
    assert desk.check().code == 2


def programs(folder: Path) -> dict[str, str]:
    """An opener and a browser that write down what they were given."""
    for name in ("xdg-open", "browser"):
        program = folder / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(f'#!/bin/sh\necho "$1" >> "{folder}/{name}.log"\n')
        program.chmod(0o755)
    path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "BROWSER": str(folder / "bin" / "browser")}


def test_it_opens_what_may_be_opened_and_the_page_about_what_may_not(desk):
    good, bad = desk.file("good.txt", corpus.CLEAN_SAMPLE), desk.file("bad.exe", corpus.EICAR)
    command = [sys.executable, "-m", "checkfirst", "--settings", str(desk.settings), "check"]
    ended = subprocess.run(
        [*command, "--open", "--browse", good, bad],
        env=programs(desk.folder),
        capture_output=True,
        check=False,
        timeout=15,
    )
    assert (ended.returncode, ended.stderr) == (1, b"")
    assert (desk.folder / "xdg-open.log").read_text() == f"{good}\n"
    assert (desk.folder / "browser.log").read_text() == f"{EICAR_PAGE}\n"


def test_a_desktop_that_opens_files_with_us_opens_none_for_ever(desk):
    """Where our own entry is the only one for a kind of file, the opener comes back to us."""
    good = desk.file("good.txt", corpus.CLEAN_SAMPLE)
    command = [sys.executable, "-m", "checkfirst", "--settings", str(desk.settings), "check"]
    environ = programs(desk.folder)
    again = shlex.join([*command, "--open"])
    lines = [f'echo "$1" >> "{desk.folder}/opened"', f'{again} "$1" > "{desk.folder}/said" 2>&1']
    (desk.folder / "bin" / "xdg-open").write_text("\n".join(["#!/bin/sh", *lines]))
    subprocess.run(
        [*command, "--open", good], env=environ, cwd=desk.folder, timeout=15, check=False
    )
    said = desk.folder / "said"
    end = time.monotonic() + 15
    while "No other program" not in (said.read_text() if said.exists() else ""):
        assert time.monotonic() < end
        time.sleep(0.05)
    assert (desk.folder / "opened").read_text() == f"{good}\n"


def test_where_nothing_can_open_files_it_is_said(desk, monkeypatch):
    monkeypatch.setenv("PATH", str(desk.folder))
    told = desk.check("--open", desk.file("good.txt", corpus.CLEAN_SAMPLE))
    assert (told.code, told.actions) == (3, ["open"])
    assert "cannot be opened" in told.err


def test_bytes_that_change_after_they_were_judged_are_noticed(tmp_path):
    path = tmp_path / "good.txt"
    path.write_bytes(corpus.CLEAN_SAMPLE)
    digest = hashlib.sha256(corpus.CLEAN_SAMPLE).hexdigest()
    found = Fingerprint(digest, len(corpus.CLEAN_SAMPLE), "text/plain", Risk.DOCUMENT)
    looked = Looked(bytes(path), bytes(path), found)
    judged = Judged(looked, None, Decision(Action.RELEASE, ""))
    ignore_lease_breaks()
    assert unchanged_blocking(judged)
    path.write_bytes(corpus.CLEAN_SAMPLE.upper())
    assert not unchanged_blocking(judged)
    path.unlink()
    assert not unchanged_blocking(judged)


def test_only_what_may_be_opened_is_opened_and_only_what_may_not_is_browsed():
    opened: list[object] = []
    openers = Openers(opened.append, opened.append)
    page = Verdict(VerdictKind.UNKNOWN, "virustotal", "", report_url="https://page")
    judged = [
        Judged(Looked(b"a", b"/a"), page, Decision(Action.RELEASE, "")),
        Judged(Looked(b"b", b"/b"), page, Decision(Action.QUARANTINE, "")),
        Judged(Looked(b"c", b"/c"), page, Decision(Action.WAIT, "")),
    ]
    assert follow_up(judged, openers, open_files=True, browse=True) == []
    assert opened == [b"/a", "https://page"]
    assert follow_up(judged, openers, open_files=False, browse=False) == []
    assert len(opened) == 2
