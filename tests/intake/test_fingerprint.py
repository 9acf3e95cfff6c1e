import hashlib

import pytest

from checkfirst.intake.fingerprint import fingerprint_blocking
from checkfirst.model import Risk
from checkfirst.vault.grip import grasp_blocking
from checkfirst.vault.problems import ChangedError
from tests.intake.settling_bench import write


def test_a_file_is_hashed_and_identified(folder):
    content = b"#!/bin/sh\necho hello\n"
    path = write(folder + b"/held", content)
    with grasp_blocking(path, lease=True) as grip:
        found = fingerprint_blocking(grip, b"invoice.pdf")
    assert found.sha256 == hashlib.sha256(content).hexdigest()
    assert found.size == len(content)
    assert found.risk is Risk.SCRIPT


def test_bytes_that_change_are_not_fingerprinted(folder):
    path = write(folder + b"/held")
    with grasp_blocking(path, lease=False) as grip:
        write(path, b"more than before")
        with pytest.raises(ChangedError):
            fingerprint_blocking(grip, b"held")
