import os
import shutil
import subprocess
import sys

import pytest

from checkfirst.cli.completing import QUARANTINED, files
from checkfirst.cli.main import commands
from checkfirst.model import State
from tests.cli.journal_scene import HOSTILE

BASH = """
eval "$(checkfirst completion bash)"
COMP_WORDS=(checkfirst "$@")
COMP_CWORD=$#
_checkfirst_completion checkfirst
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def shell(scene):
    """A folder with the command in it, first on the path."""
    folder = scene.top / "bin"
    folder.mkdir()
    program = folder / "checkfirst"
    path = os.pathsep.join(filter(None, sys.path))
    program.write_text(
        f"#!{sys.executable}\nimport sys\nsys.path[:0] = {path.split(os.pathsep)!r}\n"
        "from checkfirst.cli.main import entry\nentry()\n"
    )
    program.chmod(0o755)
    environ = {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}

    def run(*command):
        if shutil.which(command[0]) is None:
            pytest.skip(f"{command[0]} is not installed")
        done = subprocess.run(
            command, env=environ, capture_output=True, text=True, check=False, cwd=scene.top
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    return run


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["quar"], {"quarantine"}),
        (["quarantine", ""], {"list", "show", "restore", "delete", "export"}),
        (["quarantine", "restore", ""], {"1", "2", "setup.exe"}),
        (["quarantine", "restore", "se"], {"setup.exe"}),
        (["quarantine", "restore", "--t"], {"--to"}),
        (["log", "--level", "w"], {"warning"}),
        (["release", ""], {"3", "held.txt"}),
        (["why", "h"], {"held.txt"}),
        (["allow", "add", "se"], {"setup.exe"}),
        (["block", "remove", "h"], {"held.txt"}),
        (["--settings", "/nowhere", "why", ""], {""}),
    ],
)
def test_bash(scene, shell, words, offered):
    scene.quarantine(b"setup.exe")
    scene.quarantine(HOSTILE, b"other")
    scene.arrive(b"held.txt", State.HELD)
    assert set(shell("bash", "--norc", "-c", BASH, "bash", *words)) == offered


def test_fish(scene, shell):
    scene.quarantine(b"setup.exe")
    ask = "checkfirst completion fish | source; complete -C"
    found = shell("fish", "-N", "-c", f"{ask} 'checkfirst quarantine show '")
    assert [line.split("\t")[0] for line in found] == ["1", "setup.exe"]
    (told,) = shell("fish", "-N", "-c", f"{ask} 'checkfirst quar'")
    assert told == "quarantine\tList; restore; delete; export what was quarantined."


def test_zsh_takes_the_script(scene, shell):
    script = 'autoload -U compinit; compinit -u -D; eval "$(checkfirst completion zsh)"; '
    assert shell("zsh", "-f", "-c", f"{script} print $_comps[checkfirst]") == [
        "_checkfirst_completion"
    ]


def test_nothing_is_offered_and_nothing_said_where_the_database_is_broken(scene, capfd):
    scene.state.mkdir()
    (scene.state / "checkfirst.sqlite").write_bytes(b"x" * 5000)
    context = commands.make_context("checkfirst", [], resilient_parsing=True)
    assert files(QUARANTINED)(context, context.command.params[0], "") == []
    assert capfd.readouterr() == ("", "")
