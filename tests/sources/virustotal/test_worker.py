import asyncio

import pytest

from checkfirst.errors import StoreError
from checkfirst.model import Risk, VerdictKind
from checkfirst.policy.quota import Limits
from checkfirst.sources.virustotal.events import Asked, Problem, Recovered, Waiting
from checkfirst.sources.virustotal.reply import Failure, FailureKind, NotKnown
from tests.sources.virustotal.scene import (
    DROPPED,
    HICCUP,
    KEY_REFUSED,
    NAMELESS,
    NO_KEY,
    REFUSED,
    THROTTLED,
    UNREACHABLE,
    Scene,
    bad,
    clean,
    pending,
    sha,
)

FOUR_A_MINUTE = Limits(4, 500, 15_500)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (clean(), VerdictKind.CLEAN),
        (bad(), VerdictKind.MALICIOUS),
        (NotKnown(), VerdictKind.UNKNOWN),
    ],
)
async def test_an_answer_is_remembered_and_delivered(reply, kind):
    scene = Scene()
    scene.api.script["report"] = [reply]
    scene.ask()
    async with scene.running():
        await scene.settle()
    (answer,) = scene.delivered
    assert answer.verdict.kind is kind
    assert answer.verdict.source == "virustotal"
    assert scene.remembered == {sha("a"): answer.verdict}
    assert scene.source.outlook() == []
    assert scene.events == [Asked(sha("a"))]
    health = scene.source.health()
    assert (health.asked, health.answered, health.healthy) == (1, 1, True)
    assert scene.ledger.open == {}


async def test_a_report_says_where_to_read_it_and_what_the_engines_call_it():
    scene = Scene()
    scene.api.script["report"] = [bad()]
    scene.ask()
    async with scene.running():
        await scene.settle()
    verdict = scene.delivered[0].verdict
    assert verdict.report_url == f"https://www.virustotal.com/gui/file/{sha('a')}"
    assert verdict.threats == ("E: Trojan",)
    assert (verdict.detections, verdict.engines) == (9, 60)
    assert verdict.judged_at == 1755148850.0


async def test_copies_of_one_file_are_asked_about_once():
    scene = Scene()
    scene.ask(*"aaa")
    scene.ask("a", held=b"/held/2")
    async with scene.running():
        await scene.settle()
        assert scene.api.calls == [("report", sha("a"))]
    assert len(scene.delivered) == 1


async def test_a_copy_that_comes_while_the_answer_is_delivered_is_answered_too():
    scene = Scene()
    again = iter([True])

    async def ask_again(_answer):
        if next(again, False):
            scene.ask("a", held=b"/held/2")

    scene.on_deliver = ask_again
    scene.ask()
    async with scene.running():
        await scene.settle()
    assert scene.api.verbs() == ["report"]
    assert len(scene.delivered) == 2
    assert scene.source.outlook() == []


async def test_the_dangerous_come_first_then_the_early_ones():
    scene = Scene()
    now = scene.clock.now()
    scene.ask("a", risk=Risk.IMAGE, since=now)
    scene.ask("b", risk=Risk.PROGRAM, since=now + 9)
    scene.ask("c", risk=Risk.PROGRAM, since=now + 5)
    scene.ask("d", risk=Risk.ARCHIVE, since=now)
    scene.ask("e", risk=Risk.IMAGE, since=now - 8 * 3600)
    async with scene.running():
        await scene.settle()
    assert [one for one, _ in scene.kinds()] == list("ecbda")


async def test_the_minute_quota_is_kept_and_waited_for():
    scene = Scene(limits=FOUR_A_MINUTE)
    scene.ask(*"abcdefghi")
    async with scene.running():
        await scene.settle()
        assert len(scene.delivered) == 4
        await scene.after(59.9)
        assert len(scene.delivered) == 4
        await scene.after(0.2)
        assert len(scene.delivered) == 8
        await scene.after(60.1)
        assert len(scene.delivered) == 9
    waits = scene.events_of(Waiting)
    assert [one.reason for one in waits] == ["VirusTotal's quota for this minute is spent"]
    assert scene.source.health().healthy


async def test_the_outlook_counts_those_before_and_the_time_they_take():
    scene = Scene(limits=FOUR_A_MINUTE)
    scene.ask(*"abcdefg")
    async with scene.running():
        await scene.settle()
        now = scene.clock.now()
        assert [(one.sha256[0], one.reason, one.until) for one in scene.source.outlook()] == [
            ("e", "waiting for its turn to be looked up at VirusTotal", now + 60),
            ("f", "waiting for its turn to be looked up at VirusTotal (1 before it)", now + 60),
            ("g", "waiting for its turn to be looked up at VirusTotal (2 before it)", now + 60),
        ]


