"""Two listeners hear the same."""

import inspect

from checkfirst.service.listener import Listener, Listeners


class Noting(Listener):
    """Notes what it hears, whatever it is."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, tuple, dict]] = []

    def __getattribute__(self, name: str):
        if name == "heard" or name.startswith("_"):
            return super().__getattribute__(name)
        return lambda *told, **more: self.heard.append((name, told, more))


def test_everything_is_passed_on_to_everybody():
    one, other = Noting(), Noting()
    both = Listeners(one, other)
    methods = [name for name, _ in inspect.getmembers(Listener, inspect.isfunction)]
    for name in methods:
        parameters = list(inspect.signature(getattr(Listener, name)).parameters.values())[1:]
        told = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
        more = {p.name: True for p in parameters if p.kind is p.KEYWORD_ONLY}
        getattr(both, name)(*told, **more)
        assert one.heard[-1] == (name, tuple(told), more)
    assert one.heard == other.heard
    assert len(one.heard) == len(methods) > 5


class Clumsy(Listener):
    def names(self, sha256: str, name: bytes) -> None:
        raise ZeroDivisionError


def test_a_listener_that_fails_is_logged_and_neither_the_teller_nor_the_others_notice(caplog):
    other = Noting()
    Listeners(Clumsy(), other).names("ab", b"f")
    assert other.heard == [("names", ("ab", b"f"), {})]
    assert caplog.messages == ["Clumsy could not tell something"]
