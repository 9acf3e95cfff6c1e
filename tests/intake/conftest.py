import pytest

from checkfirst.vault.grip import ignore_lease_breaks


@pytest.fixture(autouse=True)
def _sigio_is_harmless():
    ignore_lease_breaks()


@pytest.fixture
def folder(tmp_path) -> bytes:
    made = tmp_path / "Downloads"
    made.mkdir()
    return bytes(made)
