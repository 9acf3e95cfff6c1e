import os

import pytest

from checkfirst.errors import SettingsError
from checkfirst.settings.find import find_blocking
from checkfirst.settings.glance import glance_blocking
from checkfirst.settings.load import load

HOSTILE = "released: /tmp/evil\nquarantine: /dev/shm/evil\n"


@pytest.fixture
def downloads(desk, monkeypatch):
    """A Downloads folder with a settings file that came with the last download."""

    def go(folder, text=HOSTILE):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "settings.yaml").write_text(text)
        monkeypatch.chdir(folder)
        return folder

    return go


def own(desk, text):
    folder = desk.home / ".config/checkfirst"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "settings.yaml").write_text(text)


def refused(desk, environ=None):
    with pytest.raises(SettingsError) as caught:
        load(None, environ or desk.environ)
    (problem,) = caught.value.problems
    with pytest.raises(SettingsError):
        find_blocking(None, environ or desk.environ)
    with pytest.raises(SettingsError):
        glance_blocking(None, environ or desk.environ)
    return problem


@pytest.mark.parametrize("below", ["", "unpacked/deeper"])
def test_a_settings_file_among_the_downloads_is_not_obeyed(desk, downloads, below):
    folder = downloads(desk.home / "Downloads" / below)
    problem = refused(desk)
    assert problem.startswith("settings.yaml: lies where downloads come to")
    assert "--settings settings.yaml" in problem
    assert load(folder / "settings.yaml", desk.environ).settings.released.name == "evil"
    named = desk.environ | {"CHECKFIRST_SETTINGS": "settings.yaml"}
    assert load(None, named).settings.released.name == "evil"


def test_nor_in_the_folder_that_the_desktop_calls_downloads(desk, downloads):
    config = desk.home / ".config"
    config.mkdir()
    (config / "user-dirs.dirs").write_text('XDG_DOWNLOAD_DIR="$HOME/Téléchargements"\n')
    downloads(desk.home / "Téléchargements")
    assert "Téléchargements" in refused(desk)


@pytest.mark.parametrize("key", ["watch: [~/in]", "released: ~/in"])
def test_nor_where_the_person_s_own_settings_watch_or_release(desk, downloads, key):
    own(desk, f"{key}\n")
    downloads(desk.home / "in")
    assert "/in" in refused(desk)


def test_nor_where_a_variable_says_that_is_watched(desk, downloads):
    downloads(desk.home / "in")
    assert refused(desk, desk.environ | {"CHECKFIRST_WATCH": "~/in"})


def test_nor_a_file_that_watches_its_own_folder(desk, downloads):
    downloads(desk.home / "in", "watch: [.]\n")
    assert refused(desk)


def test_nor_through_a_symbolic_link(desk, downloads, monkeypatch):
    real = downloads(desk.home / "disk" / "dl")
    (desk.home / "Downloads").symlink_to(real)
    monkeypatch.chdir(real)
    assert refused(desk)


def test_elsewhere_a_file_in_the_current_folder_is_obeyed(desk, downloads):
    own(desk, "watch: [~/in]\n")
    downloads(desk.home / "project")
    assert load(None, desk.environ).settings.released.name == "evil"
    assert glance_blocking(None, desk.environ).released.endswith("evil")


def test_the_person_s_own_file_is_obeyed_wherever_one_stands(desk, monkeypatch):
    own(desk, "watch: [~/]\nquarantine: /q\nreleased: /r\n")
    monkeypatch.chdir(desk.home / ".config/checkfirst")
    assert str(load(None, desk.environ).settings.quarantine) == "/q"


def test_own_settings_that_cannot_be_read_do_not_stand_in_the_way(desk, downloads):
    (desk.home / ".config/checkfirst/settings.yaml").mkdir(parents=True)
    downloads(desk.home / "project")
    assert load(None, desk.environ).settings.released.name == "evil"


def test_what_was_remembered_does_not_outlive_a_change_of_what_is_watched(desk, downloads):
    downloads(desk.home / "project")
    assert glance_blocking(None, desk.environ)
    own(desk, "watch: [~/project]\n")
    with pytest.raises(SettingsError):
        glance_blocking(None, desk.environ)


def test_names_that_are_no_text_are_shown(desk, downloads):
    name = os.fsdecode(b"d\xff")
    own(desk, "watch: [~/in]\n")
    downloads(desk.home / "in" / name)
    assert refused(desk)
