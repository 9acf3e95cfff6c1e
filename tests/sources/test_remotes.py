import pytest

from checkfirst.errors import StoreError
from checkfirst.model import (
    Answer,
    Outlook,
    Question,
    Risk,
    SourceHealth,
    Verdict,
    VerdictKind,
)
from checkfirst.sources.remotes import Remotes
from tests.fakes.clock import FakeClock

A = "a" * 64


def question(sha256: str = A, held: bytes = b"/held/1/a") -> Question:
    return Question(sha256, 3, Risk.PROGRAM, held, 0.0)


class Far:
    """A remote source whose answers a test gives by hand."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.queue: dict[str, Question] = {}
        self.asked: list[str] = []
        self.news: list[str] = []
        self.woken = 0

    def __call__(self, deliver, remember) -> "Far":
        self.deliver, self.remember = deliver, remember
        return self

    def ask(self, questions) -> None:
        for each in questions:
            if each.sha256 not in self.queue:
                self.asked.append(each.sha256)
            self.queue[each.sha256] = each

    def ask_again(self, questions) -> None:
        self.news += [each.sha256 for each in questions]

    def forget(self, sha256: str) -> None:
        self.queue.pop(sha256, None)

    def has(self, sha256: str) -> bool:
        return sha256 in self.queue

    def outlook(self):
        return [Outlook(sha256, f"asked {self.name}", None) for sha256 in self.queue]

    def health(self) -> SourceHealth:
        return SourceHealth(self.name, len(self.asked), 0, healthy=True)

    def wake(self) -> None:
        self.woken += 1

    async def run(self) -> None:
        raise NotImplementedError

    async def say(self, kind: VerdictKind, sha256: str = A, **more) -> None:
        verdict = Verdict(kind, self.name, f"{self.name} says so")
        await self.remember(sha256, verdict)
        await self.deliver(Answer(sha256, verdict, **more))
        self.queue.pop(sha256, None)


class Scene:
    def __init__(self, *names: str) -> None:
        self.clock = FakeClock()
        self.delivered: list[Answer] = []
        self.remembered: list[Verdict] = []
        self.raises: Exception | None = None
        self.on_deliver = None
        self.far = [Far(name) for name in names]
        self.remotes = Remotes(self.far, self._deliver, self._remember, self.clock)

    async def _deliver(self, answer: Answer) -> None:
        if self.raises:
            raise self.raises
        self.delivered.append(answer)
        if self.on_deliver is not None:
            self.on_deliver()

    async def _remember(self, _: str, verdict: Verdict) -> None:
        self.remembered.append(verdict)

    def words(self) -> list[tuple[str, str]]:
        return [(each.verdict.source, each.verdict.kind.value) for each in self.delivered]


@pytest.mark.parametrize("kind", [VerdictKind.CLEAN, VerdictKind.MALICIOUS])
async def test_who_knows_the_file_has_the_last_word(kind):
    scene = Scene("one", "two")
    scene.remotes.ask([question()])
    await scene.far[0].say(kind)
    assert scene.words() == [("one", kind.value)]
    assert scene.far[1].asked == []
    assert not scene.remotes.has(A)


async def test_what_one_does_not_know_goes_on_to_the_next_and_only_the_last_says_unknown():
    scene = Scene("one", "two", "three")
    scene.remotes.ask([question()])
    await scene.far[0].say(VerdictKind.UNKNOWN, submitted_at=7.0)
    assert (scene.delivered, scene.remembered) == ([], [])
    assert scene.far[1].asked == [A]
    assert [each.reason for each in scene.remotes.outlook()] == ["asked two"]
    await scene.far[1].say(VerdictKind.UNKNOWN)
    await scene.far[2].say(VerdictKind.UNKNOWN)
    assert scene.words() == [("three", "unknown")]
    assert [each.source for each in scene.remembered] == ["three"]
    assert scene.delivered[0].submitted_at == 7.0


async def test_a_single_one_is_asked_and_answers():
    scene = Scene("one")
    scene.remotes.ask([question()])
    await scene.far[0].say(VerdictKind.UNKNOWN)
    assert scene.words() == [("one", "unknown")]
    assert [each.kind for each in scene.remembered] == [VerdictKind.UNKNOWN]


async def test_a_copy_is_asked_of_whoever_has_the_question():
    scene = Scene("one", "two")
    scene.remotes.ask([question()])
    await scene.far[0].say(VerdictKind.UNKNOWN)
    scene.remotes.ask([question(held=b"/held/2/a")])
    assert (scene.far[0].asked, scene.far[1].asked) == ([A], [A])
    assert scene.far[1].queue[A].held == b"/held/2/a"


async def test_an_answer_that_could_not_be_taken_over_stays_open():
    scene = Scene("one", "two")
    scene.remotes.ask([question()])
    await scene.far[0].say(VerdictKind.UNKNOWN)
    scene.raises = StoreError("The disk is full")
    with pytest.raises(StoreError):
        await scene.far[1].say(VerdictKind.CLEAN)
    scene.raises = None
    await scene.far[1].say(VerdictKind.CLEAN)
    assert scene.words() == [("two", "clean")]
    scene.remotes.ask([question()])
    assert scene.far[0].asked == [A, A]


async def test_a_copy_that_comes_while_the_answer_is_handed_over_stays_with_its_source():
    scene = Scene("one", "two")
    scene.remotes.ask([question()])
    await scene.far[0].say(VerdictKind.UNKNOWN)
    scene.on_deliver = lambda: scene.remotes.ask([question(held=b"/held/2/a")])
    await scene.far[1].say(VerdictKind.CLEAN)
    scene.on_deliver = None
    scene.remotes.ask([question(held=b"/held/3/a")])
    assert (scene.far[0].asked, scene.far[1].queue[A].held) == ([A], b"/held/3/a")


async def test_news_of_an_earlier_source_counts_and_its_ignorance_does_not():
    """As when an upload is analysed at last, while the next source is asked already."""
    scene = Scene("one", "two")
    scene.remotes.ask([question()])
    await scene.far[0].say(VerdictKind.UNKNOWN)
    await scene.far[0].say(VerdictKind.UNKNOWN)
    assert scene.words() == []
    await scene.far[0].say(VerdictKind.MALICIOUS)
    assert scene.words() == [("one", "malicious")]


async def test_forgotten_is_forgotten_everywhere_and_waking_wakes_all():
    scene = Scene("one", "two")
    scene.remotes.ask([question()])
    await scene.far[0].say(VerdictKind.UNKNOWN)
    scene.remotes.forget(A)
    assert not scene.remotes.has(A)
    scene.remotes.wake()
    assert [each.woken for each in scene.far] == [1, 1]


async def test_time_is_counted_for_each_source():
    scene = Scene("one", "two")
    scene.remotes.ask([question()])
    await scene.clock.advance(4)
    await scene.far[0].say(VerdictKind.UNKNOWN)
    await scene.clock.advance(10)
    await scene.far[1].say(VerdictKind.CLEAN)
    assert [each.mean_seconds for each in scene.remotes.health()] == [4.0, 10.0]


async def test_news_is_asked_of_the_next_source_where_the_first_knows_none():
    scene = Scene("first", "second")
    first, second = scene.far
    scene.remotes.ask_again([question()])
    assert (first.news, second.news) == ([A], [])
    await first.remember(A, Verdict(VerdictKind.UNKNOWN, "first", "never seen"))
    assert (first.news, second.news, scene.remembered) == ([A], [A], [])
    await second.remember(A, Verdict(VerdictKind.UNKNOWN, "second", "never seen"))
    assert [verdict.source for verdict in scene.remembered] == ["second"]
    assert scene.remotes.outlook() == scene.delivered == []


async def test_news_of_the_first_source_is_not_covered_by_the_ignorance_of_the_next():
    scene = Scene("first", "second")
    first, second = scene.far
    scene.remotes.ask_again([question()])
    await first.remember(A, Verdict(VerdictKind.MALICIOUS, "first", "9 of 60"))
    assert second.news == []
    assert [verdict.kind for verdict in scene.remembered] == [VerdictKind.MALICIOUS]