async def test_a_spent_day_is_waited_out_over_midnight():
    scene = Scene(limits=Limits(0, 2, 0))
    scene.ask(*"abc")
    async with scene.running():
        await scene.settle()
        (outlook,) = scene.source.outlook()
        assert outlook.reason == "VirusTotal's daily quota is spent"
        assert outlook.until is not None
        assert outlook.until % 86_400 == 0
        await scene.after(outlook.until - scene.clock.now() - 1)
        assert len(scene.delivered) == 2
        await scene.after(2)
    assert len(scene.delivered) == 3


async def test_a_clock_that_is_set_forward_is_noticed_within_a_minute():
    scene = Scene(limits=Limits(0, 1, 0))
    scene.ask(*"ab")
    async with scene.running():
        await scene.settle()
        scene.clock.jump(86_400)
        await scene.after(61)
    assert len(scene.delivered) == 2


async def test_a_pending_report_is_asked_for_again_ever_more_seldom():
    scene = Scene()
    scene.api.script["report"] = [pending(), pending(), pending(), clean()]
    scene.ask()
    async with scene.running():
        await scene.settle()
        (outlook,) = scene.source.outlook()
        assert "no result yet" in outlook.reason
        assert outlook.until == scene.clock.now() + 300
        for seconds, calls in [(299, 1), (2, 2), (598, 2), (2, 3), (1198, 3), (2, 4)]:
            await scene.after(seconds)
            assert len(scene.api.calls) == calls
    assert scene.kinds() == [("a", "clean")]


async def test_pending_reports_are_asked_for_at_least_every_six_hours():
    scene = Scene()
    scene.api.script["report"] = [pending()]
    scene.ask()
    async with scene.running():
        for _ in range(12):
            await scene.after(6 * 3600)
        assert len(scene.api.calls) >= 12
    assert scene.delivered == []


FAILURES = [UNREACHABLE, DROPPED, HICCUP, THROTTLED, KEY_REFUSED, NO_KEY, REFUSED, NAMELESS]


@pytest.mark.parametrize("failure", FAILURES, ids=lambda one: one.code)
async def test_no_failure_becomes_a_verdict_and_none_is_remembered(failure):
    scene = Scene()
    scene.api.script["report"] = [failure]
    scene.ask(*"abcde")
    async with scene.running():
        for _ in range(20):
            await scene.after(3 * 3600)
        assert len(scene.api.calls) > 5
        assert {one.sha256[0] for one in scene.source.outlook()} == set("abcde")
        assert all(one.reason for one in scene.source.outlook())
        assert scene.delivered == []
        assert scene.remembered == {}
        scene.api.script["report"] = [clean()]
        await scene.after(7 * 3600)
    assert sorted(scene.kinds()) == [(one, "clean") for one in "abcde"]
    assert scene.source.health().healthy


@pytest.mark.parametrize("failure", [DROPPED, HICCUP], ids=lambda one: one.code)
async def test_a_question_that_fails_is_retried_after_waits_that_double(failure):
    scene = Scene()
    scene.api.script["report"] = [failure, failure, failure, clean()]
    scene.ask()
    async with scene.running():
        for seconds, calls in [(4.9, 1), (0.2, 2), (9.7, 2), (0.4, 3), (19.5, 3), (0.6, 4)]:
            await scene.after(seconds)
            assert len(scene.api.calls) == calls
    assert len(scene.delivered) == 1
    assert scene.ledger.counted == 4


async def test_without_network_all_wait_and_one_tries():
    scene = Scene()
    scene.api.script["report"] = [UNREACHABLE]
    scene.ask(*"abc")
    async with scene.running():
        await scene.settle()
        assert len(scene.api.calls) == 1
        health = scene.source.health()
        assert not health.healthy
        assert "VirusTotal cannot be reached: no such host" in (health.problem or "")
        outlooks = scene.source.outlook()
        assert [one.reason.partition(": ")[2] for one in outlooks] == [
            "no such host",
            "no such host (1 before it)",
            "no such host (2 before it)",
        ]
        assert {one.until for one in outlooks} == {scene.clock.now() + 5}
        await scene.after(5.1)
        assert len(scene.api.calls) == 2
        scene.api.script["report"] = [clean()]
        await scene.after(10.1)
    assert len(scene.delivered) == 3
    assert scene.ledger.counted == 3, "what never left costs nothing"
    assert [type(one) for one in scene.events if not isinstance(one, Asked)] == [
        Problem,
        Waiting,
        Recovered,
    ]


