"""Uploads that nobody waits for, over a restart and beside another process."""

import asyncio
import os
from dataclasses import replace

import pytest

from checkfirst.model import Risk
from checkfirst.policy.quota import Limits
from checkfirst.sources.virustotal.events import Problem, TakenUp, Waived
from checkfirst.sources.virustotal.reply import Descriptor
from checkfirst.store.submissions import Submission
from checkfirst.store.to_submit import Intent
from checkfirst.vault.problems import ChangedError
from tests.sources.virustotal.scene import (
    DROPPED,
    HICCUP,
    REFUSED,
    TOO_LARGE,
    UNREACHABLE,
    Scene,
    bad,
)
from tests.sources.virustotal.test_uploads import DONE_CLEAN, GO_ON, WAIT, Files

CHECK = replace(GO_ON, stands_guard=False)


@pytest.fixture
def scene() -> Scene:
    return Scene(GO_ON)


@pytest.fixture
def files(tmp_path, scene) -> Files:
    return Files(tmp_path, scene)


async def owed(scene: Scene, files: Files, *, risk: Risk = Risk.PROGRAM):
    """What an earlier run has left undone; the file is found again."""
    question = await asyncio.to_thread(files.put, "a", b"abc", risk=risk)

    async def find(sha256: str) -> int:
        assert sha256 == question.sha256
        return await asyncio.to_thread(os.open, question.held, os.O_RDONLY)

    scene.find = find
    intent = Intent(question.sha256, 3, risk, b"its name", question.since)
    await scene.to_submit.owe(intent)
    return question


async def test_it_is_written_down_before_the_answer_is_handed_over(tmp_path):
    scene = Scene(GO_ON, Limits(1, 0, 0))
    question = await Files(tmp_path, scene).ask()
    seen = []

    async def look(_):
        seen.append(set(scene.to_submit.owed))

    scene.on_deliver = look
    async with scene.running():
        await scene.settle()
        assert scene.api.verbs() == ["report"]
        assert scene.to_submit.intents[question.sha256].name == b"a"
    assert seen == [{question.sha256}]


async def test_what_an_earlier_run_owed_is_looked_up_and_uploaded_under_its_name(scene, files):
    question = await owed(scene, files)
    async with scene.running():
        await scene.settle()
        assert scene.source._course.open_files == 0
        assert not scene.source.has(question.sha256)
    assert scene.api.verbs() == ["report", "upload"]
    assert scene.api.sent == {question.sha256: b"abc"}
    assert scene.submissions.sent[0].name == b"its name"
    assert scene.delivered == []
    assert scene.to_submit.owed == set()
    assert scene.events_of(TakenUp) == [TakenUp(question.sha256, b"its name")]


async def test_it_is_taken_up_once_however_often_the_source_is_run(scene, files):
    await owed(scene, files)
    scene.api.script["upload"] = [UNREACHABLE]
    for _ in range(2):
        async with scene.running():
            await scene.settle()
    assert len(scene.events_of(TakenUp)) == 1


@pytest.mark.parametrize(
    ("rules", "risk"),
    [(replace(GO_ON, submit=False), Risk.PROGRAM), (GO_ON, Risk.DOCUMENT)],
)
async def test_what_must_not_leave_is_not_even_looked_up(scene, files, rules, risk):
    await owed(scene, files, risk=risk)
    scene.anew(rules)
    async with scene.running():
        await scene.settle()
    assert scene.api.calls == []
    (waived,) = scene.events_of(Waived)
    assert waived.name == "its name"
    assert "the settings" in waived.reason
    assert scene.to_submit.owed == set()


async def test_what_virustotal_knows_by_now_is_remembered_and_not_uploaded(scene, files):
    question = await owed(scene, files)
    scene.api.script["report"] = [replace(bad(), sha256=question.sha256)]
    async with scene.running():
        await scene.settle()
    assert scene.api.verbs() == ["report"]
    assert scene.remembered[question.sha256].kind == "malicious"
    assert "knows it by now" in scene.events_of(Waived)[0].reason
    assert scene.to_submit.owed == set()


@pytest.mark.parametrize("error", [ChangedError(b"/a"), FileNotFoundError(2, "gone")])
async def test_what_is_not_found_again_ends_there(scene, files, error):
    question = await owed(scene, files)

    async def find(_):
        raise error

    scene.find = find
    async with scene.running():
        await scene.after(3600)
    assert scene.api.verbs() == ["report"]
    assert not scene.source.has(question.sha256)
    assert len(scene.events_of(Waived)) == 1
    assert scene.to_submit.owed == set()


async def test_what_a_stop_kept_from_being_found_is_still_owed(scene, files):
    question = await owed(scene, files)

    async def find(_):
        return None

    scene.find = find
    async with scene.running():
        await scene.settle()
    assert scene.to_submit.owed == {question.sha256}
    assert scene.events_of(Waived) == scene.events_of(Problem) == []


