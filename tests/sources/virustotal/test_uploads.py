"""Files that VirusTotal has never seen: uploaded where the rules say so, and waited for."""

import asyncio
import hashlib
import os
from dataclasses import replace

import pytest

from checkfirst.errors import StoreError
from checkfirst.model import Question, Risk
from checkfirst.policy.quota import Limits
from checkfirst.sources.virustotal.course import MOST_OPEN
from checkfirst.sources.virustotal.events import Problem, Submitted
from checkfirst.sources.virustotal.reply import AnalysisStatus, Descriptor, NotKnown
from checkfirst.sources.virustotal.rules import LARGEST_BYTES, SMALL_BYTES, Rules
from checkfirst.store.submissions import Submission
from tests.sources.virustotal.scene import (
    CHANGED,
    DROPPED,
    HICCUP,
    KEY_REFUSED,
    REFUSED,
    STATS_BAD,
    STATS_CLEAN,
    THROTTLED,
    TOO_LARGE,
    UNREACHABLE,
    Scene,
    clean,
    sha,
)

WAIT = Rules(submit=True, wait=True, submit_types=frozenset({Risk.PROGRAM}))
GO_ON = replace(WAIT, wait=False)
QUEUED = AnalysisStatus(finished=False, stats={"malicious": 0}, date=5)
PARTLY_CLEAN = AnalysisStatus(finished=False, stats=STATS_CLEAN, date=5)
PARTLY_BAD = AnalysisStatus(finished=False, stats=STATS_BAD, date=5)
DONE_CLEAN = AnalysisStatus(finished=True, stats=STATS_CLEAN, date=5)
DONE_BAD = AnalysisStatus(finished=True, stats=STATS_BAD, date=5)
DONE_FEW = AnalysisStatus(finished=True, stats={"malicious": 0, "undetected": 2}, date=5)


class Files:
    """Held files, and the questions about them."""

    def __init__(self, folder, scene: Scene) -> None:
        self.folder = folder
        self.scene = scene

    def put(self, name: str, content: bytes = b"abc", **more) -> Question:
        path = self.folder / name
        path.write_bytes(content)
        question = Question(
            hashlib.sha256(content).hexdigest(),
            len(content),
            Risk.PROGRAM,
            os.fsencode(path),
            self.scene.clock.now(),
        )
        return replace(question, **more)

    async def ask(self, name: str = "a", content: bytes = b"abc", **more) -> Question:
        question = await asyncio.to_thread(self.put, name, content, **more)
        self.scene.source.ask([question])
        return question


@pytest.fixture
def scene() -> Scene:
    return Scene(WAIT)


@pytest.fixture
def files(tmp_path, scene) -> Files:
    return Files(tmp_path, scene)


