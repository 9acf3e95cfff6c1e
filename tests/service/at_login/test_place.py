"""Which file it is on which platform."""

import pytest

from checkfirst.service.at_login.place import start_file

HOME = "/home/ann"


@pytest.mark.parametrize(
    ("platform", "environ", "path"),
    [
        ("linux", {}, f"{HOME}/.config/systemd/user/checkfirst.service"),
        ("linux", {"XDG_CONFIG_HOME": "/c"}, "/c/systemd/user/checkfirst.service"),
        ("linux", {"XDG_CONFIG_HOME": "c"}, f"{HOME}/.config/systemd/user/checkfirst.service"),
        ("darwin", {}, f"{HOME}/Library/LaunchAgents/checkfirst.plist"),
        ("win32", {"APPDATA": "/a"}, "/a/checkfirst/checkfirst-task.xml"),
    ],
)
def test_each_platform_has_its_place(platform: str, environ: dict, path: str):
    file = start_file(["/bin/x", "run"], {"HOME": HOME, **environ}, platform)
    assert str(file.path) == path
    assert "/bin/x" in file.content
