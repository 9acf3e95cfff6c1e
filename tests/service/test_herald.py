"""Which facts make news, and in which words."""

from datetime import UTC, datetime

import pytest

from checkfirst.model import (
    Action,
    Arrival,
    Decision,
    Fingerprint,
    Outlook,
    Risk,
    State,
    Verdict,
    VerdictKind,
)
from checkfirst.notify.news import Kind, News
from checkfirst.service.herald import LONG_SECONDS, Herald
from checkfirst.service.work import Again, Done, InHand, Missed, Ordered, Turn, Undone, Work
from checkfirst.sources.virustotal import events
from checkfirst.watch.telling import Trouble, WatchEvent

PAGE = "https://www.virustotal.com/gui/file/" + "ab" * 32
NOW = 1_764_000_000.0
TODAY = datetime.fromtimestamp(NOW, UTC)


class Scene:
    def __init__(self) -> None:
        self.news: list[News] = []
        self.pages: list[str] = []
        self.kinds = set(Kind)
        local = lambda at: datetime.fromtimestamp(at, UTC)  # noqa: E731
        self.herald = Herald(self.news.append, self.pages.append, local, self.kinds)

    @property
    def told(self) -> list[tuple[Kind, str]]:
        return [(news.kind, news.text) for news in self.news]


@pytest.fixture
def scene() -> Scene:
    return Scene()


PRINT = Fingerprint("a" * 64, 1, "application/pdf", Risk.DOCUMENT)


def order(name: bytes, action: Action, kind: VerdictKind, page: str | None = None) -> Ordered:
    verdict = Verdict(kind, "virustotal", "said so", report_url=page)
    hand = InHand(Work(Arrival(1, State.HELD, b"/d", b"/d/" + name)), None, PRINT)  # type: ignore[arg-type]
    return Ordered(hand, verdict, Decision(action, "9 of 60 engines"), NOW)


def test_a_malicious_file_is_news_with_its_page_and_opens_it(scene):
    stopped = order(b"setup.exe", Action.QUARANTINE, VerdictKind.MALICIOUS, PAGE)
    scene.herald.ended([Done(stopped, b"/Q/2026-11-24 setup.exe")])
    assert scene.news == [News(Kind.QUARANTINED, "setup.exe: 9 of 60 engines", PAGE, b"/Q")]
    assert scene.pages == [PAGE]


def test_an_unknown_file_leads_to_its_folder_and_opens_nothing(scene):
    stopped = order(b"odd", Action.QUARANTINE, VerdictKind.UNKNOWN, PAGE)
    scene.herald.ended([Done(stopped, b"/Q/odd")])
    assert scene.news == [News(Kind.QUARANTINED, "odd: 9 of 60 engines", b"/Q/odd", b"/Q")]
    assert scene.pages == []


def test_a_released_file_is_news_of_its_own_kind(scene):
    released = order(b"a.pdf", Action.RELEASE, VerdictKind.CLEAN, PAGE)
    scene.herald.ended([Done(released, b"/R/a.pdf")])
    assert scene.news == [News(Kind.RELEASED, "a.pdf: 9 of 60 engines", folder=b"/R")]
    assert scene.pages == []


def test_of_releases_that_nobody_wants_to_hear_of_only_the_rest_of_a_batch_is_news(scene):
    scene.kinds.remove(Kind.RELEASED)
    released = order(b"a.pdf", Action.RELEASE, VerdictKind.CLEAN, PAGE)
    stopped = order(b"b.exe", Action.QUARANTINE, VerdictKind.MALICIOUS)
    scene.herald.ended([Done(released, b"/R/a.pdf"), Done(stopped, b"/Q/b")])
    assert scene.told == [(Kind.QUARANTINED, "b.exe: 9 of 60 engines")]


@pytest.mark.parametrize(
    "name", [b"a\nb", b"\xff\xfe", "\u202egnp.exe".encode(), b"\x1b[31m", b"x" * 255]
)
def test_hostile_names_are_shown_short_and_printable(scene, name):
    scene.herald.ended([Done(order(name, Action.QUARANTINE, VerdictKind.UNKNOWN), b"/Q/x")])
    assert scene.news[0].text.isprintable()
    assert len(scene.news[0].text) < 100


