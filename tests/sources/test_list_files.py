import os
import stat

import pytest

from checkfirst.policy.hashes import Kind
from checkfirst.sources.list_files import Hashes, ListFiles, Packed

A, B = "a" * 64, "b" * 64
SHA1, MD5 = "c" * 40, "d" * 32


@pytest.fixture
def path(tmp_path):
    return tmp_path / "list.txt"


def allowed(path):
    files = ListFiles([path], [])
    return files, files.read_blocking()


def holds(found, hash_):
    return any(hash_ in each for each in found.allow)


@pytest.mark.parametrize("count", [0, 1, 2, 1000])
def test_what_is_packed_is_found_and_nothing_else(count):
    digests = [os.urandom(32) for _ in range(count)]
    packed = Packed(set(digests))
    assert len(packed) == count
    assert all(each in packed for each in digests)
    assert bytes(32) not in packed
    assert b"\xff" * 32 not in packed


def test_hashes_of_all_kinds_are_kept_apart():
    hashes = Hashes.of("here", [A, SHA1, MD5])
    assert set(hashes.packed) == set(Kind)
    assert all(each in hashes for each in (A, SHA1, MD5))
    assert not any(each in hashes for each in (B, "c" * 32, "a" * 40))


def test_files_have_comments_blank_lines_either_case_and_the_lines_of_sha256sum(path):
    path.write_bytes(
        f"\ufeff# mine\n\n{A.upper()}  # a tool\r\n{B}  name #1 {A}\n\\{'e' * 64} *a\\nb".encode()
    )
    _, found = allowed(path)
    assert found.problems == ()
    assert all(holds(found, each) for each in (A, B, "e" * 64))


def test_broken_lines_are_named_and_the_rest_counts(path):
    path.write_bytes(f"{A[:-1]}\n{B}\n\xff\xfe not a hash\n{A},{A}\n{MD5}\n".encode("latin-1"))
    _, found = allowed(path)
    assert [each.split(": ")[0] for each in found.problems] == [
        f"{path}:{number}" for number in (1, 3, 4, 5)
    ]
    assert "looks like MD5" in found.problems[3]
    assert holds(found, B)
    assert not holds(found, A)


def test_a_block_list_takes_sha1_and_md5(path):
    path.write_text(f"{A}\n{SHA1}\n{MD5}\n{'e' * 128}\n")
    found = ListFiles([], [path, "f" * 32]).read_blocking()
    assert [each.split(": ")[0] for each in found.problems] == [f"{path}:4"]
    assert {kind for each in found.block for kind in each.packed} == set(Kind)


def test_a_file_full_of_rubbish_does_not_flood(path):
    path.write_text("x\n" * 1000)
    _, found = allowed(path)
    assert len(found.problems) == 21
    assert "980 more lines" in found.problems[-1]


def test_a_change_counts_when_two_looks_have_found_it_the_same(path):
    path.write_text(f"{A}\n")
    files, _ = allowed(path)
    assert files.look_blocking() is None
    path.write_text(f"{A}\n{B[:20]}")  # somebody is just writing it
    assert files.look_blocking() is None
    path.write_text(f"{A}\n{B}\n")
    assert files.look_blocking() is None
    found = files.look_blocking()
    assert holds(found, B)
    assert found.problems == ()
    assert files.look_blocking() is None


def test_a_replaced_file_counts_even_with_the_same_size_and_time(path):
    path.write_text(f"{A}\n")
    files, _ = allowed(path)
    before = path.stat()
    other = path.with_name("other")
    other.write_text(f"{B}\n")
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.rename(path)
    files.look_blocking()
    found = files.look_blocking()
    assert (holds(found, A), holds(found, B)) == (False, True)


def test_a_file_that_vanishes_goes_on_counting_and_is_told(path):
    path.write_text(f"{A}\n")
    files, _ = allowed(path)
    path.unlink()
    assert files.look_blocking() is None  # an editor that saves may do this for a moment
    found = files.look_blocking()
    assert holds(found, A)
    (problem,) = found.problems
    assert problem.startswith(f"{path}: the list cannot be read: No such file or directory")
    assert problem.endswith("what it held goes on counting")
    assert files.look_blocking() is None
    path.write_text(f"{B}\n")
    files.look_blocking()
    found = files.look_blocking()
    assert found.problems == ()
    assert (holds(found, A), holds(found, B)) == (False, True)


def test_a_file_that_was_never_there_is_a_problem(path):
    _, found = allowed(path)
    assert found.problems == (f"{path}: the list cannot be read: No such file or directory",)


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_file_is_told_and_waits_for_nobody(path, make):
    make(path)
    assert not stat.S_ISREG(path.stat().st_mode)
    (problem,) = allowed(path)[1].problems
    assert "cannot be read" in problem


def test_a_file_without_end_is_not_read(path):
    with path.open("wb") as file:
        file.truncate(2**40)
    (problem,) = allowed(path)[1].problems
    assert "larger than 256 MiB" in problem
