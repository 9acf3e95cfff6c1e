"""The files that start the daemon at login say what they should to whoever reads them."""

import os
import plistlib
import shutil
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from checkfirst.errors import Problem
from checkfirst.service.at_login.agent import agent
from checkfirst.service.at_login.task import task
from checkfirst.service.at_login.unit import command_line, system_unit, user_unit

TOP = Path(__file__).parents[3]
ODD = "/home/ann b/100%h/$HOME\"${HOME}'\\n;x=y"
COMMAND = ["/usr/bin/python3", "-P", "-m", "checkfirst", "--settings", ODD, "run"]


def _parsed(line: str) -> list[str]:
    """As systemd.syntax(7) and systemd.service(5) read a command, apart from this program's way."""
    words, word, inside, escaped = [], "", False, False
    for character in f"{line} ":
        if escaped:
            word, escaped = word + character, False
        elif character == "\\":
            escaped = True
        elif character == '"':
            inside = not inside
        elif character == " " and not inside:
            words.append(word)
            word = ""
        else:
            word += character
    assert not any(word.replace("%%", "").count("%") for word in words)
    program, *arguments = [word.replace("%%", "%") for word in words]
    assert not any(word.replace("$$", "").count("$") for word in arguments)
    return [program, *(word.replace("$$", "$") for word in arguments)]


@pytest.mark.parametrize("word", [ODD, "a b", "plain", "", "'", '"', "\\", "%", "$", ";", "ä→"])
def test_a_command_is_read_as_it_is_meant(word: str):
    assert _parsed(command_line(["/bin/x", word])) == ["/bin/x", word]


def test_a_program_that_systemd_would_refuse_is_started_by_env():
    assert _parsed(command_line(['/a"b', "run"])) == ["/usr/bin/env", '/a"b', "run"]


@pytest.mark.parametrize("word", ["a\nExecStartPre=/bin/evil", "a\x1b", "a\udcff"])
def test_a_path_that_no_unit_can_say_is_refused(word: str):
    with pytest.raises(Problem, match="cannot be written into a unit"):
        user_unit([*COMMAND, word])


def test_the_example_in_docker_is_what_the_program_says():
    """To write it anew: python -c 'from checkfirst.service.at_login.unit import system_unit; …'."""
    assert (TOP / "docker" / "checkfirst.service").read_text() == system_unit()


def test_the_unit_of_a_person_reads_like_this():
    python, settings = "/home/ann/.venv/bin/python", "/home/ann/my settings.yaml"
    command = [python, "-P", "-m", "checkfirst", "--settings", settings, "run"]
    assert user_unit(command) == Path(__file__).with_name("user.service").read_text()


def test_nothing_that_would_keep_a_persons_manager_from_starting_it_is_in_the_unit():
    lines = {line.split("=")[0] for line in user_unit(COMMAND).splitlines() if line[:1] != "#"}
    taking_capabilities = {"CapabilityBoundingSet", "PrivateDevices", "ProtectClock"}
    taking_capabilities |= {"ProtectKernelLogs", "ProtectKernelModules", "AmbientCapabilities"}
    making_mounts_of_folders = {"ReadWritePaths", "BindPaths", "ProtectHome", "PrivateTmp"}
    assert not lines & (taking_capabilities | making_mounts_of_folders | {"PrivateUsers"})


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
@pytest.mark.parametrize("kind", ["user", "system"])
def test_systemd_finds_no_fault(tmp_path: Path, kind: str):
    unit = tmp_path / "checkfirst.service"
    text = user_unit(COMMAND) if kind == "user" else system_unit()
    unit.write_text(text.replace("/opt/checkfirst/bin/checkfirst", "/bin/true"))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", f"--{kind}", str(unit)],
        env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_launchd_is_told_the_command_as_it_is():
    told = plistlib.loads(agent(COMMAND).encode())
    assert told["ProgramArguments"] == COMMAND
    assert told["RunAtLoad"] is True
    assert told["KeepAlive"] == {"SuccessfulExit": False}


def test_windows_is_told_the_command_without_a_window():
    told = task([r"C:\Users\A & B\python.exe", "-P", r"C:\a b\settings.yaml", "run"])
    space = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"
    action = ET.fromstring(told.partition("\n")[2]).find(f"{space}Actions/{space}Exec")
    assert action is not None
    assert action.findtext(f"{space}Command") == r"C:\Users\A & B\pythonw.exe"
    assert action.findtext(f"{space}Arguments") == r'-P "C:\a b\settings.yaml" run'