async def test_an_outage_that_takes_every_request_stops_the_source():
    scene = Scene()
    scene.api.script["report"] = [DROPPED]
    scene.ask(*"abcdefgh")
    async with scene.running():
        await scene.settle()
        assert len(scene.api.calls) == 3
        assert "does not answer as it should" in (scene.source.health().problem or "")
        await scene.after(3600)
        assert len(scene.api.calls) < 20


async def test_one_question_that_always_fails_does_not_stop_the_others():
    scene = Scene()
    scene.api.script[f"report {sha('a')}"] = [HICCUP]
    scene.ask(*"abcd")
    async with scene.running():
        await scene.after(3600)
        assert sorted(one for one, _ in scene.kinds()) == list("bcd")
        assert scene.source.health().healthy


async def test_an_answer_wakes_what_waits_for_the_network():
    scene = Scene()
    scene.api.script[f"report {sha('a')}"] = [DROPPED, DROPPED, DROPPED, DROPPED, clean()]
    scene.ask("a")
    async with scene.running():
        await scene.after(40)
        assert len(scene.api.calls) == 4
        scene.ask("b")
        await scene.settle()
    assert [one for one, _ in scene.kinds()] == ["b", "a"]


async def test_retry_after_of_a_failure_is_honoured():
    scene = Scene()
    slow = Failure(FailureKind.RETRY, "503", "busy", retry_after=100.0)
    scene.api.script["report"] = [slow, clean()]
    scene.ask()
    async with scene.running():
        await scene.after(99)
        assert len(scene.api.calls) == 1
        await scene.after(2)
    assert len(scene.delivered) == 1


async def test_a_429_pauses_the_source_and_one_request_probes():
    scene = Scene()
    scene.api.script["report"] = [THROTTLED]
    scene.ask(*"abc")
    async with scene.running():
        for seconds, calls in [(59, 1), (2, 2), (117, 2), (4, 3), (234, 3), (10, 4)]:
            await scene.after(seconds)
            assert len(scene.api.calls) == calls
        assert "refuses more requests" in (scene.source.health().problem or "")
        scene.api.script["report"] = [clean()]
        await scene.after(3600)
    assert len(scene.delivered) == 3
    assert len(scene.events_of(Problem)) == 1
    assert len(scene.events_of(Recovered)) == 1


@pytest.mark.parametrize(("asked_for", "waits"), [(7200.0, 7200), (1e9, 86_400), (1.0, 60)])
async def test_retry_after_of_a_429_is_honoured_when_it_is_longer_but_not_for_ever(
    asked_for, waits
):
    scene = Scene()
    throttled = Failure(FailureKind.THROTTLED, "429", "", retry_after=asked_for)
    scene.api.script["report"] = [throttled, clean()]
    scene.ask()
    async with scene.running():
        await scene.after(waits - 1)
        assert scene.delivered == []
        await scene.after(2)
    assert len(scene.delivered) == 1


@pytest.mark.parametrize("failure", [KEY_REFUSED, NO_KEY], ids=lambda one: one.code)
async def test_a_refused_or_missing_key_pauses_the_source_with_one_clear_problem(failure):
    scene = Scene()
    scene.api.script["report"] = [failure]
    scene.ask(*"abc")
    async with scene.running():
        await scene.after(61)
        assert len(scene.api.calls) == 2
        (problem,) = scene.events_of(Problem)
        assert "API key" in problem.text
        assert "checkfirst key set" in problem.text
        assert scene.source.health().problem == problem.text
        scene.api.script["report"] = [clean()]
        scene.source.wake()
        await scene.settle()
    assert len(scene.delivered) == 3
    assert len(scene.events_of(Recovered)) == 1


async def test_an_address_that_may_not_be_virustotals_stops_the_source_with_one_clear_problem():
    scene = Scene()
    scene.api.script["report"] = [NAMELESS]
    scene.ask(*"abc")
    async with scene.running():
        for seconds, calls in [(59, 1), (2, 2), (117, 2), (4, 3)]:
            await scene.after(seconds)
            assert len(scene.api.calls) == calls
        (problem,) = scene.events_of(Problem)
        assert problem.text.startswith("It names no file. Mend `virustotal.url`")
        assert scene.source.health().problem == problem.text
        assert all("it names no file" in one.reason for one in scene.source.outlook())
        assert (scene.delivered, scene.remembered) == ([], {})
        scene.api.script["report"] = [NotKnown()]
        await scene.after(3600)
    assert sorted(scene.kinds()) == [(one, "unknown") for one in "abc"]
    assert len(scene.events_of(Recovered)) == 1


async def test_a_file_that_the_address_knows_is_not_held_up_by_one_that_it_does_not_name():
    scene = Scene()
    scene.api.script = {"report": [NAMELESS], f"report {sha('b')}": [clean("b")]}
    scene.ask(*"ab")
    async with scene.running():
        await scene.after(61)
        assert scene.kinds() == [("b", "clean")]
        assert [one.sha256[0] for one in scene.source.outlook()] == ["a"]


