import pytest

from checkfirst.policy.quota import Slot
from checkfirst.sources.virustotal.obstacle import Kind, Obstacle
from checkfirst.sources.virustotal.outlook import Moment, outlooks, spent
from checkfirst.sources.virustotal.queue import Queue, Stage
from tests.sources.virustotal.scene import Scene

NOW, MONOTONIC = 10_000.0, 500.0


def moment(obstacle=None, slot=None, per_minute=4) -> Moment:
    return Moment(NOW, MONOTONIC, obstacle, slot, per_minute)


def queue(*stages: Stage) -> Queue:
    scene, waiting = Scene(), Queue()
    for letter, stage in zip("abcdef", stages, strict=False):
        waiting.place(waiting.add(scene.question(letter, since=float(ord(letter)))), stage)
    return waiting


def test_without_a_limit_there_is_no_wait():
    found = outlooks(queue(Stage.LOOK_UP, Stage.LOOK_UP).in_order(), moment(per_minute=0))
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
        "being analysed by VirusTotal",
    ]


def test_what_nobody_waits_for_has_no_outlook():
    waiting = queue(Stage.UPLOAD)
    for case in waiting.cases.values():
        case.wanted = False
    assert outlooks(waiting.in_order(), moment()) == []
