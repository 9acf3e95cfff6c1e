import pytest

from checkfirst.errors import SettingsError
from checkfirst.settings.kept_key import clear_key_blocking, keep_key_blocking
from tests.fakes.keyring import FakeKeyring


@pytest.fixture
def file(desk):
    return desk.home / ".config/checkfirst/virustotal.key"


def test_without_a_keyring_the_key_is_kept_in_a_private_file(desk, file):
    kept = keep_key_blocking(" k\n", desk.environ, keyring=lambda: None)
    assert (kept.where, kept.note) == (str(file), None)
    assert file.read_text() == "k\n"
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_keyring_is_preferred_and_the_old_file_goes(desk, file):
    ring = FakeKeyring()
    keep_key_blocking("old", desk.environ, keyring=lambda: None)
    kept = keep_key_blocking("new", desk.environ, keyring=lambda: ring)
    assert (kept.where, kept.note, ring.key) == ("the fake keyring", None, "new")
    assert not file.exists()


def test_a_keyring_that_refuses_leads_to_the_file_and_is_told(desk, file):
    ring = FakeKeyring(trouble="is locked")
    kept = keep_key_blocking("s3cret", desk.environ, keyring=lambda: ring)
    assert kept.where == str(file)
    assert "is locked" in kept.note
    assert "s3cret" not in kept.note
    assert file.read_text() == "s3cret\n"


def test_a_file_that_is_asked_for_takes_the_old_key_out_of_the_keyring(desk, file):
    """Else the keyring, which comes first, would go on giving the old one."""
    ring = FakeKeyring("old")
    kept = keep_key_blocking("new", desk.environ, in_file=True, keyring=lambda: ring)
    assert (kept.where, kept.note, ring.key) == (str(file), None, None)
    ring = FakeKeyring("old", trouble="is locked")
    kept = keep_key_blocking("new", desk.environ, in_file=True, keyring=lambda: ring)
    assert "outrank" in kept.note


def test_what_can_be_no_key_goes_nowhere(desk, file):
    ring = FakeKeyring("old")
    with pytest.raises(SettingsError) as caught:
        keep_key_blocking("s3c ret", desk.environ, keyring=lambda: ring)
    assert "s3c" not in str(caught.value)
    assert ring.key == "old"
    assert not file.exists()


def test_clear_empties_both_places(desk, file):
    ring = FakeKeyring("one")
    keep_key_blocking("two", desk.environ, keyring=lambda: None)
    cleared = clear_key_blocking(desk.environ, keyring=lambda: ring)
    assert cleared.places == ("the fake keyring", str(file))
    assert (ring.key, file.exists(), cleared.trouble) == (None, False, None)
    assert clear_key_blocking(desk.environ, keyring=lambda: ring).places == ()


def test_clear_removes_the_file_even_when_the_keyring_is_locked_and_says_so(desk, file):
    keep_key_blocking("two", desk.environ, keyring=lambda: None)
    ring = FakeKeyring("one", trouble="is locked")
    cleared = clear_key_blocking(desk.environ, keyring=lambda: ring)
    assert cleared.places == (str(file),)
    assert "is locked" in str(cleared.trouble)


def test_clear_needs_no_keyring(desk, file):
    keep_key_blocking("two", desk.environ, keyring=lambda: None)
    assert clear_key_blocking(desk.environ, keyring=lambda: None).places == (str(file),)
    assert clear_key_blocking(desk.environ, keyring=lambda: None).places == ()
