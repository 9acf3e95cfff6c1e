import os

import pytest

from checkfirst.errors import SettingsError
from checkfirst.settings.key import CREDENTIAL, WAYS, api_key, search_key, store_key_blocking
from tests.fakes.keyring import FakeKeyring


def no_keyring():
    return None


def ring_with(key, **more):
    return lambda: FakeKeyring(key, **more)


class Places:
    def __init__(self, desk):
        self.desk = desk
        self.docker = desk.folder / "secrets"
        self.credentials = desk.folder / "credentials"
        self.docker.mkdir()
        self.credentials.mkdir()

    def search(self, text="", keyring=no_keyring, **environ):
        environ = self.desk.environ | environ
        return search_key(
            self.desk.settings(text), environ, docker_secrets=self.docker, keyring=keyring
        )

    def find(self, *args, **more):
        return self.search(*args, **more).found


@pytest.fixture
def places(desk):
    return Places(desk)


def value(found):
    return found.key.get_secret_value()


def test_the_more_deliberate_place_wins(desk, places):
    assert places.find() is None
    store_key_blocking("own", desk.environ)
    assert value(places.find()) == "own"
    assert value(places.find(keyring=ring_with("ring"))) == "ring"
    (places.docker / CREDENTIAL).write_text("docker\n")
    assert value(places.find(keyring=ring_with("ring"))) == "docker"
    (places.credentials / CREDENTIAL).write_text("systemd")
    folder = {"CREDENTIALS_DIRECTORY": str(places.credentials)}
    assert value(places.find(**folder)) == "systemd"
    (places.credentials / CREDENTIAL).rename(places.credentials / "api_key")
    assert value(places.find(**folder)) == "systemd"
    (desk.file.parent / "k").write_text(" file \r\n")
    text = "virustotal: {api_key_file: k}"
    assert value(places.find(text, **folder)) == "file"
    text = "virustotal: {api_key_file: k, api_key: written}"
    assert value(places.find(text, **folder)) == "written"
    assert api_key(desk.settings(text), desk.environ).get_secret_value() == "written"


def test_a_key_file_that_others_can_read_is_warned_of(desk, places):
    path = desk.file.parent / "k"
    path.write_text("s3cret")
    path.chmod(0o640)
    found = places.find("virustotal: {api_key_file: k}")
    assert found.warning == f"{path} can be read by others on this machine; run: chmod 600 {path}"
    path.chmod(0o600)
    assert places.find("virustotal: {api_key_file: k}").warning is None


def test_secrets_that_docker_laid_are_not_warned_of(places):
    (places.docker / CREDENTIAL).write_text("k")
    (places.docker / CREDENTIAL).chmod(0o444)
    assert places.find().warning is None


def test_a_named_file_must_be_there_and_be_a_file(desk, places):
    with pytest.raises(SettingsError, match="there is no such file"):
        places.find("virustotal: {api_key_file: nowhere}")
    with pytest.raises(SettingsError, match="it is a folder"):
        places.find("virustotal: {api_key_file: /}")
    os.mkfifo(desk.file.parent / "pipe")
    with pytest.raises(SettingsError, match="it is not a file"):
        places.find("virustotal: {api_key_file: pipe}")


@pytest.mark.parametrize(
    "text", ["", " \n", "s3c ret", "s3c\nret", "s3crét", "s3c\x00", "s3c" * 90]
)
def test_what_can_be_no_key_is_refused_without_being_repeated(desk, places, text):
    (desk.file.parent / "k").write_text(text, "latin-1")
    for attempt in (
        lambda: places.find("virustotal: {api_key_file: k}"),
        lambda: store_key_blocking(text, desk.environ),
    ):
        with pytest.raises(SettingsError) as caught:
            attempt()
        assert "s3c" not in str(caught.value).replace(str(desk.folder), "")
        assert "the API key" in str(caught.value)


def test_a_key_is_stored_for_the_person_alone_and_replaces_the_old_one(desk):
    store_key_blocking("old", desk.environ)
    path = store_key_blocking(" new\n", desk.environ)
    assert path == desk.home / ".config/checkfirst/virustotal.key"
    assert path.read_bytes() == b"new\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["virustotal.key"]


def test_a_folder_that_cannot_be_written_is_told(desk):
    (desk.home / ".config").write_text("in the way")
    with pytest.raises(SettingsError, match="cannot be kept here") as caught:
        store_key_blocking("s3cret", desk.environ)
    assert "s3cret" not in str(caught.value)


def test_an_empty_keyring_leaves_the_word_to_the_file(desk, places):
    store_key_blocking("own", desk.environ)
    found = places.find(keyring=ring_with(None))
    assert (value(found), found.where.endswith("virustotal.key")) == ("own", True)


def test_a_keyring_that_is_locked_is_told_beside_what_else_was_found(desk, places):
    search = places.search(keyring=ring_with("ring", trouble="is locked"))
    assert search.found is None
    assert "is locked" in str(search.trouble)
    store_key_blocking("own", desk.environ)
    assert value(places.find(keyring=ring_with("ring", trouble="is locked"))) == "own"


def test_a_keyring_that_holds_no_key_but_something_else_is_told_without_repeating_it(places):
    with pytest.raises(SettingsError) as caught:
        places.find(keyring=ring_with("s3c ret"))
    assert "fake keyring" in str(caught.value)
    assert "s3c" not in str(caught.value)


def test_the_ways_name_three_and_where_a_key_is_free():
    assert "https://www.virustotal.com/gui/my-apikey" in WAYS
    for way in ("checkfirst key set", "CHECKFIRST_VIRUSTOTAL__API_KEY", "api_key_file"):
        assert way in WAYS