def held(number: int, seconds: float, **more) -> Arrival:
    row = Arrival(number, State.WAITING, b"/d", b"/d/f%d" % number, held_at=NOW - seconds)
    return row._replace(**more)


def test_a_file_held_for_long_is_told_once_with_its_reason_and_until_when(scene):
    rows = [held(1, LONG_SECONDS + 1, sha256="aa"), held(2, LONG_SECONDS - 1, sha256="aa")]
    outlook = {"aa": Outlook("aa", "the quota is spent", NOW + 600)}
    for _ in range(3):
        scene.herald.still_held(rows, outlook, NOW)
    moment = datetime.fromtimestamp(NOW + 600, UTC).strftime("%H:%M")
    assert scene.told == [(Kind.HELD, f"f1: the quota is spent, until about {moment}")]


def test_a_moment_on_another_day_has_its_date(scene):
    tomorrow = NOW + 86_400
    scene.herald.still_held([held(1, 999, until=tomorrow, reason="away")], {}, NOW)
    assert scene.told[0][1].endswith(
        datetime.fromtimestamp(tomorrow, UTC).strftime("until about %Y-%m-%d %H:%M")
    )


def test_a_file_that_was_let_go_and_comes_back_is_told_again(scene):
    row = held(1, 999)
    for rows in ([row], [], [row]):
        scene.herald.still_held(rows, {}, NOW)
    assert len(scene.news) == 2


def test_problems_that_last_are_told_and_those_that_pass_are_not(scene):
    work = Work(Arrival(1, State.HELD, b"/d", b"/d/f"))
    some = order(b"f", Action.RELEASE, VerdictKind.CLEAN)
    for is_first, quiet in ((True, True), (False, False)):
        scene.herald.undone(Undone(some, "no", quiet), is_first=is_first)
        scene.herald.left(Missed(work, State.LEFT, "no", quiet), is_first=is_first)
        scene.herald.not_judged(Missed(work, State.HELD, "no", quiet), is_first=is_first)
    scene.herald.watch(WatchEvent(Trouble.OVERFLOW, b"/d", "events were dropped"))
    scene.herald.source(events.Waiting("the quota is spent", NOW, NOW))
    assert scene.news == []

    scene.herald.undone(Undone(some, "The disk is full"), is_first=True)
    scene.herald.left(Missed(work, State.LEFT, "No permission"), is_first=True)
    scene.herald.not_judged(Missed(work, State.HELD, "It cannot be read"), is_first=True)
    scene.herald.watch(WatchEvent(Trouble.LOST, b"/d", "/d is away"))
    scene.herald.source(events.Problem("The key is refused\x1b"))
    scene.herald.failure("line", "it ended")
    assert scene.told == [
        (Kind.PROBLEM, "The disk is full"),
        (Kind.PROBLEM, "No permission"),
        (Kind.PROBLEM, "It cannot be read"),
        (Kind.PROBLEM, "/d is away"),
        (Kind.PROBLEM, "The key is refused\\x1b"),
        (Kind.PROBLEM, "The part `line` failed: it ended"),
    ]


@pytest.mark.parametrize(
    ("turn", "kind", "words"),
    [
        (Turn.TAKEN_BACK, None, ""),
        (Turn.UNCLEAR, None, ""),
        (Turn.NOTHING, None, ""),
        (Turn.CHANGED, Kind.PROBLEM, "and changed since. Look for it"),
        (Turn.MISSING, Kind.PROBLEM, "and has left. Look for it"),
        (Turn.CLEARED, Kind.CHANGED, "`checkfirst quarantine restore 7` gives it back"),
        (Turn.RESTORED, Kind.CHANGED, "is now in /r/b"),
        (Turn.CONFIRMED, Kind.CHANGED, "stays in /r/a"),
    ],
)
def test_what_a_second_look_brings_is_news_where_a_person_can_act_on_it(scene, turn, kind, words):
    file = Arrival(7, State.RELEASED, b"/d", b"/d/a\n", destination=b"/r/a")
    verdict = Verdict(VerdictKind.CLEAN, "virustotal", "said so", report_url=PAGE)
    scene.herald.looked_again(Again(file, verdict, turn, b"/r/b"))
    assert [told for told, _ in scene.told] == ([kind] if kind else [])
    for news in scene.news:
        assert news.text.startswith("a\\x0a: said so. It was")
        assert words in news.text
        assert news.report == PAGE
