"""A keyring in memory."""

from checkfirst.settings.keyring import KeyringError


class FakeKeyring:
    """Implements `checkfirst.settings.keyring.Keyring`; with `trouble` it refuses everything."""

    name = "the fake keyring"

    def __init__(self, key: str | None = None, trouble: str = "") -> None:
        self.key = key
        self.trouble = trouble

    def read_blocking(self) -> str | None:
        self._check()
        return self.key

    def keep_blocking(self, key: str) -> None:
        self._check()
        self.key = key

    def remove_blocking(self) -> bool:
        self._check()
        had, self.key = self.key is not None, None
        return had

    def _check(self) -> None:
        if self.trouble:
            raise KeyringError(f"The system keyring {self.trouble}", about=self.name)
