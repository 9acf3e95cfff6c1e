"""Facts in, findings out: no file is touched here."""

from dataclasses import replace
from pathlib import Path

import pytest

from checkfirst.errors import SettingsError, StoreError
from checkfirst.model import FolderHealth, SourceHealth
from checkfirst.policy.quota import Limits
from checkfirst.service.doctor import (
    account,
    at_login,
    database,
    folders,
    leftovers,
    machine,
    moving,
)
from checkfirst.service.doctor.desktop import judge_desktop
from checkfirst.service.doctor.finding import Level
from checkfirst.service.doctor.folders import Role
from checkfirst.service.doctor.process import judge_daemon
from checkfirst.service.doctor.times import WRITTEN_AT, judge_against_server, judge_clock
from checkfirst.service.doctor.watching import Facts as Watching
from checkfirst.service.doctor.watching import judge_watching
from checkfirst.service.status import Snapshot
from checkfirst.settings.key import Found, Search
from checkfirst.settings.keyring import KeyringError
from checkfirst.sources.virustotal.probe import Probed, Standing
from checkfirst.store.checkup import Checkup
from checkfirst.store.usage import Usage
from checkfirst.watch.limits import Limits as WatchLimits

NOW = WRITTEN_AT + 86_400 * 20
GB = 10**9


def told(findings):
    """The gravest level, and all words."""
    order = [Level.OK, Level.NOTE, Level.PROBLEM]
    worst = max((each.level for each in findings), key=order.index)
    return worst.value, " ".join(f"{each.title} {each.to_do} {each.about}" for each in findings)


FOLDER = folders.Facts(Role.WATCHED, b"/w", exists=True, kind="ext4", free=50 * GB)
PRIVATE = replace(FOLDER, role=Role.QUARANTINE)


