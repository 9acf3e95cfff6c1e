import io
import os
import shutil
import subprocess
import zipfile
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checkfirst.vault.encrypted_zip import Cipher, EncryptedZip

PASSWORD = b"infected"
NOISE = os.urandom(300_000)
ENTRIES = {
    "empty": b"",
    "text": b"the same again and again\n" * 20_000,
    "noise": NOISE,
    "漢字 [red] \\x1b.txt": b"a name",
}


def packed(path, entries=ENTRIES, large=None):
    with open(path, "wb") as file:
        zipped = EncryptedZip(file, PASSWORD, **({"large": large} if large is not None else {}))
        for name, data in entries.items():
            pieces = [data[at : at + 70_000] for at in range(0, len(data), 70_000)]
            zipped.add_blocking(name, len(data), 1_700_000_000.0, pieces)
        zipped.finish_blocking()
    return path


@pytest.mark.parametrize("large", [None, 0, 100_000], ids=["32 bits", "64 bits", "some of both"])
def test_python_reads_it(tmp_path, large):
    with zipfile.ZipFile(packed(tmp_path / "a.zip", large=large)) as file:
        assert {name: file.read(name, PASSWORD) for name in file.namelist()} == ENTRIES
        assert all(each.flag_bits & 1 for each in file.infolist())
        assert all(each.external_attr >> 16 == 0o100600 for each in file.infolist())


def test_a_wrong_password_opens_nothing(tmp_path):
    with zipfile.ZipFile(packed(tmp_path / "a.zip")) as file:
        for word in (b"clean", b"wrong", b"no"):
            try:
                assert file.read("noise", word) != NOISE
            except (RuntimeError, zipfile.BadZipFile, zlib.error):
                continue


@pytest.mark.parametrize("large", [None, 0], ids=["32 bits", "64 bits"])
@pytest.mark.parametrize(
    ("program", "check", "take"),
    [
        ("unzip", ["-P", "infected", "-tq"], ["-P", "infected", "-qq"]),
        ("7z", ["-pinfected", "t"], ["-pinfected", "x", "-bd"]),
        ("bsdtar", ["--passphrase", "infected", "-tf"], ["--passphrase", "infected", "-xf"]),
    ],
)
def test_other_programs_read_it(tmp_path, program, check, take, large):
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    path = packed(tmp_path / "a.zip", large=large)
    environ = {**os.environ, "LC_ALL": "C.UTF-8"}
    for arguments in (check, take):
        done = subprocess.run(
            [program, *arguments, str(path)],
            cwd=tmp_path,
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "noise").read_bytes() == NOISE
    assert (tmp_path / "text").read_bytes() == ENTRIES["text"]


def test_an_entry_that_could_not_be_had_leaves_nothing_behind(tmp_path):
    def failing():
        yield NOISE
        raise ValueError("gone")

    with open(tmp_path / "a.zip", "wb") as file:
        zipped = EncryptedZip(file, PASSWORD)
        zipped.add_blocking("one", 3, 0.0, [b"one"])
        with pytest.raises(ValueError, match="gone"):
            zipped.add_blocking("two", len(NOISE), 0.0, failing())
        zipped.add_blocking("three", 5, 1e12, [b"three"])
        zipped.finish_blocking()
    with zipfile.ZipFile(tmp_path / "a.zip") as read:
        assert read.namelist() == ["one", "three"]
        assert read.read("three", PASSWORD) == b"three"
    assert (tmp_path / "a.zip").stat().st_size < 1000


@settings(max_examples=30)
@given(st.lists(st.binary(max_size=50), max_size=6))
def test_how_data_come_does_not_matter(pieces):
    whole, parts = Cipher(PASSWORD), Cipher(PASSWORD)
    assert whole.encrypt(b"".join(pieces)) == b"".join(map(parts.encrypt, pieces))


@given(data=st.binary(max_size=2000))
@settings(max_examples=30)
def test_whatever_is_put_in_comes_out(data):
    file = io.BytesIO()
    zipped = EncryptedZip(file, PASSWORD)
    zipped.add_blocking("a", len(data), 0.0, [data])
    zipped.finish_blocking()
    with zipfile.ZipFile(file) as read:
        assert read.read("a", PASSWORD) == data


def test_what_lies_beyond_32_bits_is_found(tmp_path):
    path = tmp_path / "a.zip"
    with open(path, "wb") as file:
        file.seek(5 * 1024**3)  # a hole, as if as much had been written before
        zipped = EncryptedZip(file, PASSWORD)
        for name, data in ENTRIES.items():
            zipped.add_blocking(name, len(data), 1_700_000_000.0, [data])
        zipped.finish_blocking()
    with zipfile.ZipFile(path) as read:
        assert {name: read.read(name, PASSWORD) for name in read.namelist()} == ENTRIES
        assert min(each.header_offset for each in read.infolist()) == 5 * 1024**3


def test_more_than_was_said_is_refused_and_leaves_nothing_behind(tmp_path):
    with open(tmp_path / "a.zip", "wb") as file:
        zipped = EncryptedZip(file, PASSWORD)
        with pytest.raises(ValueError, match="larger than was said"):
            zipped.add_blocking("grown", 3, 0.0, [b"one", b"!"])
        zipped.add_blocking("one", 3, 0.0, [b"one"])
        zipped.finish_blocking()
    with zipfile.ZipFile(tmp_path / "a.zip") as read:
        assert read.namelist() == ["one"]


@pytest.mark.parametrize("moment", [1e30, -1e30, 1e17, 1e12, -1.0, float("nan")])
def test_a_moment_that_zips_do_not_know_is_the_first_they_do(moment):
    file = io.BytesIO()
    zipped = EncryptedZip(file, PASSWORD)
    zipped.add_blocking("a", 1, moment, [b"a"])
    zipped.finish_blocking()
    with zipfile.ZipFile(file) as read:
        assert read.getinfo("a").date_time == (1980, 1, 1, 0, 0, 0)
        assert read.read("a", PASSWORD) == b"a"