async def test_a_refused_question_is_put_off_for_hours_and_told_and_others_go_on():
    scene = Scene()
    scene.api.script[f"report {sha('a')}"] = [REFUSED, clean()]
    scene.ask("a", held=b"/held/slot/b\nd.exe")
    scene.ask("b")
    async with scene.running():
        await scene.after(6 * 3600 - 10)
        assert scene.kinds() == [("b", "unknown")]
        (problem,) = scene.events_of(Problem)
        assert problem.sha256 == sha("a")
        assert problem.text.startswith("b\\x0ad.exe: VirusTotal refuses the question: no. It is")
        assert "refuses the question" in scene.source.outlook()[0].reason
        assert scene.source.health().healthy
        await scene.after(20)
    assert ("a", "clean") in scene.kinds()


async def test_waking_tries_what_was_put_off():
    scene = Scene()
    scene.api.script["report"] = [REFUSED, clean()]
    scene.ask()
    async with scene.running():
        await scene.settle()
        scene.source.wake()
        await scene.settle()
    assert len(scene.delivered) == 1


async def test_a_delivery_that_fails_is_repeated_without_asking_again():
    scene = Scene()
    scene.deliver_raises = [StoreError("The disk is full")]
    scene.ask("a", "b")
    error = await scene.run_until_it_fails()
    assert isinstance(error, StoreError)
    assert {one.sha256[0] for one in scene.source.outlook()} == {"a", "b"}
    async with scene.running():
        await scene.after(6)
    assert sorted(one for one, _ in scene.kinds()) == ["a", "b"]
    assert sorted(scene.api.calls) == [("report", sha("a")), ("report", sha("b"))]
    assert scene.api.closed == 2


async def test_a_ledger_that_fails_loses_no_question():
    scene = Scene()
    scene.ledger.raises = StoreError("The database is locked")
    scene.ask()
    assert isinstance(await scene.run_until_it_fails(), StoreError)
    assert scene.api.calls == []
    scene.ledger.raises = None
    async with scene.running():
        await scene.settle()
    assert len(scene.delivered) == 1


async def test_a_question_in_hand_when_it_was_stopped_is_put_again():
    scene = Scene()
    scene.api.gates["report"] = asyncio.Event()
    scene.ask()
    async with scene.running():
        await scene.settle()
        assert scene.source.outlook()[0].reason == "VirusTotal is being asked"
    del scene.api.gates["report"]
    async with scene.running():
        await scene.settle()
    assert scene.api.verbs() == ["report", "report"]
    assert len(scene.delivered) == 1


async def test_a_forgotten_question_is_not_asked():
    scene = Scene()
    scene.ask("a", "b")
    scene.source.forget(sha("a"))
    scene.source.forget(sha("z"))
    async with scene.running():
        await scene.settle()
    assert scene.api.calls == [("report", sha("b"))]


async def test_a_question_forgotten_while_it_is_asked_is_remembered_but_not_delivered():
    scene = Scene()
    scene.api.gates["report"] = asyncio.Event()
    scene.ask()
    async with scene.running():
        await scene.settle()
        scene.source.forget(sha("a"))
        assert scene.source.outlook() == []
        scene.api.gates["report"].set()
        await scene.settle()
    assert scene.delivered == []
    assert scene.remembered[sha("a")].kind is VerdictKind.UNKNOWN


async def test_a_question_asked_again_after_it_was_forgotten_is_answered():
    scene = Scene()
    scene.api.gates["report"] = asyncio.Event()
    scene.ask()
    async with scene.running():
        await scene.settle()
        scene.source.forget(sha("a"))
        scene.ask()
        scene.api.gates["report"].set()
        await scene.settle()
    assert len(scene.delivered) == 1
    assert len(scene.api.calls) == 1


async def test_it_is_idle_with_nothing_to_do_and_wakes_when_asked():
    scene = Scene()
    async with scene.running():
        await scene.after(10_000)
        assert scene.clock.next_due is None
        scene.ask()
        await scene.settle()
    assert len(scene.delivered) == 1


async def test_a_permit_that_is_not_needed_any_more_is_given_back():
    scene = Scene()
    acquire = scene.ledger.acquire

    async def forgetting(*, spare=False):
        granted = await acquire(spare=spare)
        scene.source.forget(sha("a"))
        return granted

    scene.ledger.acquire = forgetting
    scene.ask()
    async with scene.running():
        await scene.settle()
    assert scene.api.calls == []
    assert (scene.ledger.counted, scene.ledger.given_back) == (0, 1)
