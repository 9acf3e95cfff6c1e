"""Second looks in the queue: last of all, with requests to spare, and without consequences."""

import asyncio

from checkfirst.model import Risk, VerdictKind
from checkfirst.policy.quota import Limits
from checkfirst.sources.virustotal.events import Asked, AskedAgain, Problem, Waiting
from checkfirst.sources.virustotal.reply import NotKnown
from checkfirst.sources.virustotal.rules import Rules
from checkfirst.store.submissions import Submission
from tests.sources.virustotal.scene import (
    DROPPED,
    REFUSED,
    THROTTLED,
    Scene,
    bad,
    clean,
    pending,
    sha,
)

PUBLIC = Limits(4, 500, 15_500)
SUBMITS = Rules(submit=True, submit_types=frozenset(Risk))


def again(scene: Scene, *letters: str) -> None:
    scene.source.ask_again([scene.question(letter, held=b"") for letter in letters])


async def test_an_answer_is_remembered_and_delivered_to_nobody():
    scene = Scene()
    scene.api.script["report"] = [bad()]
    again(scene, "a")
    async with scene.running():
        await scene.settle()
    assert scene.remembered[sha("a")].kind is VerdictKind.MALICIOUS
    assert scene.delivered == []
    assert not scene.source.has(sha("a"))
    assert scene.events == [AskedAgain(sha("a"))]
    assert scene.source.outlook() == []


async def test_a_file_that_is_still_unknown_is_never_uploaded_for_it():
    scene = Scene(SUBMITS)
    again(scene, "a")
    async with scene.running():
        await scene.after(3600)
    assert scene.api.verbs() == ["report"]
    assert scene.remembered[sha("a")].kind is VerdictKind.UNKNOWN


async def test_a_report_without_a_result_is_no_answer_and_is_not_followed():
    scene = Scene()
    scene.api.script["report"] = [pending()]
    again(scene, "a")
    async with scene.running():
        await scene.after(86_400)
    assert scene.api.verbs() == ["report"]
    assert scene.remembered == {}
    assert not scene.source.has(sha("a"))


async def test_waiting_files_and_polls_come_first():
    scene = Scene(limits=PUBLIC)
    again(scene, *"xyz")
    scene.ask(*"abcdef", risk=Risk.MEDIA)
    async with scene.running():
        await scene.settle()
        assert [one[1][0] for one in scene.api.calls] == list("abcd")
        await scene.after(60.1)
        # Two wait and are served; half of the minute is now used, so nothing is to spare.
        assert [one[1][0] for one in scene.api.calls[4:]] == list("ef")
        await scene.after(60.1)
        assert [one[1][0] for one in scene.api.calls[6:]] == list("xy")
        await scene.after(60.1)
        assert [one[1][0] for one in scene.api.calls[8:]] == ["z"]


async def test_half_of_the_minute_stays_free_for_a_file_that_comes():
    scene = Scene(limits=PUBLIC)
    again(scene, *"uvwxyz")
    async with scene.running():
        await scene.settle()
        assert len(scene.api.calls) == 2
        scene.ask(*"ab")
        await scene.settle()
        assert [one[1][0] for one in scene.api.calls[2:]] == list("ab")
        assert len(scene.delivered) == 2
    assert scene.events_of(Waiting) == []


async def test_half_of_the_day_stays_free_whatever_is_looked_at_again():
    scene = Scene(limits=Limits(0, 10, 0))
    again(scene, *"pqrstuvwxyz")
    async with scene.running():
        await scene.after(600)
        assert len(scene.api.calls) == 5
        scene.ask(*"abcde")
        await scene.settle()
        assert len(scene.delivered) == 5
        await scene.after(86_400)
    assert len(scene.api.calls) > 10


async def test_a_file_that_comes_while_it_is_to_be_asked_again_is_asked_at_once():
    scene = Scene(SUBMITS, limits=Limits(4, 1, 0))
    again(scene, "a")
    async with scene.running():
        await scene.settle()
        assert scene.api.calls == []
        scene.ask("a")
        await scene.settle()
    assert scene.api.verbs() == ["report"]
    assert scene.events_of(Asked) == [Asked(sha("a"))]


async def test_a_file_that_comes_while_it_is_being_asked_again_is_answered_by_the_same_request():
    scene = Scene()
    scene.api.script["report"] = [clean()]
    scene.api.gates["report"] = asyncio.Event()
    again(scene, "a")
    async with scene.running():
        await scene.settle()
        scene.ask("a")
        scene.api.gates["report"].set()
        await scene.settle()
    assert scene.api.verbs() == ["report"]
    assert scene.kinds() == [("a", "clean")]


async def test_a_file_that_is_asked_about_anyhow_is_not_asked_twice():
    scene = Scene(limits=PUBLIC)
    scene.ask("a")
    again(scene, "a")
    async with scene.running():
        await scene.settle()
    assert scene.api.verbs() == ["report"]
    assert len(scene.delivered) == 1


async def test_failures_are_tried_again_and_never_an_answer():
    scene = Scene()
    scene.api.script["report"] = [DROPPED, THROTTLED, clean()]
    again(scene, "a")
    async with scene.running():
        await scene.settle()
        assert scene.remembered == {}
        assert scene.source.has(sha("a"))
        await scene.after(600)
    assert scene.remembered[sha("a")].kind is VerdictKind.CLEAN


async def test_a_refusal_is_put_off_without_words_about_a_held_file():
    scene = Scene()
    scene.api.script["report"] = [REFUSED]
    again(scene, "a")
    async with scene.running():
        await scene.after(3600)
    assert scene.api.verbs() == ["report"]
    assert scene.events_of(Problem) == []


async def test_a_permit_that_was_meant_for_a_waiting_file_serves_no_second_look():
    scene = Scene(limits=Limits(4, 2, 0))
    scene.api.script["report"] = [NotKnown()]
    scene.ask("a")
    again(scene, "b")
    acquire = scene.ledger.acquire

    async def forgets_meanwhile(*, spare: bool = False):
        granted = await acquire(spare=spare)
        scene.source.forget(sha("a"))
        return granted

    scene.ledger.acquire = forgets_meanwhile
    async with scene.running():
        await scene.settle()
    assert [one[1][0] for one in scene.api.calls] == ["b"]
    assert scene.ledger.given_back == 1


async def test_the_question_about_an_analysis_comes_first_as_well():
    scene = Scene(SUBMITS, limits=Limits(1, 500, 15_500))
    scene.submissions.rows[sha("a")] = Submission(sha("a"), "x", scene.clock.now())
    again(scene, "b")
    scene.ask("a")
    async with scene.running():
        await scene.settle()
        assert scene.api.calls == [("analysis", sha("a"))]
        await scene.after(60.1)
    assert scene.api.calls[1:] == [("analysis", sha("a"))]
