import hashlib
import json
import os
import stat
import subprocess
import sys
import zipfile

import pytest

from checkfirst.model import State
from tests.cli.journal_scene import DATA, HOSTILE, SHA

PASSWORD = b"infected"


def entries(path):
    with zipfile.ZipFile(path) as file:
        return {name: file.read(name, PASSWORD) for name in file.namelist()}


def made(folder):
    (path,) = folder.glob("*.zip")
    return path


@pytest.mark.parametrize("word", ["1", "setup.exe", SHA[:10], "*.exe"])
def test_a_file_and_its_reports_are_copied_into_the_current_folder(scene, run, word):
    number = scene.quarantine(b"setup.exe")
    payload = scene.payload(number)
    code, out, err = run("quarantine", "export", word)
    assert (code, err) == (0, "")
    path = made(scene.top)
    assert out == f"1 file in {path}, password infected\n"
    assert path.name == f"quarantined {SHA[:12]}.zip"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert entries(path) == {
        SHA: DATA,
        f"{SHA}.report.txt": (payload.parent / "report.txt").read_bytes(),
        f"{SHA}.report.json": (payload.parent / "report.json").read_bytes(),
    }
    assert stat.S_IMODE(payload.stat().st_mode) == 0
    assert scene.row(number).state is State.QUARANTINED


def test_several_files_go_into_one_zip_and_the_same_bytes_only_once(scene, run):
    for name, data in ((b"a.exe", DATA), (b"b.exe", b"other"), (b"c.exe", DATA)):
        scene.quarantine(name, data)
    assert run("quarantine", "export", "*.exe", "--to", "all.zip")[0] == 0
    other = hashlib.sha256(b"other").hexdigest()
    found = entries(scene.top / "all.zip")
    assert (found[SHA], found[other]) == (DATA, b"other")
    assert len(found) == 8
    names = {json.loads(data)["name"] for name, data in found.items() if name.endswith(".json")}
    assert names == {"a.exe", "b.exe", "c.exe"}


def test_no_entry_has_a_hostile_name(scene, run):
    scene.quarantine(HOSTILE)
    code, out, err = run("quarantine", "export", "1", "--json")
    assert (code, err) == (0, "")
    told = json.loads(out)
    assert told["path"] == str(made(scene.top))
    assert [each["id"] for each in told["files"]] == ["1"]
    with zipfile.ZipFile(told["path"]) as file:
        assert all(name.isascii() and name.isprintable() for name in file.namelist())


def test_a_second_zip_gets_another_name_and_a_named_one_is_refused(scene, run):
    scene.quarantine(b"setup.exe")
    assert run("quarantine", "export", "1")[0] == run("quarantine", "export", "1")[0] == 0
    assert {path.name for path in scene.top.glob("*.zip")} == {
        f"quarantined {SHA[:12]}.zip",
        f"quarantined {SHA[:12]} (1).zip",
    }
    mine = scene.top / "mine.zip"
    mine.write_text("mine")
    code, _, err = run("quarantine", "export", "1", "--to", "mine.zip")
    assert code == 3
    assert "Nothing is overwritten" in err
    assert mine.read_text() == "mine"


@pytest.mark.parametrize("to", ["Downloads", "Downloads/a.zip", "link", "quarantine", "state/a"])
def test_it_is_not_written_where_it_would_be_taken(scene, run, to):
    scene.quarantine(b"setup.exe")
    (scene.top / "link").symlink_to(scene.downloads)
    code, _, err = run("quarantine", "export", "1", "--to", to)
    assert code == 3
    assert "--to" in err
    assert not list(scene.downloads.glob("*.zip"))


def test_what_was_exchanged_or_is_gone_is_left_out_and_said(scene, run):
    good, bad, gone = (scene.quarantine(b"%d" % n, b"data %d" % n) for n in range(3))
    payload = scene.payload(bad)
    payload.chmod(0o600)
    payload.write_bytes(b"exchanged")
    scene.payload(gone).unlink()
    code, out, err = run("quarantine", "export", *(f"{n}" for n in (bad, good, gone)))
    assert code == 3
    assert "not the one that was put there" in err
    assert "no longer there" in err
    assert out.startswith("1 file in ")
    assert {name[:64] for name in entries(made(scene.top))} == {
        hashlib.sha256(b"data 0").hexdigest()
    }


def test_where_nothing_can_be_exported_there_is_no_zip(scene, run):
    number = scene.quarantine(b"setup.exe")
    scene.payload(number).unlink()
    code, out, err = run("quarantine", "export", "1")
    assert (code, out) == (3, "")
    assert "no longer there" in err
    assert [path.name for path in scene.top.iterdir() if "zip" in path.name] == []
    assert [path.name for path in scene.top.iterdir() if "partial" in path.name] == []


def test_a_disk_that_takes_no_more_leaves_no_half_zip(scene, act):
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))"
    ignore = "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)"
    code = f"{limit}; {ignore}; from checkfirst.cli.main import entry; entry()"
    noise = scene.quarantine(b"noise.exe", os.urandom(300_000))
    done = subprocess.run(
        [sys.executable, "-c", code, "quarantine", "export", str(noise)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3, done.stderr
    assert done.stderr.startswith("Error: Could not write the zip")
    assert not [path for path in scene.top.iterdir() if "zip" in path.name or "part" in path.name]


def test_by_age(scene, run):
    scene.quarantine(b"setup.exe")
    assert run("quarantine", "export", "--older-than", "36500d")[1] == "Nothing is that old.\n"
    assert run("quarantine", "export", "--older-than", "1s")[0] == 0
    assert made(scene.top)
    assert run("quarantine", "export")[0] == 2
