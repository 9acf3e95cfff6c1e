import os

import pytest

from checkfirst.errors import SettingsError
from checkfirst.settings.find import find_blocking, places_looked_at


def test_the_more_deliberate_naming_wins(desk):
    own = desk.home / ".config/checkfirst/settings.yaml"
    own.parent.mkdir(parents=True)
    assert find_blocking(None, desk.environ) is None
    own.write_bytes(b"own")
    assert find_blocking(None, desk.environ).content == b"own"
    desk.write("here")
    found = find_blocking(None, desk.environ)
    assert (found.content, found.shown, found.path) == (b"here", "settings.yaml", desk.file)
    (desk.home / "v.yaml").write_bytes(b"variable")
    environ = desk.environ | {"CHECKFIRST_SETTINGS": "~/v.yaml"}
    assert find_blocking(None, environ).content == b"variable"
    (desk.home / "o.yaml").write_bytes(b"option")
    assert find_blocking(desk.home / "o.yaml", environ).content == b"option"
    assert places_looked_at(desk.environ) == (desk.file, own)


def test_a_named_file_must_be_there(desk):
    with pytest.raises(SettingsError, match=r"x.yaml: there is no such file \(given by --settings"):
        find_blocking(desk.home / "x.yaml", desk.environ)
    with pytest.raises(SettingsError, match=r"~/x: there is no such file \(given by CHECKFIRST_"):
        find_blocking(None, desk.environ | {"CHECKFIRST_SETTINGS": "~/x"})
    with pytest.raises(SettingsError, match="CHECKFIRST_SETTINGS: variables are not filled in"):
        find_blocking(None, desk.environ | {"CHECKFIRST_SETTINGS": "$HOME/x"})


def test_what_cannot_be_a_settings_file_is_refused(desk):
    with pytest.raises(SettingsError, match="it is a folder"):
        find_blocking(desk.home, desk.environ)
    os.mkfifo(desk.file)
    with pytest.raises(SettingsError, match=r"settings.yaml: cannot be read: it is not a file"):
        find_blocking(None, desk.environ)
    desk.file.unlink()
    desk.file.symlink_to("settings.yaml")
    with pytest.raises(SettingsError, match="Too many levels of symbolic links"):
        find_blocking(None, desk.environ)


def test_a_file_beyond_a_mebibyte_is_refused(desk):
    desk.write(b"#" * 1024 * 1024)
    assert find_blocking(None, desk.environ)
    desk.write(b"#" * (1024 * 1024 + 1))
    with pytest.raises(SettingsError, match="larger than 1 MiB"):
        find_blocking(None, desk.environ)


def test_a_name_with_control_characters_is_shown_escaped(desk):
    with pytest.raises(SettingsError) as caught:
        find_blocking(desk.home / "a\x1b[2J\n", desk.environ)
    assert str(caught.value).isprintable() or "\x1b" not in str(caught.value)
    assert "\\x1b" in caught.value.problems[0]
