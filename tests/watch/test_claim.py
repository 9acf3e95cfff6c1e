import subprocess
import sys

import pytest

from checkfirst.watch.claim import Claim
from checkfirst.watch.root import open_root_blocking

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux alone has such names")

HOLD = """
import os, sys
from checkfirst.watch.claim import Claim
from checkfirst.watch.root import open_root_blocking
claim = Claim(open_root_blocking(os.fsencode(sys.argv[1]), "auto"))
print(claim.problem, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def root(tmp_path):
    return open_root_blocking(bytes(tmp_path), "auto")


@pytest.fixture
def other(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, tmp_path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    ) as process:
        assert process.stdout.readline() == "None\n"
        yield process
        process.kill()


def test_another_process_is_named_until_it_is_gone(root, other):
    claim = Claim(root)
    assert f"process {other.pid}" in claim.problem
    other.kill()
    other.wait()
    claim.try_blocking()
    assert claim.problem is None
    claim.close()


def test_a_folder_that_was_let_go_can_be_claimed_again(root):
    for _ in range(2):
        claim = Claim(root)
        assert claim.problem is None
        claim.close()


def test_a_claim_keeps_nothing_open_in_the_folder(root, tmp_path):
    claim = Claim(root)
    tmp_path.rmdir()
    claim.close()
