import pytest

from checkfirst.policy.quota import Limits, Pace, Slot, Used
from checkfirst.sources.virustotal.obstacle import Kind, Obstacle
from checkfirst.sources.virustotal.outlook import Moment, outlooks, spent
from checkfirst.sources.virustotal.queue import Queue, Stage
from tests.sources.virustotal.scene import Scene

NOW, MONOTONIC = 10_000.0, 500.0


def moment(obstacle=None, slot=None, pace=Pace(Limits(4, 0, 0))) -> Moment:  # noqa: B008  (frozen)
    return Moment(NOW, MONOTONIC, obstacle, slot, pace)


def queue(*stages: Stage) -> Queue:
    scene, waiting = Scene(), Queue()
    for letter, stage in zip("abcdef", stages, strict=False):
        waiting.place(waiting.add(scene.question(letter, since=float(ord(letter)))), stage)
    return waiting


def test_without_a_limit_there_is_no_wait():
    found = outlooks(
        queue(Stage.LOOK_UP, Stage.LOOK_UP).in_order(), moment(pace=Pace(Limits(0, 0, 0)))
    )
    assert [one.until for one in found] == [NOW, NOW]


def test_an_obstacle_goes_before_a_spent_quota():
    standing = Obstacle(Kind.KEY, "the API key was refused by VirusTotal: no", MONOTONIC + 60)
    slot = Slot(granted=False, until=NOW + 5, limit="minute")
    (found,) = outlooks(queue(Stage.LOOK_UP).in_order(), moment(standing, slot))
    assert (found.reason, found.until) == (standing.reason, NOW + 60)


def test_a_wait_that_is_over_ends_now():
    standing = Obstacle(Kind.NETWORK, "x", MONOTONIC - 60)
    (found,) = outlooks(queue(Stage.POLL).in_order(), moment(standing))
    assert found.until == NOW


@pytest.mark.parametrize(
    ("limit", "words"), [("minute", "for this minute"), ("day", "daily"), ("month", "monthly")]
)
def test_every_quota_has_its_words(limit, words):
    assert words in spent(Slot(granted=False, until=NOW, limit=limit))


def test_each_stage_has_its_words():
    found = outlooks(queue(Stage.LOOK_UP, Stage.UPLOAD, Stage.POLL).in_order(), moment())
    assert [one.reason for one in found] == [
        "waiting for its turn to be looked up at VirusTotal",
        "waiting for its turn to be submitted to VirusTotal (1 before it)",
        "being analysed by VirusTotal (2 before it)",
    ]


def test_each_of_several_uploads_has_a_place_of_its_own():
    found = outlooks(queue(Stage.UPLOAD, Stage.UPLOAD, Stage.UPLOAD).in_order(), moment())
    assert [(one.reason.partition("VirusTotal")[2], one.until) for one in found] == [
        ("", NOW),
        (" (1 before it)", NOW),
        (" (2 before it)", NOW),
    ]


@pytest.mark.parametrize(
    ("slot", "why", "start"),
    [
        (Slot(granted=False, until=86_400.0, limit="day"), "daily quota is spent", 86_400.0),
        (None, "turn to be looked up at VirusTotal", NOW),
    ],
)
def test_the_place_is_told_and_the_days_that_it_takes_are_counted(slot, why, start):
    today = Pace(Limits(4, 2, 0), Used((), 2 if slot else 0, 0), NOW)
    found = outlooks(queue(*[Stage.LOOK_UP] * 5).in_order(), moment(slot=slot, pace=today))
    assert [one.until for one in found] == [
        start,
        start,
        *(86_400.0 * (day + bool(slot)) + rest for day, rest in [(1, 0), (1, 0), (2, 0)]),
    ]
    assert found[4].reason.endswith(f"{why} (4 before it)")


def test_the_months_that_it_takes_are_counted_too():
    pace = Pace(Limits(4, 2, 3), Used((), 1, 1), NOW)
    found = outlooks(queue(*[Stage.LOOK_UP] * 6).in_order(), moment(pace=pace))
    february, march = 31 * 86_400.0, 59 * 86_400.0
    assert [one.until for one in found] == [
        NOW,
        86_400.0,
        february,
        february,
        february + 86_400.0,
        march,
    ]


def test_behind_an_obstacle_each_has_its_place_too():
    standing = Obstacle(Kind.THROTTLED, "x", MONOTONIC + 60)
    found = outlooks(queue(Stage.LOOK_UP, Stage.LOOK_UP).in_order(), moment(standing))
    assert [(one.reason, one.until) for one in found] == [
        ("x", NOW + 60),
        ("x (1 before it)", NOW + 60),
    ]


def test_what_rests_does_not_go_on_before_the_source_does():
    waiting = queue(Stage.POLL)
    (case,) = waiting.cases.values()
    waiting.place(case, due=MONOTONIC + 30)
    spent = Slot(granted=False, until=86_400.0, limit="day")
    standing = Obstacle(Kind.NETWORK, "x", MONOTONIC + 60)
    for around, until in [
        (moment(), NOW + 30),
        (moment(standing), NOW + 60),
        (moment(slot=spent), 86_400.0),
    ]:
        (found,) = outlooks(waiting.in_order(), around)
        assert (found.reason, found.until) == ("being analysed by VirusTotal", until)


def test_what_nobody_waits_for_has_no_outlook():
    waiting = queue(Stage.UPLOAD)
    for case in waiting.cases.values():
        case.wanted = False
    assert outlooks(waiting.in_order(), moment()) == []
