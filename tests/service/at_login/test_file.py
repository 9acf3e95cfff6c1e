"""Which file it is on which platform, and that no other is harmed."""

from pathlib import Path

import pytest

from checkfirst.errors import Problem
from checkfirst.service.at_login.file import StartFile, run_command, start_file

HOME = "/home/ann"


@pytest.mark.parametrize(
    ("platform", "environ", "path"),
    [
        ("linux", {}, f"{HOME}/.config/systemd/user/checkfirst.service"),
        ("linux", {"XDG_CONFIG_HOME": "/c"}, "/c/systemd/user/checkfirst.service"),
        ("linux", {"XDG_CONFIG_HOME": "c"}, f"{HOME}/.config/systemd/user/checkfirst.service"),
        ("darwin", {}, f"{HOME}/Library/LaunchAgents/checkfirst.plist"),
        ("win32", {"APPDATA": "/a"}, "/a/checkfirst/checkfirst-task.xml"),
    ],
)
def test_each_platform_has_its_place(platform: str, environ: dict, path: str):
    file = start_file(["/bin/x", "run"], {"HOME": HOME, **environ}, platform)
    assert str(file.path) == path
    assert "/bin/x" in file.content


def test_the_interpreter_imports_nothing_from_the_working_folder():
    assert run_command("/s.yaml", "/bin/python3")[:4] == ["/bin/python3", "-P", "-m", "checkfirst"]
    assert run_command(None, "/bin/python3")[4:] == ["run"]


def test_a_link_is_replaced_and_not_written_through(tmp_path: Path):
    other = tmp_path / "other"
    other.write_text("mine")
    link = tmp_path / "link"
    link.symlink_to(other)
    file = StartFile(link, "new")
    with pytest.raises(Problem):
        file.write_blocking(force=False)
    assert file.write_blocking(force=True)
    assert (other.read_text(), link.read_text(), link.is_symlink()) == ("mine", "new", False)


def test_a_folder_in_its_place_is_a_problem_in_words(tmp_path: Path):
    (tmp_path / "unit").mkdir()
    with pytest.raises(Problem, match="cannot be read"):
        StartFile(tmp_path / "unit", "new").write_blocking(force=True)
