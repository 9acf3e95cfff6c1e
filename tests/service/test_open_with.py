"""The entry says to every file manager what it should."""

import plistlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from checkfirst.errors import Problem
from checkfirst.service.open_with import WORDS, entry, files

ODD = "/home/ann b/100%f/$HOME`id`\"'\\n;&x"
COMMAND = ["/usr/bin/python3", "-P", "-m", "checkfirst", "--settings", ODD, *WORDS]


def _exec(text: str) -> list[str]:
    """As the specification reads it: the string first, then the quotes, then the codes."""
    (line,) = re.findall(r"^Exec=(.*)$", text, re.MULTILINE)
    line = re.sub(r"\\(.)", lambda found: {"\\": "\\", "s": " "}[found[1]], line)
    words = []
    for quoted, plain in re.findall(r'"((?:\\.|[^"\\])*)"|(\S+)', line):
        words.append(re.sub(r'\\(["`$\\])', r"\1", quoted) if quoted else plain)
    return [word if word == "%F" else word.replace("%%", "%") for word in words]


@pytest.mark.parametrize(
    "word", [ODD, "a b", "plain", "'", '"', "\\", "\\\\", "%F", "$x", "`", "ä"]
)
def test_a_command_is_read_as_it_is_meant(word: str):
    assert _exec(entry(["/bin/x", word, *WORDS])) == ["/bin/x", word, *WORDS, "%F"]


@pytest.mark.parametrize("word", ["a\nExec=evil", "a=b", "\x1b", "a\udcff"])
def test_a_path_that_no_entry_can_say_is_refused(word: str):
    with pytest.raises(Problem, match="cannot be written into a menu entry"):
        entry(["/bin/x", word])
    with pytest.raises(Problem):
        entry(["/100%/x"])


@pytest.mark.skipif(not shutil.which("desktop-file-validate"), reason="no desktop-file-validate")
def test_the_desktops_own_tool_finds_no_fault(tmp_path: Path):
    file = tmp_path / "checkfirst.desktop"
    file.write_text(entry(COMMAND))
    done = subprocess.run(
        ["desktop-file-validate", file], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_every_platforms_files_lie_at_home_and_run_the_command(platform: str):
    made = files(COMMAND, {"HOME": "/home/ann"}, platform)
    assert all(str(file.path).startswith("/home/ann/") for file in made)
    assert any("checkfirst" in file.content and "--browse" in file.content for file in made)


def test_macos_is_given_property_lists():
    made = files(COMMAND, {"HOME": "/home/ann"}, "darwin")
    told = [plistlib.loads(file.content.encode()) for file in made]
    script = told[1]["actions"][0]["action"]["ActionParameters"]["COMMAND_STRING"]
    done = subprocess.run(
        ["sh", "-c", script.replace("/usr/bin/python3", "printf '%s\\n'", 1), "sh", "a b"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split("\n")[-7:-1] == ["--settings", ODD, *WORDS, "a b"]


def test_windows_runs_it_without_a_window():
    (file,) = files([r"C:\a b\python.exe", "-P", *WORDS], {"APPDATA": "/a"}, "win32")
    assert 'start "" "C:\\a b\\pythonw.exe" -P check --open --browse %*' in file.content
