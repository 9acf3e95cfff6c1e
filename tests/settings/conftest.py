import pytest

from checkfirst.errors import SettingsError
from checkfirst.settings.load import load


class Desk:
    """A person's machine: a home, a current folder, and a settings file."""

    def __init__(self, folder):
        self.folder = folder
        self.home = folder / "home"
        self.home.mkdir()
        self.environ = {"HOME": str(self.home)}
        self.file = folder / "here" / "settings.yaml"
        self.file.parent.mkdir()

    def write(self, text):
        self.file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return self.file

    def load(self, text=None, overrides=None, **variables):
        if text is not None:
            self.write(text)
        environ = self.environ | {f"CHECKFIRST_{k}": v for k, v in variables.items()}
        return load(None, environ, overrides)

    def settings(self, text=None, overrides=None, **variables):
        return self.load(text, overrides, **variables).settings

    def problems(self, text=None, overrides=None, **variables):
        with pytest.raises(SettingsError) as caught:
            self.load(text, overrides, **variables)
        return caught.value.problems


@pytest.fixture
def desk(tmp_path, monkeypatch):
    desk = Desk(tmp_path)
    monkeypatch.chdir(desk.file.parent)
    return desk
