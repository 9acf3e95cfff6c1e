"""Whole imports, into a folder of which nobody knows what happens to it."""

import bz2
import contextlib
import fcntl
import gzip
import lzma
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from checkfirst.errors import Problem
from checkfirst.sources.knowngood import draft
from checkfirst.sources.knowngood.importing import import_blocking
from checkfirst.sources.knowngood.reading import KnownGoodList
from tests.sources.knowngood.made import build, digests, unseen
from tests.sources.knowngood.rds import Product, full, minimal

GOOD, BAD, BOTH = digests(500), digests(50, first=500), digests(7, first=600)
PRODUCTS = [
    Product(("Operating System",), tuple(GOOD + BOTH)),
    Product(("Keylogger",), tuple(BAD + BOTH)),
]


@pytest.fixture
def target(tmp_path):
    return tmp_path / "state" / "known-good.cfk"


def run(target, *paths, every_product=False, shown=unseen):
    return import_blocking(paths, target, 5.0, shown, every_product=every_product)


def listed(target: Path, hashes) -> int:
    with KnownGoodList.open_blocking(target) as found:
        return sum(map(found.has_blocking, hashes))


def text(path: Path, hashes) -> Path:
    path.write_text("".join(f"{each.hex()}\n" for each in hashes))
    return path


@pytest.mark.parametrize("layout", [minimal, full])
def test_a_reference_data_set(target, tmp_path, layout):
    done = run(target, layout(tmp_path / "RDS.db", PRODUCTS))
    assert (done.facts.count, done.facts.left_out) == (500, 57)
    assert done.facts.source == "NSRL RDS 2026.03.1"
    assert listed(target, GOOD) == 500
    assert listed(target, BAD + BOTH) == 0
    assert "left out: 1 product that is no recommendation (Keylogger)" in done.remarks[0]
    done = run(target, tmp_path / "RDS.db", every_product=True)
    assert (done.facts.count, done.facts.left_out) == (557, 0)
    assert listed(target, GOOD + BAD + BOTH) == 557


def test_several_sets_become_one_list_and_what_one_leaves_out_no_other_brings_in(target, tmp_path):
    mine = text(tmp_path / "mine.txt", [*BAD[:10], *digests(3, first=900)])
    done = run(target, minimal(tmp_path / "RDS.db", PRODUCTS), mine)
    assert done.facts.count == 503
    assert done.facts.source == "NSRL RDS 2026.03.1, mine.txt"
    assert listed(target, BAD) == 0


