"""No file of a person's own is harmed."""

from pathlib import Path

import pytest

from checkfirst.errors import Problem
from checkfirst.service.own_file import OwnFile


def test_an_older_one_of_ours_is_removed_and_a_strangers_is_not(tmp_path: Path):
    path = tmp_path / "entry"
    path.write_text("# ours\nolder\n")
    assert OwnFile(path, "newer", mark="# ours").remove_blocking(force=False)
    path.write_text("theirs")
    with pytest.raises(Problem):
        OwnFile(path, "newer", mark="# ours").remove_blocking(force=False)
    with pytest.raises(Problem):
        OwnFile(path, "newer").remove_blocking(force=False)
    assert OwnFile(path, "newer").remove_blocking(force=True)
    assert not OwnFile(path, "newer").remove_blocking(force=False)


def test_a_link_is_replaced_and_not_written_through(tmp_path: Path):
    other = tmp_path / "other"
    other.write_text("mine")
    link = tmp_path / "link"
    link.symlink_to(other)
    file = OwnFile(link, "new")
    with pytest.raises(Problem):
        file.write_blocking(force=False)
    assert file.write_blocking(force=True)
    assert (other.read_text(), link.read_text(), link.is_symlink()) == ("mine", "new", False)


def test_a_folder_in_its_place_is_a_problem_in_words(tmp_path: Path):
    (tmp_path / "unit").mkdir()
    with pytest.raises(Problem, match="cannot be read"):
        OwnFile(tmp_path / "unit", "new").write_blocking(force=True)
