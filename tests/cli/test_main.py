import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from checkfirst import __version__
from checkfirst.cli.main import TABLE

HEAD = """\
Usage: checkfirst [OPTIONS] COMMAND [ARGS]...

  Judge every download before you can open it.

  Files that arrive in the watched folders are taken out of reach, looked up,
  and then moved: to the released folder when they may be opened, to the
  quarantine when they may not.

Options:
  --settings PATH  The settings file, in place of the one that is found.
  --verbose        Show where in the program an error arose.
  --version        Show the version and exit.
  -h, --help       Show this message and exit.

Stand guard:
  run    Stand guard over the watched folders, in the foreground.
  check  Judge files where they lie, and open them if they may be.
"""

HEAVY = """
import sys
from checkfirst.cli.main import run_blocking
code = run_blocking(sys.argv[1:])
heavy = {"asyncio", "aiohttp", "aiosqlite", "pydantic", "rich", "ruamel.yaml", "watchdog"}
print("HEAVY", sorted(heavy & set(sys.modules)), file=sys.stderr)
"""


def separate(*arguments, code="import sys; from checkfirst.cli.main import entry; entry()", **more):
    """The command line as a process of its own."""
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **more}
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=environ,
        cwd=os.getcwd(),
    )


def test_help_names_every_command_once_in_its_group(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    code, out, _ = run("--help")
    assert code == 0
    assert out.startswith(HEAD)
    told = [line.split()[0] for line in out.splitlines() if re.match(r"  [a-z]", line)]
    told = told[told.index("run") : -1]  # the last is of the exit codes
    assert told == list(TABLE)


@pytest.mark.parametrize("command", TABLE)
def test_every_command_of_the_help_is_there_and_has_help(run, command):
    code, out, _ = run(command, "--help")
    assert code == 0
    assert out.startswith(f"Usage: checkfirst {command} ")


def test_version(run):
    assert run("--version") == (0, f"checkfirst {__version__}\n", "")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--version"],
        ["--help"],
        ["status"],
        ["status", "--json"],
        ["history"],
        ["history", "--json"],
        ["why", "setup.exe"],
        ["quarantine", "list"],
        ["completion", "bash"],
        ["log"],
    ],
)
def test_short_commands_import_nothing_heavy(scene, run, arguments):
    """Once the settings have been seen in full; that look is remembered."""
    scene.quarantine(b"setup.exe")
    run("status")
    done = separate(*arguments, code=HEAVY)
    assert done.stderr.splitlines()[-1] == "HEAVY []", done.stderr


def test_completing_a_command_imports_nothing_heavy_and_knows_all(scene):
    done = separate(
        _CHECKFIRST_COMPLETE="bash_complete", COMP_WORDS="checkfirst re", COMP_CWORD="1", code=HEAVY
    )
    assert done.stdout.splitlines() == ["plain,release"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script_for_the_shell(run, shell):
    code, out, _ = run("completion", shell)
    assert code == 0
    assert f"{shell}_complete" in out


def test_an_unknown_command_is_a_usage_error(run):
    code, _, err = run("forget")
    assert code == 2
    assert "No such command 'forget'" in err


@pytest.mark.parametrize(
    ("word", "meant"),
    [("stauts", "status"), ("restore", "quarantine restore"), ("start", "run"), ("help", "--help")],
)
def test_a_word_that_is_nearly_a_command_is_told_the_right_one(run, word, meant):
    code, _, err = run(word, "more")
    assert code == 2
    assert f"No such command '{word}'. Did you mean '{meant}'?" in err


def test_an_error_is_title_subject_and_what_to_do_and_no_traceback(scene):
    done = separate("why", "nobody.exe")
    assert done.returncode == 3
    assert done.stdout == ""
    title, about, to_do = done.stderr.splitlines()
    assert title == "Error: Nothing is known of this file"
    assert about == "  nobody.exe"
    assert "checkfirst check FILE" in to_do


def test_every_problem_of_the_settings_is_told_at_once(scene):
    Path("settings.yaml").write_text("mode: loud\nwatch: []\nspeed: 3\n")
    done = separate("status")
    assert done.returncode == 2
    assert [word in done.stderr for word in ("mode", "watch", "speed")] == [True] * 3
    assert "Traceback" not in done.stderr


def test_verbose_shows_where_an_error_arose(scene):
    done = separate("--verbose", "why", "nobody.exe")
    assert done.returncode != 0
    assert "Traceback" in done.stderr


def test_a_damaged_database_is_told_in_words(scene, run):
    scene.state.mkdir()
    (scene.state / "checkfirst.sqlite").write_bytes(b"no database at all" * 100)
    code, _, err = run("history")
    assert code == 3
    assert err.startswith("Error: The database is damaged\n")


def test_a_reader_that_has_enough_is_no_error(scene):
    for number in range(3):
        scene.quarantine(b"file%d" % number)
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    code = "import sys; from checkfirst.cli.main import entry; entry()"
    reading, writing = os.pipe()
    os.close(reading)
    with subprocess.Popen(
        [sys.executable, "-c", code, "history", "--json"],
        stdout=writing,
        stderr=subprocess.PIPE,
        env=environ,
    ) as process:
        os.close(writing)
        assert process.stderr is not None
        assert process.stderr.read() == b""


def test_ctrl_c_ends_with_130_and_no_words(scene):
    """SIGINT to a process that waits for a daemon."""
    code = (
        "import os, signal, threading, sys\n"
        "from checkfirst.cli.main import entry\n"
        # Whoever is started in a shell's background is born with SIGINT ignored.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "threading.Timer(1.0, lambda: os.kill(os.getpid(), signal.SIGINT)).start()\n"
        "entry()"
    )
    done = separate("status", "--wait", code=code)
    assert (done.returncode, done.stdout, done.stderr.strip()) == (130, "", "")


def test_a_terminal_without_unicode_gets_escapes(scene):
    scene.quarantine("müll.exe".encode())
    done = separate("history", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert done.returncode == 0
    assert "m\\xfcll.exe" in done.stdout


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&- <&-"])
def test_closed_streams_are_no_trouble(scene, closed):
    scene.quarantine(b"setup.exe")
    code = "from checkfirst.cli.main import entry; entry()"
    for words in ("history", "log --file x", "quarantine list --json", "nonsense"):
        done = subprocess.run(
            ["/bin/sh", "-c", f"{shlex.quote(sys.executable)} -c '{code}' {words} {closed}"],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            cwd=scene.top,
        )
        assert done.returncode in {0, 2, 3}
        assert "Traceback" not in done.stderr
        assert "itself went wrong" not in done.stderr


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_disk_behind_the_output_is_said(scene, unbuffered):
    scene.quarantine(b"setup.exe")
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-c", "from checkfirst.cli.main import entry; entry()", "history"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
                "PYTHONUNBUFFERED": unbuffered,
            },
        )
    assert done.returncode == 3
    assert done.stderr == "Error: The system refused (No space left on device)\n"
