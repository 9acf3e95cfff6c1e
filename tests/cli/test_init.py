import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from checkfirst.settings.load import load
from checkfirst.settings.show import example
from checkfirst.simulator.server import Simulator
from checkfirst.simulator.thread import simulator_in_thread
from tests.cli.terminal import Terminal
from tests.stories.house import House

KEY = "the-right-key"
URL = "CHECKFIRST_VIRUSTOTAL__URL"

DIALOGUE = """\
Enter takes what stands in [brackets]; Ctrl-C ends it, and nothing is written.

Which folder do your downloads come to?
Folder [~/Téléchargements]: 
Is another folder to be watched? [y/N]: y
Folder: ~/second
It does not exist. Make it? [Y/n]: 
Is another folder to be watched? [y/N]: 

What is to happen to files that nobody has ever judged?
  normal         they are released, marked "unknown"
  stop-unknowns  they go to the quarantine
Mode [normal]: stop-unknowns

What is to be told on the desktop?
  quarantine  what is stopped or held for long, and what is wrong
  problems    only what is wrong
  all         every file          none  nothing
Notifications [quarantine]: 

VirusTotal wants an API key. A free one is on your account page:
  https://www.virustotal.com/gui/my-apikey
API key (not shown; Enter: later): 
  trying it …
  VirusTotal refuses the key: Wrong API key.
API key (not shown; Enter: later): 
  trying it …
  VirusTotal accepts it.

This will be written:
  settings file  HOME/.config/checkfirst/settings.yaml
  watched        HOME/Téléchargements, HOME/second
  released       HOME/Téléchargements/Released
  quarantine     HOME/Quarantine
  mode           stop-unknowns
  notifications  quarantine
  API key        in a file that only you can read
Write it? [Y/n]: 
Made     HOME/second
Written  HOME/.config/checkfirst/settings.yaml
Kept     the API key in HOME/.config/checkfirst/virustotal.key

Start it:          checkfirst run
Look for trouble:  checkfirst doctor
"""  # noqa: W291  (a prompt ends with a blank)


@pytest.fixture
def simulator():
    with simulator_in_thread(Simulator(keys=[KEY])) as running:
        yield running


