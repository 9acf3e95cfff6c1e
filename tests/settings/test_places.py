import os
from pathlib import Path

import pytest

from checkfirst.settings.places import absolute, cache_folder, config_folder, default_state, home


@pytest.mark.parametrize(
    ("platform", "environ", "config", "cache"),
    [
        ("linux", {"HOME": "/h"}, "/h/.config/checkfirst", "/h/.cache/checkfirst"),
        ("linux", {"HOME": "/h", "XDG_CONFIG_HOME": "/c", "XDG_CACHE_HOME": "/k"},
         "/c/checkfirst", "/k/checkfirst"),
        ("linux", {"HOME": "/h", "XDG_CONFIG_HOME": "rel"},
         "/h/.config/checkfirst", "/h/.cache/checkfirst"),
        ("darwin", {"HOME": "/h"}, "/h/Library/Application Support/checkfirst",
         "/h/Library/Caches/checkfirst"),
        ("win32", {"APPDATA": "/a", "LOCALAPPDATA": "/l"}, "/a/checkfirst", "/l/checkfirst/cache"),
    ],
)  # fmt: skip
def test_each_platform_has_its_own_folders(platform, environ, config, cache):
    assert config_folder(environ, platform) == Path(config)
    assert cache_folder(environ, platform) == Path(cache)


def test_the_state_folder_is_the_platforms_own():
    assert default_state("linux") == "~/.local/state/checkfirst"
    assert "Library" in default_state("darwin")
    assert "AppData" in default_state("win32")


def test_home_is_known_without_a_variable():
    assert home({}) == os.path.expanduser("~")


@pytest.mark.parametrize(
    ("text", "path"),
    [("~", "/h"), ("~/a b", "/h/a b"), ("x/../y", "/b/y"), ("/a//b/", "/a/b"), ("a~", "/b/a~"),
     ("~root/x", os.path.expanduser("~root/x"))],
)  # fmt: skip
def test_paths_are_made_whole(text, path):
    assert absolute(text, "/b", "/h") == Path(path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "give a path"), ("  ", "give a path"), (5, "give a path"), (None, "give a path"),
        ("a\0b", "NUL"), ("\ud800", "half a character"),
        ("$HOME/x", "variables"), ("${HOME}", "variables"),
        ("%APPDATA%", "variables"),
        ("~nobody-of-this-name/x", "no such home"),
    ],
)  # fmt: skip
def test_what_is_no_path_is_refused(text, words):
    with pytest.raises(ValueError, match=words):
        absolute(text, "/b", "/h")


def test_a_home_that_nobody_knows_is_told():
    with pytest.raises(ValueError, match="no such home"):
        absolute("~/x", "/b", "~")