@pytest.mark.parametrize("rules", [WAIT, GO_ON])
async def test_a_copy_that_comes_meanwhile_shares_the_upload(scene, files, rules):
    await owed(scene, files)
    scene.anew(rules)
    scene.api.script["analysis"] = [DONE_CLEAN]
    await files.ask("copy")
    async with scene.running():
        await scene.after(60)
        assert scene.source._course.open_files == 0
    assert scene.api.verbs().count("upload") == 1
    assert [one for _, one in scene.kinds()] == ["clean" if rules is WAIT else "unknown"]
    assert scene.to_submit.owed == set()


async def test_that_a_person_decides_about_a_copy_is_no_reason_not_to_upload(tmp_path):
    scene = Scene(GO_ON, Limits(1, 0, 0))
    question = await owed(scene, Files(tmp_path, scene))
    async with scene.running():
        await scene.settle()
        scene.source.forget(question.sha256)
        await scene.after(61)
    assert scene.api.verbs() == ["report", "upload"]


@pytest.mark.parametrize(
    ("failure", "begun"), [(DROPPED, True), (UNREACHABLE, False), (HICCUP, False)]
)
async def test_only_an_upload_that_may_have_arrived_counts_as_begun(scene, files, failure, begun):
    question = await files.ask()
    scene.api.script["upload"] = [failure]
    async with scene.running():
        await scene.settle()
    assert scene.to_submit.owed == {question.sha256}
    assert scene.to_submit.claims == {}
    assert (question.sha256 in scene.to_submit.begun) is begun


@pytest.mark.parametrize("failure", [REFUSED, TOO_LARGE])
async def test_what_is_given_up_is_owed_no_longer(scene, files, failure):
    await files.ask()
    scene.api.script["upload"] = [failure]
    async with scene.running():
        await scene.settle()
    assert scene.to_submit.owed == set()
    assert scene.to_submit.claims == {}
    assert len(scene.events_of(Waived)) + len(scene.events_of(Problem)) == 1


async def test_nothing_is_uploaded_that_the_settings_cease_to_name_while_it_waits(tmp_path):
    scene = Scene(WAIT, Limits(1, 0, 0))
    await Files(tmp_path, scene).ask()
    async with scene.running():
        await scene.settle()
        scene.source.reload(replace(WAIT, submit=False))
        await scene.after(200)
    assert scene.api.verbs() == ["report"]
    assert [one for _, one in scene.kinds()] == ["unknown"]


async def test_whoever_asks_for_an_upload_now_leaves_none_for_later(scene, files):
    scene.anew(CHECK)
    scene.api.script["upload"] = [UNREACHABLE]
    await files.ask()
    async with scene.running():
        await scene.settle()
    assert [one for _, one in scene.kinds()] == ["unknown"]
    assert scene.to_submit.owed == set()
    assert scene.to_submit.intents == {}


async def test_whoever_asks_for_an_upload_now_does_not_make_up_for_others(scene, files):
    question = await owed(scene, files)
    scene.anew(CHECK)
    async with scene.running():
        await scene.settle()
    assert scene.api.calls == []
    assert scene.to_submit.owed == {question.sha256}


@pytest.mark.parametrize("rules", [WAIT, GO_ON])
async def test_the_upload_of_another_process_is_followed(tmp_path, rules):
    scene = Scene(rules)
    question = await Files(tmp_path, scene).ask()
    scene.to_submit.claims[question.sha256] = "they"
    scene.api.script["analysis"] = [DONE_CLEAN]
    async with scene.running():
        await scene.after(20)
        assert scene.api.verbs() == ["report"]
        if rules is WAIT:
            assert "another process" in scene.source.outlook()[0].reason
        scene.submissions.rows[question.sha256] = Submission(
            question.sha256, "theirs", scene.clock.now()
        )
        scene.to_submit.forget(question.sha256)
        await scene.after(60)
        assert not scene.source.has(question.sha256)
        assert scene.source._course.open_files == 0
    assert "upload" not in scene.api.verbs()
    assert [one for _, one in scene.kinds()] == ["clean" if rules is WAIT else "unknown"]
    assert scene.ledger.counted == len(scene.api.calls)


@pytest.mark.parametrize("rules", [WAIT, GO_ON])
async def test_what_another_process_does_not_get_through_is_uploaded_here(tmp_path, rules):
    scene = Scene(rules)
    question = await Files(tmp_path, scene).ask()
    scene.to_submit.claims[question.sha256] = "they"
    async with scene.running():
        await scene.after(20)
        del scene.to_submit.claims[question.sha256]
        scene.api.script["upload"] = [Descriptor("ours")]
        await scene.after(6)
    assert scene.api.verbs() == ["report", "upload"]
    assert scene.submissions.rows[question.sha256].analysis_id == "ours"