def open_descriptors() -> set[str]:
    return {name for name in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{name}")}


@pytest.mark.parametrize(
    ("rules", "risk"),
    [(Rules(), Risk.PROGRAM), (replace(WAIT, submit=False), Risk.PROGRAM), (WAIT, Risk.DOCUMENT)],
)
async def test_nothing_is_uploaded_that_the_rules_do_not_name(scene, files, rules, risk):
    scene.source.reload(rules)
    await files.ask(risk=risk)
    async with scene.running():
        await scene.settle()
    assert scene.api.verbs() == ["report"]
    assert [one for _, one in scene.kinds()] == ["unknown"]


@pytest.mark.parametrize(
    ("statuses", "kind"),
    [
        ([QUEUED, PARTLY_CLEAN, DONE_CLEAN], "clean"),
        ([QUEUED, PARTLY_CLEAN, DONE_BAD], "malicious"),
        ([PARTLY_BAD], "malicious"),
        ([DONE_FEW], "unknown"),
    ],
)
async def test_a_file_is_uploaded_once_and_judged_by_its_analysis(scene, files, statuses, kind):
    scene.api.script["analysis"] = list(statuses)
    question = await files.ask()
    async with scene.running():
        await scene.settle()
        assert scene.delivered == []
        assert scene.source.outlook()[0].reason == "being analysed by VirusTotal"
        await scene.after(600)
    assert scene.api.verbs() == ["report", "upload", *["analysis"] * len(statuses)]
    assert scene.api.sent == {question.sha256: b"abc"}
    (answer,) = scene.delivered
    assert answer.verdict.kind == kind
    (submitted,) = scene.events_of(Submitted)
    assert answer.submitted_at == submitted.at
    assert scene.submissions.rows[question.sha256].ended
    assert answer.verdict.report_url is not None
    assert scene.ledger.counted == len(scene.api.calls)


async def test_polls_come_ever_more_seldom(scene, files):
    await files.ask()
    async with scene.running():
        for seconds, polls in [
            (29, 0),
            (2, 1),
            (58, 1),
            (2, 2),
            (118, 2),
            (2, 3),
            (238, 3),
            (3, 4),
        ]:
            await scene.after(seconds)
            assert scene.api.verbs().count("analysis") == polls


async def test_after_wait_at_most_of_answered_polling_it_is_unknown(scene, files):
    scene.api.script["analysis"] = [UNREACHABLE, UNREACHABLE, PARTLY_CLEAN]
    await files.ask()
    async with scene.running():
        await scene.after(30)
        assert scene.api.verbs().count("analysis") == 1
        await scene.after(15.5)
        assert scene.api.verbs().count("analysis") == 3
        await scene.after(899)
        assert scene.delivered == []
        await scene.after(2)
    assert [one for _, one in scene.kinds()] == ["unknown"]
    assert "did not finish" in scene.delivered[0].verdict.reason


async def test_an_outage_does_not_use_up_the_waiting_time(scene, files):
    scene.api.script["analysis"] = [QUEUED, *[DROPPED] * 200, DONE_CLEAN]
    await files.ask()
    async with scene.running():
        for _ in range(100):
            await scene.after(900)
        assert scene.delivered == []
        scene.api.script["analysis"] = [DONE_CLEAN]
        await scene.after(901)
    assert [one for _, one in scene.kinds()] == ["clean"]


ASLEEP = 6 * 3600.0


async def halfway(scene: Scene) -> None:
    """Polls are answered 30, 90, 210 and 450 seconds after the upload; the next is due at 750."""
    await scene.after(480)
    assert scene.api.verbs().count("analysis") == 4
    assert scene.delivered == []


async def no_network(scene: Scene) -> None:
    scene.api.script["analysis"] = [UNREACHABLE]
    await scene.after(ASLEEP)
    assert scene.api.verbs().count("analysis") > 20
    scene.api.script["analysis"] = [PARTLY_CLEAN]


async def no_quota(scene: Scene) -> None:
    scene.ledger.limits = Limits(0, 1, 0)
    await scene.after(ASLEEP)
    assert scene.api.verbs().count("analysis") == 4
    scene.ledger.limits = Limits(0, 0, 0)


async def asleep(scene: Scene) -> None:
    scene.clock.jump(ASLEEP)  # CLOCK_MONOTONIC stands still in the meantime


@pytest.mark.parametrize("gap", [no_network, no_quota, asleep])
async def test_only_time_with_answers_uses_up_the_wait(scene, files, gap):
    scene.api.script["analysis"] = [PARTLY_CLEAN]
    await files.ask()
    async with scene.running():
        await halfway(scene)
        await gap(scene)
        await scene.after(900)
    assert [one for _, one in scene.kinds()] == ["unknown"]
    (row,) = scene.submissions.rows.values()
    assert 0.0 <= 900.0 - row.waited < 1.0


@pytest.mark.parametrize("gap", [no_network, no_quota, asleep])
async def test_what_is_left_of_the_wait_after_an_outage_is_waited(scene, files, gap):
    scene.api.script["analysis"] = [PARTLY_CLEAN]
    await files.ask()
    async with scene.running():
        await halfway(scene)
        await gap(scene)
        await scene.after(100)
        assert scene.delivered == []
        scene.api.script["analysis"] = [DONE_CLEAN]
        await scene.after(900)
    assert [one for _, one in scene.kinds()] == ["clean"]


async def test_a_clock_that_is_set_back_does_not_prolong_the_waiting(scene, files):
    scene.api.script["analysis"] = [QUEUED]
    await files.ask()
    async with scene.running():
        await scene.after(31)
        scene.clock.jump(-30 * 86_400)
        await scene.after(1300)
    assert [one for _, one in scene.kinds()] == ["unknown"]


async def test_polls_are_never_ahead_of_a_waiting_look_up(tmp_path):
    scene = Scene(WAIT, Limits(2, 0, 0))
    await Files(tmp_path, scene).ask()
    async with scene.running():
        await scene.settle()
        assert scene.api.verbs() == ["report", "upload"]
        scene.ask(*"bcdefg", risk=Risk.DOCUMENT)
        await scene.after(150)
        assert scene.api.verbs()[2:] == ["report"] * 4
        await scene.after(100)
    assert (
        scene.api.verbs()[6:]
        == ["report", "report", "analysis", "analysis"][: len(scene.api.verbs()) - 6]
    )


async def test_look_ups_come_before_uploads_and_go_on_beside_one(scene, files):
    scene.api.gates["upload"] = asyncio.Event()
    await files.ask("a", b"abc")
    await files.ask("b", b"abcd")
    async with scene.running():
        await scene.settle()
        assert scene.api.verbs() == ["report", "report", "upload"]
        scene.ask("c", risk=Risk.IMAGE)
        await scene.settle()
        assert scene.api.verbs() == ["report", "report", "upload", "report"]
        assert len(scene.delivered) == 1
        scene.api.gates["upload"].set()
        await scene.settle()
        assert scene.api.verbs()[4:] == ["upload"]


async def test_a_long_upload_keeps_its_place_in_the_minute_until_it_ends(scene, files):
    scene.api.gates["upload"] = asyncio.Event()
    await files.ask()
    async with scene.running():
        await scene.settle()
        assert scene.api.verbs() == ["report", "upload"]
        await scene.after(95)
        scene.ledger.raises = StoreError("locked")
        await scene.after(30)
        scene.ledger.raises = None
        scene.api.gates["upload"].set()
        await scene.settle()
        told = [at - scene.ledger.gone_on[0] for at in scene.ledger.gone_on]
        assert told == [0.0, 30.0, 60.0, 90.0]
        await scene.after(95)
        assert len(scene.ledger.gone_on) == 4
    assert "analysis" in scene.api.verbs()


async def test_without_waiting_it_is_unknown_at_once_and_uploaded_though_it_is_moved(scene, files):
    scene.source.reload(GO_ON)
    question = await files.ask()

    async def move(_answer):
        await asyncio.to_thread(os.rename, question.held, question.held + b".released")

    scene.on_deliver = move
    before = await asyncio.to_thread(open_descriptors)
    async with scene.running():
        await scene.settle()
    assert scene.api.verbs() == ["report", "upload"]
    assert scene.api.sent == {question.sha256: b"abc"}
    assert [one for _, one in scene.kinds()] == ["unknown"]
    assert scene.delivered[0].submitted_at is None
    assert len(scene.events_of(Submitted)) == 1
    assert not scene.submissions.rows[question.sha256].ended
    assert scene.source.outlook() == []
    assert await asyncio.to_thread(open_descriptors) <= before


async def test_a_copy_that_comes_while_the_file_is_uploaded_behind_the_scenes_is_answered(
    scene, files
):
    scene.source.reload(GO_ON)
    scene.api.gates["upload"] = asyncio.Event()
    await files.ask()
    async with scene.running():
        await scene.settle()
        await files.ask("copy")
        scene.api.gates["upload"].set()
        await scene.settle()
    assert [one for _, one in scene.kinds()] == ["unknown", "unknown"]
    assert scene.api.verbs() == ["report", "upload"]


async def test_never_too_many_files_are_open_for_uploads_behind_the_scenes(tmp_path):
    scene = Scene(GO_ON)
    files = Files(tmp_path, scene)
    scene.api.gates["upload"] = asyncio.Event()
    for number in range(MOST_OPEN + 5):
        await files.ask(str(number), b"%d" % number)
    async with scene.running():
        for _ in range(50):
            await scene.settle()
        assert scene.api.verbs().count("report") == MOST_OPEN + 5
        assert len(scene.delivered) == MOST_OPEN == scene.source._course.open_files
        assert len(scene.source.outlook()) == 5
        scene.api.gates["upload"].set()
        for _ in range(50):
            await scene.settle()
    assert scene.api.verbs().count("upload") == MOST_OPEN + 5
    assert [kind for _, kind in scene.kinds()] == ["unknown"] * (MOST_OPEN + 5)
    assert scene.source._course.open_files == 0


@pytest.mark.parametrize("rules", [WAIT, GO_ON])
@pytest.mark.parametrize("reply", [TOO_LARGE, CHANGED], ids=lambda one: one.code)
async def test_what_cannot_be_submitted_stays_unknown(tmp_path, rules, reply):
    scene = Scene(rules)
    scene.api.script["upload"] = [reply]
    await Files(tmp_path, scene).ask()
    async with scene.running():
        await scene.after(10_000)
    assert [one for _, one in scene.kinds()] == ["unknown"]
    assert scene.api.verbs() == ["report", "upload"]
    assert scene.source.outlook() == []
    assert scene.source._course.open_files == 0


async def test_413_says_so(scene, files):
    scene.api.script["upload"] = [TOO_LARGE]
    await files.ask()
    async with scene.running():
        await scene.settle()
    assert "too large to submit" in scene.delivered[0].verdict.reason


async def test_more_than_650_mb_is_not_even_tried(scene, files):
    await files.ask(size=LARGEST_BYTES + 1)
    async with scene.running():
        await scene.settle()
    assert scene.api.verbs() == ["report"]
    assert "too large to submit" in scene.delivered[0].verdict.reason


async def test_a_large_file_asks_for_a_place_first_and_each_time(scene, files, tmp_path):
    scene.api.script["upload"] = [HICCUP, Descriptor("x")]
    question = await files.ask()
    await asyncio.to_thread(os.truncate, question.held, SMALL_BYTES + 1)
    scene.source.forget(question.sha256)
    scene.source.ask([replace(question, size=SMALL_BYTES + 1)])
    async with scene.running():
        await scene.after(6)
    assert scene.api.verbs() == ["report", "url", "upload", "url", "upload"]
    assert scene.api.upload_urls == ["https://www.virustotal.com/_ah/upload/1"] * 2
    assert scene.ledger.counted == 5


@pytest.mark.parametrize("verb", ["upload", "analysis"])
@pytest.mark.parametrize(
    "failure",
    [UNREACHABLE, DROPPED, HICCUP, THROTTLED, KEY_REFUSED, REFUSED],
    ids=lambda one: one.code,
)
async def test_no_failure_on_the_way_becomes_a_verdict(scene, files, verb, failure):
    scene.api.script[verb] = [failure]
    await files.ask()
    async with scene.running():
        for _ in range(10):
            await scene.after(3 * 3600)
        assert scene.api.verbs().count(verb) > 1
        assert scene.delivered == []
        assert scene.remembered == {}
        assert len(scene.source.outlook()) == 1
        scene.api.script[verb] = [Descriptor("x") if verb == "upload" else DONE_CLEAN]
        scene.api.script["analysis"] = [DONE_CLEAN]
        await scene.after(7 * 3600)
    assert [one for _, one in scene.kinds()] == ["clean"]
    if verb == "analysis":
        assert scene.api.verbs().count("upload") == 1


@pytest.mark.parametrize("failure", [REFUSED, DROPPED], ids=lambda one: one.code)
async def test_an_upload_behind_the_scenes_is_given_up_after_a_while_and_told(tmp_path, failure):
    scene = Scene(GO_ON)
    scene.api.script["upload"] = [failure]
    question = await Files(tmp_path, scene).ask()
    name = os.fsdecode(question.held).rpartition("/")[2]
    async with scene.running():
        for _ in range(10):
            await scene.after(3600)
    told = [one.text for one in scene.events_of(Problem) if one.sha256]
    assert [text.partition(": ")[0] for text in told][-1:] == [
        f"{name} was decided on, but not submitted"
    ]
    assert scene.source._course.open_files == 0
    assert scene.source._queue.cases == {}


async def test_a_file_that_cannot_be_opened_waits_and_is_told(scene, files):
    question = await files.ask()
    await asyncio.to_thread(os.unlink, question.held)
    async with scene.running():
        await scene.after(20)
        assert scene.delivered == []
        assert "cannot be opened" in scene.source.outlook()[0].reason
        assert scene.events_of(Problem)[0].sha256 == question.sha256
        assert scene.ledger.counted == 1
        await files.ask("another place")
        await scene.after(60)
        assert scene.api.verbs() == ["report", "upload", "analysis"]


async def test_a_file_of_another_size_is_not_sent(scene, files):
    question = await files.ask()
    await asyncio.to_thread(os.truncate, question.held, 1)
    async with scene.running():
        await scene.settle()
    assert scene.api.verbs() == ["report"]
    assert "changed" in scene.delivered[0].verdict.reason


@pytest.mark.parametrize("trick", [os.symlink, lambda _path, link: os.mkfifo(link)])
async def test_only_a_regular_file_is_opened(scene, files, trick):
    question = await files.ask()
    await asyncio.to_thread(os.rename, question.held, question.held + b".real")
    await asyncio.to_thread(trick, question.held + b".real", question.held)
    async with scene.running():
        await scene.settle()
    assert scene.api.verbs() == ["report"]


async def test_after_a_restart_the_analysis_is_awaited_without_a_second_upload(scene, files):
    await files.ask()
    async with scene.running():
        await scene.after(31)
    assert scene.api.verbs() == ["report", "upload", "analysis"]
    scene.api.script["analysis"] = [DONE_CLEAN]
    scene.anew(WAIT)
    await files.ask()
    async with scene.running():
        await scene.settle()
    assert scene.api.verbs() == ["report", "upload", "analysis", "analysis"]
    assert [one for _, one in scene.kinds()] == ["clean"]


async def test_a_restart_goes_on_with_the_wait_and_counts_as_no_more_than_a_poll(scene, files):
    scene.api.script["analysis"] = [PARTLY_CLEAN]
    await files.ask()
    async with scene.running():
        await halfway(scene)
    for seconds, kinds in [(100, []), (1, ["unknown"])]:  # they count 300 each, as polls are meant
        scene.clock.jump(ASLEEP)
        scene.anew(WAIT)
        await files.ask()
        async with scene.running():
            await scene.after(seconds)
        assert [one for _, one in scene.kinds()] == kinds


async def test_a_daemon_that_is_started_over_and_over_does_not_shorten_the_wait(scene, files):
    await files.ask()
    async with scene.running():
        await scene.after(31)
    for _ in range(100):
        scene.anew(WAIT)
        await files.ask()
        async with scene.running():
            await scene.after(1)
    assert scene.delivered == []
    (row,) = scene.submissions.rows.values()
    assert 90.0 < row.waited <= 101.0


async def test_a_file_uploaded_lately_is_not_uploaded_again(scene, files):
    question = await files.ask()
    scene.submissions.rows[question.sha256] = Submission(
        question.sha256, "x", scene.clock.now() - 3600, ended=True
    )
    async with scene.running():
        await scene.settle()
    assert scene.api.verbs() == ["report"]
    assert "submitted lately" in scene.delivered[0].verdict.reason


async def test_a_file_uploaded_long_ago_and_still_not_known_is(scene, files):
    question = await files.ask()
    scene.submissions.rows[question.sha256] = Submission(
        question.sha256, "x", scene.clock.now() - 3 * 86_400, ended=True
    )
    async with scene.running():
        await scene.settle()
    assert scene.api.verbs() == ["report", "upload"]
    assert scene.submissions.rows[question.sha256].analysis_id == "analysis"


async def test_an_analysis_that_virustotal_forgot_is_looked_up_anew(scene, files):
    scene.api.script["analysis"] = [NotKnown()]
    scene.api.script["report"] = [NotKnown(), clean("a")]
    await files.ask()
    async with scene.running():
        await scene.after(120)
    assert scene.api.verbs() == ["report", "upload", "analysis", "report"]
    assert [one for _, one in scene.kinds()] == ["clean"]


async def test_a_database_that_fails_after_an_upload_leads_to_no_second_one(scene, files):
    begin = scene.submissions.begin
    errors = [StoreError("full"), StoreError("full")]

    async def failing(*args):
        if errors:
            raise errors.pop()
        await begin(*args)

    scene.submissions.begin = failing
    scene.api.script["analysis"] = [DONE_CLEAN]
    await files.ask()
    assert isinstance(await scene.run_until_it_fails(), StoreError)
    assert isinstance(await scene.run_until_it_fails(), StoreError)
    async with scene.running():
        await scene.after(31)
    assert scene.api.verbs() == ["report", "upload", "analysis"]
    assert [one for _, one in scene.kinds()] == ["clean"]


async def test_an_upload_that_is_forgotten_is_recorded_and_not_waited_for(scene, files):
    scene.api.gates["upload"] = asyncio.Event()
    question = await files.ask()
    async with scene.running():
        await scene.settle()
        scene.source.forget(question.sha256)
        scene.api.gates["upload"].set()
        await scene.after(3600)
    assert scene.api.verbs() == ["report", "upload"]
    assert not scene.submissions.rows[question.sha256].ended
    assert scene.source._course.open_files == 0
    assert sha("a") not in scene.remembered


async def broken_off(scene: Scene, files: Files) -> None:
    """The source is stopped while it sends, and goes on in the same process."""
    scene.api.gates["upload"] = asyncio.Event()
    await files.ask()
    async with scene.running():
        await scene.settle()
    scene.api.gates.clear()


async def killed(scene: Scene, files: Files) -> None:
    await broken_off(scene, files)
    scene.to_submit.claims.clear()  # they fall with their process
    rules = scene.source._trouble.rules
    scene.anew(rules)
    if rules.wait:  # else the file is decided on already
        await files.ask()
    else:
        path = os.path.join(files.folder, "a")
        scene.find = lambda _: asyncio.to_thread(os.open, path, os.O_RDONLY)


async def no_answer(scene: Scene, files: Files) -> None:
    scene.api.script["upload"] = [DROPPED, Descriptor("x")]
    await files.ask()


CUTS = [broken_off, killed, no_answer]


@pytest.mark.parametrize("rules", [WAIT, GO_ON])
@pytest.mark.parametrize("cut", CUTS)
async def test_an_upload_that_was_cut_off_and_has_not_arrived_is_sent_again(tmp_path, rules, cut):
    scene = Scene(rules)
    await cut(scene, Files(tmp_path, scene))
    async with scene.running():
        await scene.settle()
        assert scene.api.verbs().count("upload") == 1
        await scene.after(29)
        assert scene.api.verbs().count("upload") == 1
        if rules is WAIT:
            assert "cut off" in scene.source.outlook()[0].reason
        await scene.after(2)
        assert scene.api.verbs()[-2:] == ["report", "upload"]
        assert scene.api.verbs().count("upload") == 2
        scene.api.script["analysis"] = [DONE_CLEAN]
        await scene.after(60)
        assert scene.source._queue.cases == {}
        assert scene.source._course.open_files == 0
    assert [one for _, one in scene.kinds()] == ["clean" if rules is WAIT else "unknown"]
    assert scene.to_submit.intents == {}
    assert scene.ledger.counted == len(scene.api.calls)


@pytest.mark.parametrize("rules", [WAIT, GO_ON])
@pytest.mark.parametrize("cut", CUTS)
async def test_one_that_has_arrived_is_not_though_virustotal_does_not_know_it_at_once(
    tmp_path, rules, cut
):
    scene = Scene(rules)
    await cut(scene, Files(tmp_path, scene))
    async with scene.running():
        await scene.after(20)
        sha256 = next(iter(scene.to_submit.intents))
        scene.api.script["report"] = [replace(clean(), sha256=sha256)]
        await scene.after(60)
        assert scene.source._queue.cases == {}
        assert scene.source._course.open_files == 0
    assert scene.api.verbs().count("upload") == 1
    assert scene.api.verbs()[-1] == "report"
    assert scene.remembered[sha256].kind == "clean"
    assert [one for _, one in scene.kinds()] == ["clean" if rules is WAIT else "unknown"]
    (submitted,) = scene.events_of(Submitted)
    assert [(one.sha256, one.name) for one in scene.submissions.sent] == [(sha256, b"a")]
    assert scene.submissions.rows[sha256].ended
    assert scene.to_submit.intents == {}
    assert scene.delivered[0].submitted_at == (submitted.at if rules is WAIT else None)


async def test_one_that_is_cut_off_time_and_again_is_looked_up_each_time_and_ever_later(
    scene, files
):
    scene.api.script["upload"] = [DROPPED]
    await files.ask()
    async with scene.running():
        await scene.after(3600)
        before = len(scene.api.calls)
        await scene.after(3600)
    verbs = scene.api.verbs()
    assert verbs[:6] == ["report", "upload"] * 3
    assert 2 <= len(verbs) - before <= 10
    assert scene.delivered == []


@pytest.mark.parametrize("rules", [WAIT, GO_ON])
async def test_a_copy_that_comes_after_it_was_cut_off_is_answered(tmp_path, rules):
    scene = Scene(rules)
    files = Files(tmp_path, scene)
    await no_answer(scene, files)
    async with scene.running():
        await scene.settle()
        await files.ask("copy")
        scene.api.script["analysis"] = [DONE_CLEAN]
        await scene.after(120)
        assert scene.source._queue.cases == {}
        assert scene.source._course.open_files == 0
    kinds = [one for _, one in scene.kinds()]
    assert kinds == (["clean"] if rules is WAIT else ["unknown", "unknown"])
    assert scene.api.verbs().count("upload") == 2


async def test_an_upload_that_probes_is_the_only_request(scene, files):
    scene.api.script["upload"] = [THROTTLED, Descriptor("x")]
    await files.ask()
    async with scene.running():
        await scene.settle()
        scene.api.gates["upload"] = asyncio.Event()
        await scene.after(61)
        scene.ask("b", risk=Risk.DOCUMENT)
        await scene.settle()
        assert scene.api.verbs() == ["report", "upload", "upload"]
        scene.api.gates["upload"].set()
        await scene.settle()
    assert scene.api.verbs() == ["report", "upload", "upload", "report"]


async def test_without_waiting_a_file_that_cannot_be_opened_is_unknown_and_not_submitted(
    scene, files
):
    scene.source.reload(GO_ON)
    question = await files.ask()
    await asyncio.to_thread(os.unlink, question.held)
    async with scene.running():
        await scene.after(3600)
    assert scene.api.verbs() == ["report"]
    assert [one for _, one in scene.kinds()] == ["unknown"]
    assert "not submitted" in scene.events_of(Problem)[0].text


async def test_an_upload_of_an_earlier_run_is_not_awaited_when_nobody_is_to_wait(scene, files):
    scene.source.reload(GO_ON)
    question = await files.ask()
    scene.submissions.rows[question.sha256] = Submission(question.sha256, "x", scene.clock.now())
    async with scene.running():
        await scene.settle()
    assert scene.api.verbs() == ["report"]
    assert not scene.submissions.rows[question.sha256].ended
    assert [one for _, one in scene.kinds()] == ["unknown"]


async def test_a_file_that_finds_no_place_waits(scene, files):
    scene.api.script["url"] = [UNREACHABLE]
    question = await asyncio.to_thread(files.put, "large", size=SMALL_BYTES + 1)
    await asyncio.to_thread(os.truncate, question.held, SMALL_BYTES + 1)
    scene.source.ask([question])
    async with scene.running():
        await scene.after(60)
        assert scene.api.verbs()[:3] == ["report", "url", "url"]
        assert "cannot be reached" in scene.source.outlook()[0].reason
        assert scene.source._course.open_files == 0
    assert scene.delivered == []


async def test_whoever_does_not_wait_leaves_the_wait_of_another_process_alone(scene, files):
    """`checkfirst check --submit-unknowns` beside a daemon that polls, which is then restarted."""
    scene.api.script["analysis"] = [QUEUED]
    question = await files.ask()
    async with scene.running():
        await scene.settle()
    assert scene.api.verbs() == ["report", "upload"]
    scene.anew(GO_ON).ask([question])
    async with scene.running():
        await scene.settle()
    assert [one for _, one in scene.kinds()] == ["unknown"]
    assert not scene.submissions.rows[question.sha256].ended
    assert scene.remembered == {}
    before = len(scene.api.calls)
    scene.anew(WAIT).ask([question])
    async with scene.running():
        await scene.after(60)
    assert set(scene.api.verbs()[before:]) == {"analysis"}
    assert len(scene.delivered) == 1


async def test_an_upload_that_another_process_did_not_wait_for_is_waited_for_here(scene, files):
    scene.source.reload(GO_ON)
    question = await files.ask()
    async with scene.running():
        await scene.settle()
    scene.api.script["analysis"] = [DONE_CLEAN]
    scene.anew(WAIT).ask([question])
    async with scene.running():
        await scene.after(60)
    assert scene.api.verbs() == ["report", "upload", "analysis"]
    assert scene.kinds()[-1][1] == "clean"


@pytest.mark.parametrize("rules", [WAIT, GO_ON])
async def test_what_another_process_uploads_meanwhile_is_not_uploaded_again(tmp_path, rules):
    """Both have looked it up before either had a turn to upload it."""
    scene = Scene(rules, Limits(1, 0, 0))
    question = await Files(tmp_path, scene).ask()
    async with scene.running():
        await scene.settle()
        assert scene.api.verbs() == ["report"]
        scene.submissions.rows[question.sha256] = Submission(
            question.sha256, "theirs", scene.clock.now()
        )
        scene.api.script["analysis"] = [DONE_CLEAN]
        await scene.after(200)
        assert scene.source._course.open_files == 0
        assert not scene.source.has(question.sha256)
    assert scene.api.verbs() == ["report", "analysis"][: 2 if rules is WAIT else 1]
    assert [one for _, one in scene.kinds()] == ["clean" if rules is WAIT else "unknown"]


async def test_an_analysis_of_days_ago_is_not_believed_but_looked_up_anew(scene, files):
    question = await files.ask()
    long_ago = scene.clock.now() - 3 * 86_400
    scene.submissions.rows[question.sha256] = Submission(question.sha256, "x", long_ago)
    async with scene.running():
        await scene.settle()
    assert scene.api.verbs()[0] == "report"


async def test_the_record_of_an_upload_has_the_name_that_never_left(scene, files):
    question = await files.ask()
    async with scene.running():
        await scene.settle()
    (sent,) = scene.submissions.sent
    assert sent.name == os.path.basename(question.held)
    assert (sent.sha256, sent.size) == (question.sha256, question.size)
