"""A path is understood as the person knows it, wherever they are and whatever links lead there."""

import os

import pytest

COMMANDS = [("why",), ("history",), ("quarantine", "show"), ("quarantine", "delete", "--yes")]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("path", ["dl/setup.exe", "./Downloads/../dl/setup.exe"])
def test_a_file_that_is_gone_is_found_by_its_path_through_a_link(scene, act, command, path):
    scene.quarantine(b"setup.exe")
    (scene.top / "dl").symlink_to(scene.downloads)
    code, out, err = act(*command, path)
    assert (code, err) == (0, "")
    assert "setup.exe" in out


@pytest.mark.parametrize("command", COMMANDS)
def test_a_path_from_where_the_person_is(scene, act, command):
    scene.quarantine(b"setup.exe")
    assert "setup.exe" in act(*command, os.path.join("Downloads", "setup.exe"))[1]


def test_a_path_that_leads_elsewhere_means_no_other_file_of_that_name(scene, act):
    scene.quarantine(b"setup.exe")
    code, _, err = act("quarantine", "delete", "--yes", "elsewhere/setup.exe")
    assert code == 3
    assert "There is no such file" in err


def test_the_log_of_a_file_by_its_path(scene, act):
    scene.quarantine(b"setup.exe")
    (scene.top / "dl").symlink_to(scene.downloads)
    (scene.state / "checkfirst.log").write_text(
        "2026-11-24 04:12:33   quarantined  setup.exe -> elsewhere\n"
        "2026-11-24 04:12:34   released     other.exe -> elsewhere\n"
    )
    _, out, _ = act("log", "--file", "dl/setup.exe")
    assert ("setup.exe" in out, "other.exe" in out) == (True, False)
