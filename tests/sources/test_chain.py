import logging

import pytest

from checkfirst.errors import StoreError
from checkfirst.model import Fingerprint, Risk, SourceHealth, Verdict, VerdictKind
from checkfirst.sources.chain import Chain
from tests.fakes.clock import FakeClock


def fingerprint(letter: str) -> Fingerprint:
    return Fingerprint(letter * 64, 1, "text/plain", Risk.OTHER)


def verdict(name: str, kind: VerdictKind = VerdictKind.CLEAN) -> Verdict:
    return Verdict(kind, name, f"{name} says so")


class Knowing:
    def __init__(self, name: str, **known: Verdict) -> None:
        self.name = name
        self.known = {letter * 64: verdict for letter, verdict in known.items()}
        self.asked: list[list[str]] = []
        self.error: Exception | None = None
        self.healthy = True

    async def answer(self, prints):
        self.asked.append([one.sha256[0] for one in prints])
        if self.error:
            raise self.error
        return dict(self.known)

    def health(self) -> SourceHealth:
        return SourceHealth(self.name, -1, -1, healthy=self.healthy)


async def test_each_source_is_asked_only_for_what_is_left_open():
    first, second = Knowing("first", a=verdict("first")), Knowing("second", b=verdict("second"))
    found = await Chain([first, second], FakeClock()).answer([fingerprint(one) for one in "abc"])
    assert second.asked == [["b", "c"]]
    assert {key[0]: one.source for key, one in found.items()} == {"a": "first", "b": "second"}


async def test_nobody_is_asked_when_all_is_answered():
    first, second = Knowing("first", a=verdict("first")), Knowing("second")
    await Chain([first, second], FakeClock()).answer([fingerprint("a"), fingerprint("a")])
    assert first.asked == [["a"]]
    assert second.asked == []


async def test_a_pending_answer_is_none():
    first = Knowing("first", a=verdict("first", VerdictKind.PENDING))
    second = Knowing("second", a=verdict("second"))
    found = await Chain([first, second], FakeClock()).answer([fingerprint("a")])
    assert found["a" * 64].source == "second"


async def test_an_answer_nobody_asked_for_is_dropped():
    assert (
        await Chain([Knowing("first", z=verdict("first"))], FakeClock()).answer([fingerprint("a")])
        == {}
    )


async def test_asked_and_answered_are_counted():
    chain = Chain([Knowing("first", a=verdict("first")), Knowing("second")], FakeClock())
    await chain.answer([fingerprint("a"), fingerprint("b")])
    counts = [(one.name, one.asked, one.answered) for one in chain.health()]
    assert counts == [("first", 2, 1), ("second", 1, 0)]


async def test_a_source_that_fails_is_passed_over_and_says_so_until_it_recovers(caplog):
    broken, other = Knowing("broken"), Knowing("other", a=verdict("other"))
    chain = Chain([broken, other], FakeClock())
    broken.error = StoreError("The database is locked", "Wait a little")
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            found = await chain.answer([fingerprint("a")])
            assert found["a" * 64].source == "other"
        assert [one.levelname for one in caplog.records] == ["ERROR"]
        assert "The database is locked" in caplog.text
        assert [one.healthy for one in chain.health()] == [False, True]
        assert "The database is locked" in (chain.health()[0].problem or "")
        broken.error = None
        await chain.answer([fingerprint("a")])
    assert "answers again" in caplog.text
    assert chain.health()[0].healthy


async def test_sources_that_are_not_well_are_seen_to_recover_though_nobody_asks():
    well, failing, ill = Knowing("well"), Knowing("failing"), Knowing("ill")
    chain = Chain([well, failing, ill], FakeClock())
    failing.error, ill.healthy = ValueError("x"), False
    await chain.answer([fingerprint("a")])
    failing.error = None
    await chain.look_again()
    assert chain.health()[1].healthy
    assert (len(well.asked), well.asked[-1]) == (1, ["a"])
    assert (ill.asked[-1], failing.asked[-1]) == ([], [])
    assert [each.asked for each in chain.health()] == [1, 1, 1]


@pytest.mark.parametrize("error", [ValueError("x"), RuntimeError()])
async def test_foreign_errors_are_passed_over_as_well(error):
    broken = Knowing("broken")
    broken.error = error
    chain = Chain([broken], FakeClock())
    assert await chain.answer([fingerprint("a")]) == {}
    assert type(error).__name__ in (chain.health()[0].problem or "")


async def test_time_is_counted_for_each_file():
    clock = FakeClock()

    class Slow(Knowing):
        async def answer(self, prints):
            clock._monotonic += 3.0
            return await super().answer(prints)

    chain = Chain([Slow("slow"), Knowing("never", a=verdict("never"))], clock)
    assert chain.health()[0].mean_seconds is None
    await chain.answer([fingerprint(one) for one in "abc"])
    await chain.answer([fingerprint(one) for one in "abc"])
    assert chain.health()[0].mean_seconds == 1.0


async def test_the_silence_of_all_is_unknown_where_nobody_comes_after_them():
    sources = [Knowing("first", a=verdict("first")), Knowing("second", b=verdict("second"))]
    found = await Chain(sources, FakeClock(), alone=True).answer([fingerprint(c) for c in "abc"])
    assert [found[c * 64].source for c in "ab"] == ["first", "second"]
    assert found["c" * 64].kind is VerdictKind.UNKNOWN


async def test_the_silence_of_all_is_nothing_where_others_come_after_them():
    assert await Chain([Knowing("first")], FakeClock()).answer([fingerprint("c")]) == {}


@pytest.mark.parametrize("broken", [0, 1, 2])
@pytest.mark.parametrize("how", ["it raises", "it is not well"])
async def test_silence_counts_only_when_all_could_be_asked(broken, how):
    """A broken source might have known the file; and who knows it is believed all the same."""
    sources = [Knowing("first"), Knowing("second", b=verdict("second")), Knowing("third")]
    if how == "it raises":
        sources[broken].error = StoreError("The disk is gone")
    else:
        sources[broken].healthy = False
    chain = Chain(sources, FakeClock(), alone=True)
    found = await chain.answer([fingerprint("b"), fingerprint("c")])
    assert "c" * 64 not in found
    assert ("b" * 64 in found) == (broken != 1 or how == "it is not well")
    sources[broken].error, sources[broken].healthy = None, True
    found = await chain.answer([fingerprint("b"), fingerprint("c")])
    assert [found[c * 64].kind for c in "bc"] == [VerdictKind.CLEAN, VerdictKind.UNKNOWN]


async def test_no_pending_answer_becomes_unknown_by_a_source_that_should_not_give_one():
    first = Knowing("first", a=verdict("first", VerdictKind.PENDING))
    assert await Chain([first], FakeClock(), alone=True).answer([fingerprint("a")]) == {}


async def test_without_the_lists_nobody_s_word_counts():
    """A block that cannot be read must not let its file through."""
    own, other = Knowing("lists"), Knowing("other", a=verdict("other"))
    own.error = StoreError("The database cannot be read")
    chain = Chain([own, other], FakeClock(), needed="lists")
    with pytest.raises(StoreError):
        await chain.answer([fingerprint("a")])
    assert other.asked == []
    assert "nothing is judged without it" in (chain.health()[0].problem or "")
    own.error = None
    assert await chain.answer([fingerprint("a")])
    assert chain.health()[0].healthy