def test_a_pipe_is_read_to_its_end(target, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    content = "".join(f"{each.hex()}\n" for each in GOOD)
    writer = threading.Thread(target=lambda: pipe.write_text(content))
    writer.start()
    assert run(target, pipe).facts.count == 500
    writer.join()


@pytest.mark.parametrize(
    "content", [b"", b"# none\n", b"PK\x03\x04 and so on", b"SQLite format 3\0"]
)
def test_a_set_that_is_none_leaves_the_old_list(target, tmp_path, content):
    build(target, GOOD)
    wrong = tmp_path / "wrong"
    wrong.write_bytes(content)
    with pytest.raises(Problem):
        run(target, text(tmp_path / "right.txt", BAD), wrong)
    assert listed(target, GOOD) == 500
    assert os.listdir(target.parent) == [target.name]


@pytest.mark.parametrize(
    ("pack", "told"),
    [
        (gzip.compress, "is an archive"),
        (bz2.compress, "is an archive"),
        (lzma.compress, "is an archive"),
        (lambda content: content.decode().encode("utf-16"), "is in UTF-16"),
    ],
)
def test_what_has_to_be_unpacked_first_is_told(target, tmp_path, pack, told):
    packed = tmp_path / "packed"
    packed.write_bytes(pack("".join(f"{each.hex()}\n" for each in GOOD).encode()))
    with pytest.raises(Problem, match=told):
        run(target, packed)


def test_a_list_of_nothing_but_what_is_left_out_is_no_list(target, tmp_path):
    build(target, GOOD)
    with pytest.raises(Problem, match="no hash to be listed"):
        run(target, minimal(tmp_path / "RDS.db", [PRODUCTS[1]]))
    assert listed(target, GOOD) == 500


def test_the_old_list_serves_until_the_new_one_is_checked(target, tmp_path):
    build(target, GOOD)
    seen = []

    @contextlib.contextmanager
    def looking(label, total, unit):
        def look(_):
            seen.append((label.split()[0], listed(target, GOOD[:1])))

        yield look

    run(target, text(tmp_path / "new.txt", BAD), shown=looking)
    assert {label for label, _ in seen} == {"Reading", "Sorting", "Checking"}
    assert {old for _, old in seen} == {1}
    assert (listed(target, GOOD), listed(target, BAD)) == (0, 50)


@pytest.mark.parametrize("stage", ["Reading", "Sorting", "Checking"])
def test_an_interrupted_import_leaves_the_old_list_and_nothing_else(target, tmp_path, stage):
    build(target, GOOD)

    @contextlib.contextmanager
    def interrupting(label, total, unit):
        def interrupt(_):
            if label.startswith(stage):
                raise KeyboardInterrupt

        yield interrupt

    with pytest.raises(KeyboardInterrupt):
        run(target, text(tmp_path / "new.txt", BAD), shown=interrupting)
    assert listed(target, GOOD) == 500
    assert os.listdir(target.parent) == [target.name]


def test_what_the_disk_has_not_kept_is_not_put_in_place(target, tmp_path):
    build(target, GOOD)

    @contextlib.contextmanager
    def spoiling(label, total, unit):
        if label == "Checking":
            with (target.with_name(f"{target.name}.new")).open("r+b") as file:
                file.seek(-5, os.SEEK_END)
                file.write(b"xxx")
        yield lambda _: None

    with pytest.raises(Problem, match="damaged"):
        run(target, text(tmp_path / "new.txt", BAD), shown=spoiling)
    assert listed(target, GOOD) == 500
    assert os.listdir(target.parent) == [target.name]


def test_two_imports_at_once(target, tmp_path):
    new = text(tmp_path / "new.txt", BAD)

    @contextlib.contextmanager
    def meanwhile(label, total, unit):
        with pytest.raises(Problem, match="Another import"):
            run(target, new)
        yield lambda _: None

    run(target, new, shown=meanwhile)
    assert listed(target, BAD) == 50
    assert os.listdir(target.parent) == [target.name]


def test_a_draft_that_was_put_in_place_before_we_had_it_is_let_alone(target):
    """Whoever waits for a draft's lock must not write into the list that it has become."""
    build(target, GOOD)
    path = target.with_name(f"{target.name}.new")
    waits = [lambda: os.replace(path, target), lambda: os.unlink(path)]

    def lock(descriptor, how):
        if waits:  # as another import does between our opening and our locking
            waits.pop(0)()
        fcntl.flock(descriptor, how)

    descriptor = draft.locked_blocking(path, lock)
    assert waits == []
    assert os.path.samestat(os.fstat(descriptor), os.stat(path))
    os.close(descriptor)


def test_a_folder_that_cannot_be_written_is_a_problem(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(Problem, match="cannot be written"):
        run(tmp_path / "file" / "state" / "x.cfk", text(tmp_path / "new.txt", BAD))


SCRIPT = """
import sys
from contextlib import contextmanager
from pathlib import Path
from checkfirst.sources.knowngood.importing import import_blocking

@contextmanager
def shown(label, total, unit):
    if label.startswith(sys.argv[3]):
        print("here", flush=True)
        sys.stdin.read()
    yield lambda _: None

import_blocking([Path(sys.argv[1])], Path(sys.argv[2]), 5.0, shown, every_product=False)
"""


@pytest.mark.parametrize("stage", ["Reading", "Sorting", "Checking"])
def test_a_killed_import_leaves_the_old_list_and_the_next_one_cleans_up(target, tmp_path, stage):
    build(target, GOOD)
    new = text(tmp_path / "new.txt", random.Random(1).sample(BAD, 50))
    command = [sys.executable, "-c", SCRIPT, str(new), str(target), stage]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environ
    ) as process:
        assert process.stdout.readline() == b"here\n"
        process.send_signal(signal.SIGKILL)
    assert listed(target, GOOD) == 500
    assert set(os.listdir(target.parent)) == {target.name, f"{target.name}.new"}
    run(target, new)
    assert listed(target, BAD) == 50
    assert os.listdir(target.parent) == [target.name]


def test_a_full_disk_is_one_clear_problem(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1536k", "tmpfs", str(disk)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mount is not possible here")
    try:
        target = disk / "known-good.cfk"
        build(target, GOOD)
        with pytest.raises(Problem, match="There is no room for the new list") as caught:
            run(target, text(tmp_path / "new.txt", digests(30_000)))
        assert "still serves" in caught.value.to_do
        assert listed(target, GOOD) == 500
        assert os.listdir(disk) == [target.name]
    finally:
        for _ in range(50):
            if not subprocess.run(
                ["umount", str(disk)], capture_output=True, check=False
            ).returncode:
                break
            time.sleep(0.1)


def test_all_sets_are_looked_at_before_the_first_is_read(target, tmp_path):
    right = text(tmp_path / "right.txt", GOOD)
    with pytest.raises(Problem, match="No such file"):
        run(target, right, tmp_path / "wrnog.txt", shown=lambda *_: pytest.fail("it was read"))
    assert not target.parent.exists()


def test_many_long_names_fit_into_the_head(target, tmp_path):
    long = "\U0001f600" * 60
    paths = [text(tmp_path / f"{long}{n}.txt", GOOD) for n in range(20)]
    done = run(target, *paths)
    assert len(done.facts.source) <= 400
    assert listed(target, GOOD) == 500
