import os

import pytest

from checkfirst.errors import Problem, SettingsError
from checkfirst.settings.load import load
from checkfirst.settings.new_file import old_blocking, target, write_blocking
from checkfirst.settings.show import example
from checkfirst.settings.tree import with_changes


def test_the_file_goes_where_it_was_named_or_to_the_persons_own_folder(desk):
    assert target(None, desk.environ) == desk.home / ".config/checkfirst/settings.yaml"
    here = desk.file.parent / "mine.yaml"
    assert target(here, desk.environ) == here
    assert target(None, desk.environ | {"CHECKFIRST_SETTINGS": "mine.yaml"}) == here
    with pytest.raises(SettingsError, match="--settings"):
        target("a\0b", desk.environ)


def test_what_is_there_is_read_as_far_as_it_can_be(desk):
    assert old_blocking(desk.file, desk.environ) is None
    for content, values, broken in (
        (b"mode: normal\n", {"mode": "normal"}, False),
        (b"mode: [\n", {}, True),
        (b"mode: \xff\n", {}, True),
    ):
        desk.write(content)
        old = old_blocking(desk.file, desk.environ)
        assert (old.content, old.values, old.broken) == (content, values, broken)
        assert not old.is_as_shipped


def test_a_new_file_is_private_and_says_what_was_chosen(desk):
    path = desk.home / "new" / "settings.yaml"
    assert write_blocking(path, {"mode": "stop-unknowns"}, None) is None
    assert path.stat().st_mode & 0o777 == 0o600
    assert load(path, desk.environ).settings.mode == "stop-unknowns"
    assert os.listdir(path.parent) == ["settings.yaml"]


def test_an_old_file_that_says_something_is_kept_beside_each_under_a_name_of_its_own(desk):
    for number, name in enumerate(("settings.yaml.old", "settings.yaml.old-2")):
        content = f"mode: normal # mine {number}\n".encode()
        desk.write(content)
        kept = write_blocking(desk.file, {"mode": "normal"}, old_blocking(desk.file, desk.environ))
        assert kept == desk.file.with_name(name)
        assert kept.read_bytes() == content


def test_a_file_as_it_was_shipped_or_that_says_the_same_is_not_kept(desk):
    desk.write(example())
    old = old_blocking(desk.file, desk.environ)
    assert old.is_as_shipped
    assert write_blocking(desk.file, {"mode": "stop-unknowns"}, old) is None
    again = old_blocking(desk.file, desk.environ)
    assert write_blocking(desk.file, {"mode": "stop-unknowns"}, again) is None
    assert os.listdir(desk.file.parent) == ["settings.yaml"]


def test_a_link_stays_one(desk):
    real = desk.folder / "dotfiles.yaml"
    real.write_text("")
    desk.file.symlink_to(real)
    write_blocking(desk.file, {"mode": "stop-unknowns"}, None)
    assert desk.file.is_symlink()
    assert "stop-unknowns" in real.read_text()


def test_what_cannot_be_written_is_a_problem_and_leaves_all_as_it_was(desk):
    desk.write("mode: normal\n")
    with pytest.raises(Problem, match="cannot be written"):
        write_blocking(desk.file / "below.yaml", {}, None)
    assert os.listdir(desk.file.parent) == ["settings.yaml"]
    assert desk.file.read_text() == "mode: normal\n"


def test_changes_take_the_place_of_what_was_there_and_of_nothing_else():
    tree = {"poll": {"first": "1s", "at_most": "9s"}, "mode": "normal"}
    changed = with_changes(tree, {("poll", "first"): "2s", ("log", "level"): "info"})
    assert changed == {
        "poll": {"first": "2s", "at_most": "9s"},
        "mode": "normal",
        "log": {"level": "info"},
    }
    assert tree["poll"] == {"first": "1s", "at_most": "9s"}
