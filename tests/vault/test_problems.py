import errno

import pytest

from checkfirst.errors import FileProblem
from checkfirst.vault.problems import DiskError, LeftError, translate


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "no space is left"),
        (errno.EDQUOT, "quota"),
        (errno.EROFS, "read-only"),
        (errno.EACCES, "permission is denied"),
        (errno.EPERM, "does not allow"),
        (errno.EXDEV, "different filesystems"),
        (errno.EIO, "the disk reported an error"),
        (errno.ENAMETOOLONG, "too long"),
    ],
)
def test_each_trouble_has_words_and_advice(number, words):
    problem = translate(OSError(number, "x"), "move it", b"/a/\xff\nb")
    assert isinstance(problem, DiskError)
    assert problem.title.startswith("Could not move it: ")
    assert words in problem.title
    assert problem.to_do
    assert problem.about == "/a/\\xff\\x0ab"
    assert problem.errno == number
    assert "again" not in problem.to_do  # a command does it once


def test_an_unknown_trouble_keeps_the_systems_words():
    assert "Broken pipe" in translate(OSError(errno.EPIPE, "x"), "move it", b"/a").title
    assert "odd" in translate(OSError("odd"), "move it", b"/a").title


def test_a_file_problem_never_ends_anything():
    problem = LeftError("why", b"/a\x1b", "It lies there.")
    assert isinstance(problem, FileProblem)
    assert str(problem) == "why: /a\\x1b. It lies there."
