"""The system keyring: GNOME's, KDE's or whatever the person's session has, behind three verbs.

Comes with the extra `keyring`. Its backends are foreign code that may raise anything, show dialogs
and wait for a person, so each call has a time limit, and of what they raise only the kind is told:
their words might hold the key.
"""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from checkfirst.errors import Problem
from checkfirst.patience import within_blocking

T = TypeVar("T")

SERVICE, USER = "checkfirst", "virustotal"
"""What our one entry is filed under."""

SECONDS_TO_READ = 10.0
SECONDS_TO_KEEP = 60.0
"""For a person who is asked for the keyring's password."""

_RECOMMENDED = 1
"""Priority of backends that are safe and at hand; those that keep plain text, ask at the terminal,
or keep nothing at all have less (keyring's documentation, KeyringBackend.priority)."""


class KeyringError(Problem):
    """The keyring is there and does not do what it is asked for."""


class Keyring(Protocol):
    """Keeps one key. Every method raises KeyringError."""

    @property
    def name(self) -> str:
        """What a person calls it."""
        ...

    def read_blocking(self) -> str | None:
        """The key, or None when there is none."""
        ...

    def keep_blocking(self, key: str) -> None:
        """Keep the key in place of any other; it has been read back."""
        ...

    def remove_blocking(self) -> bool:
        """Forget the key; whether there was one."""
        ...


def system_keyring_blocking() -> Keyring | None:
    """The keyring of this session; None when there is none, or the extra is not installed."""
    try:
        backend = within_blocking(SECONDS_TO_READ, _backend, "keyring")
    except Exception:  # noqa: BLE001  (backends are foreign code and raise what they like)
        return None
    return None if backend is None else SystemKeyring(backend)


class SystemKeyring:
    """One backend of the package `keyring`."""

    def __init__(
        self,
        backend: Any,  # noqa: ANN401  (the package is an extra and has no types here)
        seconds_to_read: float = SECONDS_TO_READ,
        seconds_to_keep: float = SECONDS_TO_KEEP,
    ) -> None:
        self._backend = backend
        self._seconds_to_read = seconds_to_read
        self._seconds_to_keep = seconds_to_keep

    @property
    def name(self) -> str:
        """The backend's own name, as `SecretService Keyring`."""
        return f"the system keyring ({self._kind})"

    @property
    def _kind(self) -> str:
        return str(getattr(self._backend, "name", "of unknown kind"))

    def read_blocking(self) -> str | None:
        """Read the entry."""
        kept = self._do(self._seconds_to_read, lambda: self._backend.get_password(SERVICE, USER))
        return kept if isinstance(kept, str) and kept else None

    def keep_blocking(self, key: str) -> None:
        """Write the entry and read it: some backends only seem to keep it."""

        def work() -> bool:
            self._backend.set_password(SERVICE, USER, key)
            return bool(self._backend.get_password(SERVICE, USER) == key)

        if not self._do(self._seconds_to_keep, work):
            raise KeyringError("The system keyring did not keep the key", about=self._kind)

    def remove_blocking(self) -> bool:
        """Delete the entry, if there is one."""

        def work() -> bool:
            if self._backend.get_password(SERVICE, USER) is None:
                return False
            self._backend.delete_password(SERVICE, USER)
            return True

        return self._do(self._seconds_to_keep, work)

    def _do(self, seconds: float, work: Callable[[], T]) -> T:
        try:
            return within_blocking(seconds, work, "keyring")
        except TimeoutError:
            title = f"The system keyring did not answer within {seconds:g} seconds"
            to_do = "See whether a window asks for its password."
        except Exception as error:  # noqa: BLE001  (foreign code, which raises what it likes)
            locked = type(error).__name__ == "KeyringLocked"
            title = "The system keyring " + (
                "is locked" if locked else f"cannot be used ({type(error).__name__})"
            )
            to_do = "Log in to your desktop and unlock it." if locked else ""
        raise KeyringError(title, to_do, about=self._kind)


def _backend() -> Any:  # noqa: ANN401  (as above)
    """The backend to use; of a chain of several the first that is fit."""
    import keyring  # noqa: PLC0415  (an extra, and slow to import)

    chosen = keyring.get_keyring()
    for backend in getattr(chosen, "backends", None) or [chosen]:
        if _is_fit(backend):
            return backend
    return None


def _is_fit(backend: object) -> bool:
    try:
        priority = getattr(type(backend), "priority", 0)
    except Exception:  # noqa: BLE001  (how a backend says that it cannot work here)
        return False
    return isinstance(priority, int | float) and priority >= _RECOMMENDED