@pytest.mark.parametrize(
    ("facts", "level", "words"),
    [
        (FOLDER, "ok", "ext4, 50.0 GB free"),
        (replace(FOLDER, exists=False), "problem", "does not exist"),
        (replace(FOLDER, trouble="Stale file handle"), "problem", "Stale file handle"),
        (replace(FOLDER, is_folder=False), "problem", "`watch`"),
        (replace(FOLDER, may_list=False), "problem", "cannot be listed"),
        (replace(FOLDER, may_write=False), "problem", "cannot be written to"),
        (replace(FOLDER, read_only=True, may_write=False), "problem", "cannot be written"),
        (replace(FOLDER, is_ours=False), "note", "no lease"),
        (replace(FOLDER, mode=0o777), "ok", ""),
        (replace(FOLDER, free=50_000_000), "problem", "only 50.0 MB left"),
        (replace(FOLDER, free=GB // 2), "note", "only 500.0 MB left"),
        (replace(FOLDER, free=0), "problem", "on a disk that is full"),
        (replace(FOLDER, no_inodes=True), "problem", "no more files"),
        (replace(PRIVATE, exists=False), "ok", "is made when"),
        (replace(PRIVATE, exists=False, can_be_made=False), "problem", "`quarantine`"),
        (replace(PRIVATE, mode=0o755), "note", "chmod 700 '/w'"),
        (replace(PRIVATE, mode=0o770), "problem", "Others may change"),
        (replace(PRIVATE, is_ours=False), "problem", "another user"),
        (replace(FOLDER, path=b"/a\n\xff", free=0), "problem", "/a\\x0a\\xff"),
    ],
)
def test_a_folder(facts, level, words):
    found = told(folders.judge_folder(facts))
    assert found[0] == level
    assert words in found[1]


MOVING = moving.Facts(b"/w", "ext4", renames=True, lease=True)


@pytest.mark.parametrize(
    ("facts", "level", "words"),
    [
        (MOVING, "ok", "by a rename"),
        (replace(MOVING, renames=None), "ok", "has not run yet"),
        (replace(MOVING, renames=False), "note", "another filesystem"),
        (replace(MOVING, lease=False, kind="zfs"), "note", "zfs: its filesystem grants none"),
        (replace(MOVING, lease=None, kind="nfs4", remote=True), "note", "nfs4: a network"),
        (replace(MOVING, trouble="No space left on device"), "problem", "No space left"),
    ],
)
def test_moving(facts, level, words):
    found = told(moving.judge_moving(facts))
    assert found[0] == level
    assert words in found[1]


WATCHING = Watching(WatchLimits(128, 8192, 16384), 5, 100, 1, 1, running=False)


@pytest.mark.parametrize(
    ("facts", "level", "words"),
    [
        (WATCHING, "ok", "100 of 8192 watches are used"),
        (replace(WATCHING, limits=WatchLimits(None, None, None)), "ok", "no limits are told"),
        (replace(WATCHING, instances_used=128), "problem", "sysctl fs.inotify.max_user_instances="),
        (replace(WATCHING, instances_used=128, running=True), "ok", ""),
        (replace(WATCHING, watches_needed=9000), "problem", "max_user_watches=1048576"),
        (replace(WATCHING, watches_needed=10**6), "problem", "max_user_watches=2000200"),
        (replace(WATCHING, watches_needed=9000), "problem", "no restart needed"),
        (replace(WATCHING, limits=WatchLimits(128, 8192, 1024)), "note", "max_queued_events"),
        (replace(WATCHING, polled=(b"/n",)), "note", "a network filesystem"),
        (replace(WATCHING, polled=(b"/n",), polled_by_choice=True), "note", "settings want it"),
    ],
)
def test_watching(facts, level, words):
    found = told(judge_watching(facts))
    assert found[0] == level
    assert words in found[1]


def test_the_clock():
    assert told(judge_clock(NOW, 0.0))[0] == "ok"
    assert told(judge_clock(NOW, NOW + 60))[0] == "ok"
    level, words = told(judge_clock(NOW, NOW + 3600))
    assert (level, "set back" in words, "timedatectl" in words) == ("problem", True, True)
    assert told(judge_clock(0.0, 0.0))[0] == "problem"


@pytest.mark.parametrize(
    ("off", "level"),
    [(0, None), (-59, None), (61, "note"), (-599, "note"), (600, "problem"), (-9999, "problem")],
)
def test_the_clock_against_the_server_s(off, level):
    findings = judge_against_server(NOW + off, NOW)
    assert (told(findings)[0] if findings else None) == level


PATH = Path("/s/checkfirst.sqlite")
SOUND = Checkup(True, 4096, 0, 1, 1, whole=True)


@pytest.mark.parametrize(
    ("checkup", "level", "words"),
    [
        (SOUND, "ok", "sound"),
        (Checkup(exists=False), "ok", "no database yet"),
        (replace(SOUND, whole=None), "ok", "too large to be looked through"),
        (replace(SOUND, whole=False), "problem", "made anew"),
        (replace(SOUND, suspect=True), "problem", "damaged"),
        (replace(SOUND, version=9), "problem", "newer checkfirst"),
        (replace(SOUND, known=2), "ok", "brought up to 2"),
        (replace(SOUND, log_size=GB), "note", "write-ahead log"),
        (replace(SOUND, set_aside=("x.corrupt-1",)), "note", "x.corrupt-1"),
        (replace(SOUND, error=StoreError("It is busy", "wait")), "problem", "It is busy wait"),
    ],
)
def test_the_database(checkup, level, words):
    found = told(database.judge_database(checkup, PATH))
    assert found[0] == level
    assert words in found[1]
    usable = level != "problem" and checkup.exists and checkup.version == checkup.known
    assert checkup.usable == usable


def test_the_log():
    facts = database.LogFacts(Path("/l"), exists=True, size=10)
    assert told(database.judge_log(facts))[0] == "ok"
    assert told(database.judge_log(replace(facts, exists=False)))[0] == "ok"
    assert told(database.judge_log(replace(facts, writable=False)))[0] == "problem"
    assert told(database.judge_log(replace(facts, trouble="odd")))[0] == "problem"


WELL = FolderHealth(b"/w", "native", healthy=True, moves="rename")
ASKED = SourceHealth("virustotal", 1, 1, healthy=True)
RUNNING = Snapshot(7, "normal", (WELL,), (ASKED,))


@pytest.mark.parametrize(
    ("pid", "snapshot", "level", "words"),
    [
        (None, RUNNING, "note", "not running"),
        (7, None, "note", "just starting"),
        (8, RUNNING, "note", "just starting"),
        (7, RUNNING, "ok", "process 7, mode normal"),
        (0, RUNNING, "ok", "process 7"),
        (7, replace(RUNNING, problems=("a\nb",)), "problem", "a\\x0ab"),
        (7, replace(RUNNING, watching=(replace(WELL, healthy=False),)), "problem", "/w"),
        (7, replace(RUNNING, sources=(replace(ASKED, healthy=False),)), "problem", "virustotal"),
    ],
)
def test_the_daemon(pid, snapshot, level, words):
    found = told(judge_daemon(pid, snapshot))
    assert found[0] == level
    assert words in found[1]


def test_sub_folders_that_are_not_looked_into_are_told_apart_and_are_no_fault():
    some = replace(WELL, folders_not_looked_into=3, folders_left_out=1)
    running, locked, left = judge_daemon(7, replace(RUNNING, watching=(some,)))
    assert (running.level, locked.level, left.level) == ("ok", "note", "note")
    assert locked.title.startswith("3 sub-folders cannot be looked into: unreadable")
    assert left.title == "1 sub-folder is not looked into, as intake.recursive is false"
    assert "`intake.recursive: true`" in left.to_do


@pytest.mark.parametrize(
    ("facts", "level", "words"),
    [
        (leftovers.Facts(), "ok", "nothing"),
        (leftovers.Facts(partial=(b"/a", b"/b")), "note", "2 files"),
        (leftovers.Facts(held_without_row=(b"/h/s/x",)), "problem", "1 file"),
        (leftovers.Facts(without_report=(b"/q/x",)), "note", "without a report"),
        (leftovers.Facts(without_payload=(b"/q/x",)), "note", "without its file"),
    ],
)
def test_leftovers(facts, level, words):
    found = told(leftovers.judge_leftovers(facts))
    assert found[0] == level
    if level != "ok":
        assert words in found[1]


KEY = Found("s3cret", "the place")
LOCKED = KeyringError("The system keyring is locked", "Unlock it.")


@pytest.mark.parametrize(
    ("facts", "level", "words"),
    [
        (account.KeyFacts(Search(KEY)), "ok", "from the place"),
        (account.KeyFacts(Search(None)), "problem", "checkfirst key set"),
        (account.KeyFacts(Search(None, LOCKED)), "problem", "is locked"),
        (account.KeyFacts(Search(KEY, LOCKED)), "note", "Unlock it."),
        (account.KeyFacts(Search(replace(KEY, warning="chmod it"))), "problem", "chmod it"),
        (account.KeyFacts(error=SettingsError(["k: no file"])), "problem", "k: no file"),
    ],
)
def test_the_key(facts, level, words):
    found = told(account.judge_key(facts))
    assert found[0] == level
    assert words in found[1]
    assert "s3cret" not in found[1]


@pytest.mark.parametrize(
    ("standing", "code", "level", "words"),
    [
        (Standing.ACCEPTED, "", "ok", "Said so"),
        (Standing.REFUSED, "WrongCredentialsError", "problem", "checkfirst key set"),
        (Standing.QUOTA, "429", "note", "not known"),
        (Standing.UNREACHABLE, "ClientConnectorDNSError", "problem", "name server"),
        (Standing.UNREACHABLE, "ClientConnectorCertificateError", "problem", "SSL_CERT_FILE"),
        (Standing.UNREACHABLE, "ClientHttpProxyError", "problem", "HTTPS_PROXY"),
        (Standing.UNREACHABLE, "NotFoundError", "problem", "virustotal.url"),
        (Standing.UNREACHABLE, "Timeout", "problem", "firewall"),
    ],
)
def test_the_answer(standing, code, level, words):
    probed = Probed(standing, "said so", code, server_time=NOW, asked_at=NOW)
    found = told(account.judge_answer(probed, ""))
    assert found[0] == level
    assert words in found[1]
    off = account.judge_answer(replace(probed, asked_at=NOW + 3600), "")
    assert "3600 seconds ahead" in told(off)[1]


def test_nobody_was_asked():
    assert told(account.judge_answer(None, "why")) == ("note", "VirusTotal was not asked: why  ")


@pytest.mark.parametrize(
    ("used", "level"),
    [((4, 10, 10), "ok"), ((0, 500, 500), "note"), ((0, 0, 15_500), "note")],
)
def test_the_quota(used, level):
    found = account.judge_quota(Usage(*used), Limits(4, 500, 15_500), NOW)
    assert told(found)[0] == level
    assert told(account.judge_quota(Usage(*used), Limits(0, 0, 0), NOW))[0] == "ok"


@pytest.mark.parametrize(
    "address", ["http://ann:s3cret@proxy.example:3128", "ann:s3cret@proxy.example:3128"]
)
def test_a_proxy_is_named_without_its_password(address):
    url = "https://www.virustotal.com/api/v3"
    _, words = told(account.judge_way(url, {"HTTPS_PROXY": address}))
    assert "proxy.example:3128" in words
    assert "ann" not in words
    assert "s3cret" not in words
    assert account.judge_way(url, {}) == []
    assert "nonsense" not in told(account.judge_way(url, {"ALL_PROXY": "http://[nonsense"}))[1]


def test_the_machine():
    fine = machine.Machine("1", (3, 11, 7), (3, 40, 1), "Linux", "6.1", frozenset({"keyring"}))
    assert told(machine.judge_machine(fine))[0] == "ok"
    assert told(machine.judge_machine(replace(fine, extras=frozenset())))[0] == "note"
    assert told(machine.judge_machine(replace(fine, python=(3, 10))))[0] == "problem"
    assert told(machine.judge_machine(replace(fine, sqlite=(3, 36, 0))))[0] == "problem"
    assert told(machine.judge_machine(replace(fine, system="Darwin")))[0] == "problem"


SERVICE = at_login.Facts(Path("/u"), installed=True, enabled=True, active=True, running=True)


@pytest.mark.parametrize(
    ("facts", "level", "words"),
    [
        (SERVICE, "ok", "at login"),
        (replace(SERVICE, installed=False), "note", "checkfirst service install"),
        (replace(SERVICE, installed=False, answers=True), "note", "checkfirst service install"),
        (replace(SERVICE, installed=False, answers=False), "note", "Whatever starts programs"),
        (replace(SERVICE, enabled=None, active=None), "note", "No service manager"),
        (replace(SERVICE, enabled=False), "problem", "not started at login"),
        (replace(SERVICE, active=False, running=False), "problem", "journalctl"),
        (replace(SERVICE, active=False), "ok", ""),
        (replace(SERVICE, current=False), "note", "--force"),
    ],
)
def test_the_service(facts, level, words):
    found = told(at_login.judge_service(facts))
    assert found[0] == level
    assert words in found[1]


def test_notifications():
    assert told(judge_desktop(wanted=False, why_not="no bus"))[0] == "ok"
    assert told(judge_desktop(wanted=True, why_not=None))[0] == "ok"
    level, words = told(judge_desktop(wanted=True, why_not="no\nbus"))
    assert (level, "no\\x0abus" in words) == ("note", True)
