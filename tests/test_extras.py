import shlex
import sys
import tomllib
from pathlib import Path

import pytest

from checkfirst import extras

TOML = Path(__file__).parents[1] / "pyproject.toml"


@pytest.mark.parametrize(
    ("module", "extra"), [("desktop_notifier", "desktop"), ("keyring", "keyring")]
)
def test_the_command_installs_what_the_extra_would(module, extra):
    wanted = tomllib.loads(TOML.read_text())["project"]["optional-dependencies"][extra]
    words = shlex.split(extras.install_command_blocking(module))
    assert sys.executable in words
    assert words[-len(wanted) :] == wanted


def test_nothing_is_imported_to_look():
    assert extras.is_there_blocking("this")
    assert "this" not in sys.modules
    assert not extras.is_there_blocking("checkfirst_no_such_thing")
