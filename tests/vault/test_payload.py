"""Several readers of one payload, none of whom has privileges."""

import hashlib
import os
import threading

import pytest

from checkfirst.vault.digest import digest_blocking, digests_and_head_blocking
from checkfirst.vault.payload import (
    PAYLOAD,
    grasp_payload_blocking,
    is_sealed_blocking,
    payload_hash_blocking,
    seal_blocking,
)
from checkfirst.vault.places import seal_all_blocking
from checkfirst.vault.problems import BusyError, ChangedError
from checkfirst.vault.restore import restore_blocking
from checkfirst.vault.still import others_blocking

DATA = b"what was stopped"
SHA = hashlib.sha256(DATA).hexdigest()
MTIME = 1_700_000_000_123_456_789


@pytest.fixture
def folder(place):
    """A folder of the quarantine that belongs to somebody without privileges."""
    path = place + b"/Quarantine/2026-11-24 file 01234567"
    os.makedirs(path, 0o700)
    payload = path + b"/" + PAYLOAD
    with open(payload, "wb") as file:
        file.write(DATA)
    os.utime(payload, ns=(MTIME, MTIME))
    os.chmod(payload, 0)
    for each in (payload, path, os.path.dirname(path), place):
        os.chown(each, 65534, 65534)
    return path


def mode(path: bytes) -> int:
    return os.stat(path).st_mode & 0o7777


def payload_mode(folder: bytes) -> int:
    return mode(folder + b"/" + PAYLOAD)


def test_it_is_readable_through_the_descriptor_alone(folder, as_nobody):
    def look() -> bool:
        with grasp_payload_blocking(folder) as grip:
            return payload_mode(folder) == 0 and digest_blocking(grip) == SHA

    assert as_nobody(look)


def test_where_no_change_of_mode_is_needed_there_is_none(folder):
    before = os.stat(folder + b"/" + PAYLOAD).st_ctime_ns
    assert payload_hash_blocking(folder) == SHA
    assert others_blocking(folder, SHA, ["md5"], lease=False, is_folder=True)
    seal_blocking(folder)
    assert os.stat(folder + b"/" + PAYLOAD).st_ctime_ns == before


def test_a_second_reader_does_not_disturb_the_first(folder, as_nobody):
    def look() -> bool:
        with grasp_payload_blocking(folder) as first:
            assert payload_hash_blocking(folder) == SHA
            assert os.fstat(first.descriptor).st_ctime_ns != first.stamp.ctime_ns
            return digests_and_head_blocking(first, ["md5"])[0][0] == SHA

    assert as_nobody(look)


def test_changed_bytes_are_noticed_all_the_same(folder):
    with grasp_payload_blocking(folder) as grip:
        os.utime(folder + b"/" + PAYLOAD, ns=(0, 0))
        with pytest.raises(ChangedError):
            digest_blocking(grip)


def test_one_that_cannot_be_opened_stays_sealed(folder, as_nobody):
    payload = folder + b"/" + PAYLOAD
    with open(payload, "ab"):

        def look() -> bool:
            try:
                grasp_payload_blocking(folder, lease=True)
            except BusyError:
                return payload_mode(folder) == 0
            return False

        assert as_nobody(look)


@pytest.mark.parametrize("moment", ["restore.opened", "restore.verified", "restore.noted"])
def test_a_reader_does_not_disturb_a_restore(place, folder, as_nobody, at, moment):
    read = []
    at(moment, lambda: read.append(payload_hash_blocking(folder)))

    def back() -> bool:
        placed = restore_blocking(folder, place + b"/back", b"file", SHA, 0o640, MTIME)
        return read == [SHA] and mode(placed.path) == 0o640

    assert as_nobody(back)


def test_a_reader_that_comes_while_it_leaves_spoils_no_mode(place, folder, as_nobody, at):
    """The mode that a file is given back with is set before it moves."""
    found = []

    def come() -> None:
        reader = threading.Thread(target=lambda: found.append(payload_hash_blocking(folder)))
        reader.start()
        reader.join(0.2)  # it has to wait, or would be done by then
        readers.append(reader)

    readers: list[threading.Thread] = []
    at("restore.chmodded", come)

    def back() -> bool:
        placed = restore_blocking(folder, place + b"/back", b"file", SHA, 0o640, MTIME)
        readers[0].join()
        return found == [None] and mode(placed.path) == 0o640

    assert as_nobody(back)


def test_what_a_kill_left_readable_is_sealed_by_the_next_reader(folder, as_nobody):
    os.chmod(folder + b"/" + PAYLOAD, 0o400)
    assert as_nobody(lambda: payload_hash_blocking(folder) == SHA)
    assert is_sealed_blocking(folder)


def test_what_a_kill_left_readable_is_sealed_by_a_look_at_all(folder, as_nobody):
    os.chmod(folder + b"/" + PAYLOAD, 0o400)
    os.mkdir(os.path.dirname(folder) + b"/empty")
    assert as_nobody(lambda: seal_all_blocking(os.path.dirname(folder)) is None)
    assert is_sealed_blocking(folder)


def test_a_link_in_its_place_leads_nowhere(place, folder):
    secret = place + b"/secret"
    with open(secret, "wb") as file:
        file.write(DATA)
    os.chmod(secret, 0o600)
    os.unlink(folder + b"/" + PAYLOAD)
    os.symlink(secret, folder + b"/" + PAYLOAD)
    assert payload_hash_blocking(folder) is None
    seal_blocking(folder)
    assert mode(secret) == 0o600
