import json
import os
import signal
import subprocess
import sys

import pytest

from checkfirst.service.lock import only_one
from tests.sources.knowngood.made import digests
from tests.sources.knowngood.rds import Product, minimal

HASHES = digests(40)


@pytest.fixture
def list_(scene):
    path = scene.top / "list.txt"
    path.write_text("".join(f"{each.hex()}\n" for each in HASHES))
    return path


@pytest.fixture
def target(scene):
    return scene.state / "known-good.cfk"


def test_a_list_is_imported_looked_into_and_removed(scene, list_, target, run):
    assert run("known-good", "import", str(list_)) == (
        0,
        "40 hashes are listed now (list.txt).\n",
        "",
    )
    code, out, _ = run("known-good", "stats", "--json")
    facts = json.loads(out)
    assert code == 0
    assert facts.pop("made_at").endswith("Z")
    assert facts.pop("bytes_a_hash") > 18
    assert facts == {
        "path": str(target),
        "source": "list.txt",
        "count": 40,
        "left_out": 0,
        "size": target.stat().st_size,
    }
    code, out, _ = run("known-good", "stats")
    assert "whole: every checksum is right" in out
    assert "40" in out
    assert "left out" not in out
    code, _, err = run("known-good", "remove")
    assert (code, "--yes" in err) == (3, True)
    assert target.exists()
    assert run("known-good", "remove", "--yes")[0] == 0
    assert os.listdir(scene.state) == []


def test_hashes_and_files_are_checked(scene, list_, run):
    (scene.top / "zero").write_bytes(b"0")
    (scene.top / "link").symlink_to("zero")
    (scene.top / os.fsdecode(b"new\n\xff")).write_bytes(b"never seen")
    run("known-good", "import", str(list_))
    listed, other = HASHES[0].hex(), "ab" * 32
    assert run("known-good", "check", listed.upper(), "zero", "link")[0] == 0
    code, out, _ = run("known-good", "check", listed, other, os.fsdecode(b"new\n\xff"))
    assert code == 1
    assert out.splitlines() == [
        f"known good  {listed}",
        f"not listed  {other}",
        "not listed  new\\x0a\\xff",
    ]
    code, out, _ = run("known-good", "check", "zero", other, "--json")
    assert code == 1
    assert json.loads(out) == [
        {"given": "zero", "sha256": listed, "known_good": True},
        {"given": other, "sha256": other, "known_good": False},
    ]
    for strange in ("nowhere", "abcd", "."):
        code, out, err = run("known-good", "check", strange)
        assert (code, out) == (3, "")
        assert "neither a SHA-256 nor a file" in err


@pytest.mark.parametrize("words", [("stats",), ("check", "ab" * 32), ("remove", "--yes")])
def test_without_a_list_it_is_said_how_to_make_one(scene, run, words):
    code, out, err = run("known-good", *words)
    assert (code, out) == (3, "")
    assert "checkfirst known-good import" in err


@pytest.mark.parametrize("words", [("stats",), ("check", "ab" * 32)])
def test_a_damaged_list_is_refused_in_words(scene, list_, target, run, words):
    run("known-good", "import", str(list_))
    os.truncate(target, 5000)
    code, out, err = run("known-good", *words)
    assert (code, out) == (3, "")
    assert "damaged" in err
    assert "checkfirst known-good import" in err


def test_damage_among_the_hashes_is_found_by_stats(scene, list_, target, run):
    run("known-good", "import", str(list_))
    with target.open("r+b") as file:
        file.seek(-3, os.SEEK_END)
        file.write(b"\0")
    code, out, err = run("known-good", "stats", "--json")
    assert (code, out) == (3, "")
    assert "have changed" in err


def test_what_is_left_out_of_nists_set_is_told_with_its_number(scene, run):
    products = [Product(("Game",), tuple(HASHES)), Product(("Hacker Tool",), tuple(digests(5, 90)))]
    minimal(scene.top / "RDS.db", products)
    code, out, _ = run("known-good", "import", "RDS.db")
    assert code == 0
    assert out.splitlines() == [
        "40 hashes are listed now (NSRL RDS 2026.03.1).",
        "5 hashes were left out.",
        "NSRL RDS 2026.03.1: left out: 1 product that is no recommendation (Hacker Tool).",
    ]
    assert "5 hashes of products that are no recommendation" in run("known-good", "stats")[1]
    assert "45 hashes" in run("known-good", "import", "--every-product", "RDS.db")[1]


def test_standard_input_is_read(scene, list_, target, act, monkeypatch, run):
    with list_.open() as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        assert "40 hashes are listed now (standard input)" in run("known-good", "import", "-")[1]


def test_lines_without_a_hash_are_told(scene, run):
    (scene.top / "list.txt").write_text(f"SHA-256\n{HASHES[0].hex()}\n\x1b[2Jx\n")
    _, out, _ = run("known-good", "import", "list.txt")
    assert "list.txt: 2 lines have no SHA-256 and were passed over (1, 3)." in out


def test_it_is_said_whether_anybody_asks_the_list(scene, list_, run):
    scene.state.mkdir()
    with only_one(scene.state):
        assert "The running daemon uses it" in run("known-good", "import", str(list_))[1]
    with (scene.top / "settings.yaml").open("a") as file:
        file.write("sources: [lists, virustotal]\n")
    _, out, err = run("known-good", "import", str(list_))
    assert "nobody asks this list" in err
    assert "running" not in out


def test_it_cannot_be_read_is_a_problem_in_words(scene, run):
    for path in ("nowhere.txt", "."):
        code, out, err = run("known-good", "import", path)
        assert (code, out) == (3, "")
        assert "The hash set cannot be read" in err


def test_ctrl_c_leaves_the_old_list_and_nothing_else(scene, list_, target, run):
    run("known-good", "import", str(list_))
    before = target.read_bytes()
    command = [sys.executable, "-m", "checkfirst", "known-good", "import", "-"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        content = list_.read_bytes()
        # More than a pipe holds: once it is written, the import has begun to read.
        process.stdin.write(content * (200_000 // len(content) + 1))
        process.stdin.flush()
        assert target.with_name(f"{target.name}.new").exists()
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
        assert process.stderr.read().strip() == b""
    assert target.read_bytes() == before
    assert os.listdir(scene.state) == [target.name]