class Home:
    """A person's home with a Downloads folder."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        (folder / "Downloads").mkdir(parents=True)
        command = folder.parent / "bin" / "checkfirst"
        command.parent.mkdir()
        command.touch(0o755)
        self.settings = folder / ".config/checkfirst/settings.yaml"
        self.key = folder / ".config/checkfirst/virustotal.key"
        self.environment = {
            "HOME": str(folder),
            "PATH": str(folder.parent / "bin"),  # where no service manager is
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            "PYTHONIOENCODING": "utf-8",
            "COLUMNS": "200",  # the folders of a test have long names
            URL: url,
        }

    def run(self, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "checkfirst", *arguments],
            cwd=self.folder,
            env=self.environment,
            input=given,
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
        )

    def sit_down(self, *arguments: str) -> Terminal:
        command = [sys.executable, "-m", "checkfirst", *arguments]
        return Terminal(command, self.folder, self.environment)

    def files(self) -> set[str]:
        return {
            str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file()
        }

    def meant(self):
        return load(self.settings, {"HOME": str(self.folder)}).settings


@pytest.fixture
def home(tmp_path, simulator):
    return Home(tmp_path / "home", simulator.url)


@pytest.mark.story
def test_the_whole_dialogue(home, simulator):
    (home.folder / ".config").mkdir()
    user_dirs = home.folder / ".config/user-dirs.dirs"
    user_dirs.write_text('XDG_DOWNLOAD_DIR="$HOME/Téléchargements"\n')
    (home.folder / "Téléchargements").mkdir()
    person = home.sit_down("init")
    try:
        person.answer("Folder [", "")
        person.answer("Is another", "y")
        person.answer("Folder:", "~/second")
        person.answer("Make it?", "")
        person.answer("Is another", "")
        person.answer("Mode", "stop-unknowns")
        person.answer("Notifications", "")
        person.answer("API key (not shown", "a-wrong-key")
        person.answer("API key (not shown", KEY)
        person.answer("Write it?", "")
        assert person.ended() == 0, person.screen
    finally:
        person.close()
    assert person.screen.replace(str(home.folder), "HOME") == DIALOGUE
    assert KEY not in person.screen
    settings = home.meant()
    assert [path.name for path in settings.watch] == ["Téléchargements", "second"]
    assert (settings.mode.value, settings.released.parent.name) == (
        "stop-unknowns",
        "Téléchargements",
    )
    assert (home.key.read_text(), home.key.stat().st_mode & 0o777) == (f"{KEY}\n", 0o600)
    assert (home.folder / "second").is_dir()


def test_both_requests_of_the_trial_are_in_the_ledger_afterwards(home, simulator):
    person = home.sit_down("init", "--watch", "Downloads", "--mode", "normal", "--notify", "all")
    try:
        person.answer("API key (not shown", "a-wrong-key")
        person.answer("API key (not shown", KEY)
        person.wait_for("VirusTotal accepts it")
        assert home.files() == set()
        person.answer("Write it?", "")
        assert person.ended() == 0
    finally:
        person.close()
    assert len(simulator.requests) == 2
    assert "2 of 4 this minute" in home.run("status").stdout


SYSTEMCTL = """\
#!/bin/sh
echo "$*" >> "{calls}"
case "$*" in *is-active*) exit 3;; esac
"""


@pytest.fixture
def systemctl(home):
    """A service manager that notes what it is asked."""
    folder = home.folder.parent / "bin"
    folder.mkdir(exist_ok=True)
    calls = folder / "calls"
    script = folder / "systemctl"
    script.write_text(SYSTEMCTL.format(calls=calls))
    script.chmod(0o755)
    home.environment["PATH"] = f"{folder}:{os.environ['PATH']}"
    return calls


def test_where_a_service_manager_answers_it_offers_to_start_at_login(home, systemctl):
    person = home.sit_down("init", "--watch", "Downloads", "--mode", "normal", "--notify", "all")
    try:
        person.answer("API key (not shown", KEY)
        person.answer("Start checkfirst now, and whenever you log in?", "")
        person.wait_for("at login, and now")
        assert "enable" not in systemctl.read_text()
        person.answer("Write it?", "")
        assert person.ended() == 0, person.screen
    finally:
        person.close()
    unit = home.folder / ".config/systemd/user/checkfirst.service"
    assert str(home.settings) in unit.read_text()
    assert "--user --no-ask-password restart checkfirst.service" in systemctl.read_text()
    assert "Start it:" not in person.screen
    assert "Look for trouble:" in person.screen


def test_a_script_can_have_it_started_at_login_and_must_ask_for_it(home, systemctl):
    assert home.run("init", "--key-stdin", given=f"{KEY}\n").returncode == 0
    unit = home.folder / ".config/systemd/user/checkfirst.service"
    assert not unit.exists()
    done = home.run("init", "--replace", "--at-login")
    assert done.returncode == 0, done.stderr
    assert unit.exists()


@pytest.mark.story
@pytest.mark.parametrize("way_out", [b"\x03", b"\x04"])
def test_ctrl_c_and_the_end_of_input_write_nothing(home, way_out):
    person = home.sit_down("init")
    try:
        person.answer("Folder [", "~/new")
        person.answer("Make it?", "")
        person.answer("Is another", "")
        person.answer("Mode", "")
        person.answer("Notifications", "")
        person.answer("API key (not shown", KEY)
        person.wait_for("Write it?")
        assert person.insist(way_out) == 130
    finally:
        person.close()
    assert home.files() == set()
    assert not (home.folder / "new").exists()


def test_answers_that_cannot_be_are_asked_for_again(home):
    (home.folder / "file").write_text("")
    person = home.sit_down("init", "--mode", "normal", "--notify", "none")
    try:
        person.answer("Folder [", "file")
        person.wait_for("This is no folder.")
        person.answer("Folder [", "$HOME/x")
        person.wait_for("variables are not filled in")
        person.answer("Folder [", "~/Quarantine/in")
        person.answer("Make it?", "")
        person.answer("Is another", "")
        person.wait_for("lies inside the quarantine folder")
        person.answer("Folder [", "~/Downloads")
        person.answer("Is another", "")
        person.answer("API key (not shown", "")
        person.answer("Write it?", "n")
        assert person.ended() == 130
    finally:
        person.close()
    assert home.files() == {"file"}


def test_nobody_to_ask_and_no_options_is_a_usage_error(home):
    done = home.run("init")
    assert (done.returncode, done.stdout) == (2, "")
    assert "nobody to answer the questions" in done.stderr
    assert "checkfirst init --yes" in done.stderr
    assert home.files() == set()


def test_yes_writes_the_shipped_file_word_for_word(home):
    done = home.run("init", "--yes")
    assert done.returncode == 0, done.stderr
    assert home.settings.read_text() == example()
    assert home.settings.stat().st_mode & 0o777 == 0o600
    assert "checkfirst key set" in done.stdout


def test_options_change_their_lines_alone_and_comments_stay(home):
    done = home.run("init", "--watch", "in box", "--mode", "stop-unknowns", "--notify", "none")
    assert done.returncode == 0, done.stderr
    changed = set(home.settings.read_text().splitlines()) - set(example().splitlines())
    assert changed == {
        'watch: ["~/in box"]',
        'released: "~/in box/Released"',
        "mode: stop-unknowns",
        "  level: none",
    }
    assert (home.folder / "in box").is_dir()
    assert home.run("settings", "check").returncode == 0


@pytest.mark.parametrize(("key", "code"), [(KEY, 0), ("a-wrong-key", 1), ("no key at all", 2)])
def test_a_key_from_standard_input_is_tried_before_anything_is_written(home, key, code):
    done = home.run("init", "--key-stdin", given=f"{key}\n")
    assert done.returncode == code, done.stderr
    assert key not in done.stdout + done.stderr
    assert home.settings.exists() == home.key.exists() == (code == 0)


def test_a_key_that_cannot_be_tried_is_kept_and_told(home, simulator):
    home.environment[URL] = "http://127.0.0.1:9/api/v3"
    done = home.run("init", "--key-stdin", given=f"{KEY}\n")
    assert done.returncode == 0
    assert "could not be tried" in done.stderr
    assert home.key.exists()


def test_a_settings_file_is_never_overwritten_unasked(home):
    home.settings.parent.mkdir(parents=True)
    home.settings.write_text("mode: stop-unknowns\n")
    done = home.run("init", "--yes", "--watch", "Downloads")
    assert done.returncode == 2
    assert "There is a settings file already" in done.stderr
    assert home.settings.read_text() == "mode: stop-unknowns\n"


def test_a_change_keeps_what_is_not_asked_for_and_the_old_file(home):
    home.settings.parent.mkdir(parents=True)
    old = "# mine\nintake: {sweep: 1m}\nmode: stop-unknowns\nquarantine: ../../q\n"
    home.settings.write_text(old)
    done = home.run("init", "--replace", "--notify", "all")
    assert done.returncode == 0, done.stderr
    settings = home.meant()
    assert (settings.intake.sweep.seconds, settings.mode.value) == (60, "stop-unknowns")
    assert (settings.notify.level, settings.quarantine) == ("all", home.folder / "q")
    kept = home.settings.with_name("settings.yaml.old")
    assert kept.read_text() == old
    assert str(kept) in done.stdout
    home.settings.write_text("mode: normal\n")
    home.run("init", "--replace", "--yes")
    assert kept.read_text() == old
    assert home.settings.with_name("settings.yaml.old-2").read_text() == "mode: normal\n"


@pytest.mark.parametrize("broken", ["mode: loud\n", "no: [settings\n", "\xff"])
def test_a_broken_file_is_replaced_and_kept_beside(home, broken):
    home.settings.parent.mkdir(parents=True)
    home.settings.write_bytes(broken.encode("latin-1"))
    done = home.run("init", "--replace", "--yes")
    assert done.returncode == 0, done.stderr
    assert home.settings.read_text() == example()
    kept = home.settings.with_name("settings.yaml.old")
    assert kept.read_bytes() == broken.encode("latin-1")


def test_a_person_is_asked_before_a_file_is_changed(home):
    home.settings.parent.mkdir(parents=True)
    home.settings.write_text("mode: loud\n")
    person = home.sit_down("init")
    try:
        person.wait_for("mode: give one of: normal, stop-unknowns")
        person.answer("Write a new one?", "")
        assert person.ended() == 130
    finally:
        person.close()
    assert home.settings.read_text() == "mode: loud\n"


def test_a_shipped_file_that_nobody_has_changed_is_no_question(home):
    """As in a checkout, where `make init` fills in the file that lies there."""
    (home.folder / "settings.yaml").write_text(example())
    person = home.sit_down("--settings", "settings.yaml", "init", "--mode", "stop-unknowns")
    try:
        person.answer("Folder [", "")
        person.answer("Is another", "")
        person.answer("Notifications", "")
        person.answer("API key (not shown", "")
        person.answer("Write it?", "")
        assert person.ended() == 0, person.screen
    finally:
        person.close()
    assert "already" not in person.screen
    assert "mode: stop-unknowns" in (home.folder / "settings.yaml").read_text()
    assert home.files() == {"settings.yaml"}


def test_a_link_to_the_settings_stays_a_link(home):
    dotfiles = home.folder / "dotfiles.yaml"
    dotfiles.write_text("mode: stop-unknowns\n")
    home.settings.parent.mkdir(parents=True)
    home.settings.symlink_to(dotfiles)
    done = home.run("init", "--replace", "--notify", "none")
    assert done.returncode == 0, done.stderr
    assert home.settings.is_symlink()
    assert "  level: none" in dotfiles.read_text()
    assert (home.folder / "dotfiles.yaml.old").read_text() == "mode: stop-unknowns\n"


def test_it_writes_where_it_is_told_and_says_how_to_use_it(home):
    done = home.run("--settings", "my own.yaml", "init", "--yes")
    assert done.returncode == 0, done.stderr
    assert (home.folder / "my own.yaml").read_text() == example()
    assert "--settings" in done.stdout


def test_settings_of_this_folder_that_come_first_are_told(home):
    (home.folder / "settings.yaml").write_text("mode: normal\n")
    done = home.run("init", "--yes")
    assert f"checkfirst --settings {home.settings} run" in done.stdout


def test_folders_that_will_not_do_are_told_at_once(home):
    home.settings.parent.mkdir(parents=True)
    (home.folder / "taken").write_text("a file")
    home.settings.write_text("quarantine: ~/taken\n")
    done = home.run("init", "--replace", "--mode", "normal")
    assert done.returncode == 0, done.stderr
    assert "The quarantine folder is no folder" in done.stdout


@pytest.mark.story
def test_a_running_daemon_goes_by_the_new_answers_at_once(tmp_path, simulator):
    house = House(tmp_path / "house", simulator.url)
    home = Home(tmp_path / "home", simulator.url)
    with house.running():
        done = home.run(
            "--settings", str(house.file), "init", "--replace", "--mode", "stop-unknowns"
        )
        assert done.returncode == 0, done.stderr
        assert "checkfirst is running, and reads its settings again." in done.stdout
        house.until_said("watching", "mode stop-unknowns")


def test_a_folder_that_cannot_be_written_is_told_in_words(home):
    (home.folder / ".config").write_text("in the way")
    done = home.run("init", "--yes")
    assert done.returncode == 3
    assert "settings file cannot be written" in done.stderr
    assert "Traceback" not in done.stderr


def test_options_that_cannot_go_together_are_settings_problems(home):
    done = home.run("init", "--watch", "a", "--released", "a")
    assert done.returncode == 2
    assert "released" in done.stderr
    assert home.files() == set()


def test_a_name_that_no_settings_file_can_hold_is_refused(home):
    done = home.run("init", "--watch", os.fsdecode(b"d\xff"))
    assert done.returncode == 2
    assert "d\\xff" in done.stderr


def test_a_command_that_is_in_no_path_is_put_where_it_is_found_with_its_settings(home):
    (home.folder.parent / "bin" / "checkfirst").unlink()
    put = home.folder / ".local/bin/checkfirst"
    home.environment["PATH"] += f"{os.pathsep}{put.parent}"
    named = home.folder / "repository/settings.yaml"
    named.parent.mkdir()
    done = home.run("--settings", str(named), "init", "--yes", "--mode", "stop-unknowns")
    assert done.returncode == 0
    assert f"Written  {put}, the command\n" in done.stdout
    assert "Look for trouble:  checkfirst doctor\n" in done.stdout
    assert "alias" not in done.stdout
    typed = subprocess.run(
        ["/bin/sh", "-c", "checkfirst settings show"],
        cwd="/",
        env=home.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert typed.returncode == 0
    assert "mode: stop-unknowns" in typed.stdout
    again = home.run("--settings", str(named), "init", "--yes", "--replace")
    assert "the command" not in again.stdout
    assert "Look for trouble:  checkfirst doctor\n" in again.stdout


def test_somebody_elses_program_of_that_name_stays(home):
    (home.folder.parent / "bin" / "checkfirst").unlink()
    there = home.folder / ".local/bin/checkfirst"
    there.parent.mkdir(parents=True)
    there.write_text("mine")
    home.environment["PATH"] += f"{os.pathsep}{there.parent}"
    done = home.run("init", "--yes")
    assert done.returncode == 0
    assert "alias checkfirst=" in done.stdout
    assert there.read_text() == "mine"


def test_where_the_command_is_in_no_path_and_notifications_cannot_be_shown_it_is_said_how(home):
    (home.folder.parent / "bin" / "checkfirst").unlink()
    home.environment["DBUS_SESSION_BUS_ADDRESS"] = "unix:path=/nowhere"
    done = home.run("init", "--yes", "--watch", "~/Downloads")
    assert done.returncode == 0
    start = next(line for line in done.stdout.splitlines() if line.startswith("Start it:"))
    assert str(Path(sys.executable).parent.name) in start
    alias = next(line for line in done.stdout.splitlines() if "alias checkfirst=" in line)
    assert alias.startswith("From everywhere:   ")
    script = f"{alias.partition(':')[2]}\nshopt -s expand_aliases\ncheckfirst settings path\n"
    typed = subprocess.run(
        ["/bin/bash"],
        cwd="/",
        env=home.environment,
        input=script,
        text=True,
        capture_output=True,
        check=False,
    )
    assert (typed.returncode, typed.stderr) == (0, "")
    assert str(home.settings) in typed.stdout
    if importlib.util.find_spec("desktop_notifier") is None:
        assert "No notifications:  desktop-notifier is not installed (" in done.stdout
        assert "-m pip install 'desktop-notifier" in done.stdout
    silent = home.run("init", "--yes", "--replace", "--notify", "none")
    assert "No notifications" not in silent.stdout
