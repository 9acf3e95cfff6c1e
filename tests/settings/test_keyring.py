"""Backends as the package `keyring` has them; a real one is tried in tests/real."""

import sys
import threading
import types

import pytest

from checkfirst.settings.keyring import KeyringError, SystemKeyring, system_keyring_blocking


class Backend:
    name = "Test Keyring"
    priority = 5

    def __init__(self):
        self.kept = {}

    def get_password(self, service, user):
        return self.kept.get((service, user))

    def set_password(self, service, user, password):
        self.kept[service, user] = password

    def delete_password(self, service, user):
        del self.kept[service, user]


class PlainText(Backend):
    priority = 0.5


class NotHere(Backend):
    class _Raising:
        def __get__(self, instance, owner):
            raise RuntimeError("no such service")

    priority = _Raising()


class KeyringLocked(Exception):  # noqa: N818  (the name that the package gives it)
    pass


@pytest.fixture
def installed(monkeypatch):
    """A module `keyring` such as the extra brings."""

    def install(backend):
        module = types.ModuleType("keyring")
        module.get_keyring = lambda: backend
        monkeypatch.setitem(sys.modules, "keyring", module)

    return install


def test_without_the_extra_there_is_no_keyring(monkeypatch):
    monkeypatch.setitem(sys.modules, "keyring", None)
    assert system_keyring_blocking() is None


@pytest.mark.parametrize("kind", [PlainText, NotHere])
def test_a_backend_that_keeps_plain_text_or_cannot_work_is_none(installed, kind):
    installed(kind())
    assert system_keyring_blocking() is None


def test_of_a_chain_the_first_fit_backend_is_used(installed):
    fit = Backend()
    chain = types.SimpleNamespace(backends=[NotHere(), PlainText(), fit, Backend()])
    installed(chain)
    system_keyring_blocking().keep_blocking("k")
    assert fit.kept == {("checkfirst", "virustotal"): "k"}


def test_a_key_is_kept_read_and_removed(installed):
    installed(Backend())
    ring = system_keyring_blocking()
    assert ring.name == "the system keyring (Test Keyring)"
    assert ring.read_blocking() is None
    assert ring.remove_blocking() is False
    ring.keep_blocking("k")
    assert ring.read_blocking() == "k"
    assert ring.remove_blocking() is True
    assert ring.read_blocking() is None


def test_a_backend_that_only_seems_to_keep_is_found_out():
    class Null(Backend):
        def set_password(self, service, user, password):
            pass

    with pytest.raises(KeyringError, match="did not keep"):
        SystemKeyring(Null()).keep_blocking("k")


def test_what_a_backend_raises_is_told_by_its_kind_alone():
    class Talkative(Backend):
        def set_password(self, service, user, password):
            raise ValueError(f"cannot store {password}")

        def get_password(self, service, user):
            raise KeyringLocked("secrets within")

    with pytest.raises(KeyringError) as caught:
        SystemKeyring(Talkative()).keep_blocking("s3cret")
    assert "ValueError" in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None
    with pytest.raises(KeyringError, match="is locked"):
        SystemKeyring(Talkative()).read_blocking()


def test_a_keyring_that_waits_for_a_password_is_not_waited_for():
    gate = threading.Event()

    class Waiting(Backend):
        def get_password(self, service, user):
            gate.wait(30)

    try:
        with pytest.raises(KeyringError, match="did not answer within"):
            SystemKeyring(Waiting(), seconds_to_read=0.05).read_blocking()
    finally:
        gate.set()
