"""The source with its real client against the simulator, on the real clock."""

import asyncio
import hashlib
import os
import random

import pytest

from checkfirst.clock import SystemClock
from checkfirst.model import Answer, Question, Risk
from checkfirst.simulator import corpus, faults
from checkfirst.sources.virustotal.outside import Outside
from checkfirst.sources.virustotal.rules import SMALL_BYTES, Gap, Rules
from checkfirst.sources.virustotal.worker import VirusTotal
from tests.fakes.ledger import FakeLedger
from tests.fakes.submissions import FakeSubmissions
from tests.fakes.to_submit import FakeToSubmit

BRISK = Gap(first=0.02, at_most=0.1)
RULES = Rules(
    submit=True, submit_types=frozenset({Risk.PROGRAM}), retry=BRISK, pause=BRISK, poll=BRISK
)


async def judge(
    client, *questions: Question, ledger: FakeLedger | None = None
) -> dict[str, Answer]:
    """Ask until all is answered, as `checkfirst check` does."""
    answers: dict[str, Answer] = {}
    done = asyncio.Event()

    async def deliver(answer: Answer) -> None:
        answers[answer.sha256] = answer
        if len(answers) == len(questions):
            done.set()

    async def remember(_sha256, _verdict) -> None:
        return None

    clock = SystemClock()
    source = VirusTotal(
        RULES,
        Outside(
            api=client,
            quota=ledger or FakeLedger(clock),
            submissions=FakeSubmissions(),
            to_submit=FakeToSubmit(FakeSubmissions()),
            deliver=deliver,
            remember=remember,
            clock=clock,
            random=random.random,
        ),
    )
    source.ask(questions)
    running = asyncio.create_task(source.run())
    waiting = asyncio.create_task(done.wait())
    await asyncio.wait({running, waiting}, timeout=15, return_when=asyncio.FIRST_COMPLETED)
    for task in (running, waiting):
        task.cancel()
    await asyncio.gather(running, waiting, return_exceptions=True)
    return answers


def question(content: bytes, path: bytes = b"/none", risk: Risk = Risk.PROGRAM) -> Question:
    return Question(hashlib.sha256(content).hexdigest(), len(content), risk, path, 0.0)


def put(path, content: bytes) -> Question:
    path.write_bytes(content)
    return question(content, os.fsencode(path))


async def test_known_files_are_judged_whatever_the_network_does_meanwhile(client, simulator):
    simulator.faults.always(faults.dropped(), chance=0.3)
    simulator.faults.always(faults.error("TransientError"), chance=0.3)
    simulator.faults.next(faults.error("QuotaExceededError"))
    samples = [
        corpus.EICAR,
        corpus.CLEAN_SAMPLE,
        corpus.FEW_OPINIONS_SAMPLE,
        corpus.SUSPICIOUS_SAMPLE,
        b"never seen",
    ]
    questions = [question(sample, risk=Risk.DOCUMENT) for sample in samples]
    answers = await judge(client, *questions)
    kinds = [str(answers[one.sha256].verdict.kind) for one in questions]
    assert kinds == ["malicious", "clean", "unknown", "malicious", "unknown"]
    assert simulator.uploads == []


async def test_no_request_escapes_the_ledger_however_often_connections_drop(client, simulator):
    """aiohttp sends a GET again by itself when its connection drops: the server would see more."""
    simulator.faults.always(faults.dropped(), chance=0.5)
    ledger = FakeLedger(SystemClock())
    samples = [corpus.EICAR, corpus.CLEAN_SAMPLE, b"never seen", b"nor this", b"nor that"]
    questions = [question(sample, risk=Risk.DOCUMENT) for sample in samples]
    answers = await judge(client, *questions, ledger=ledger)
    assert len(answers) == len(samples)
    assert len(simulator.requests) == ledger.counted > len(samples)


@pytest.mark.parametrize("padding", [0, SMALL_BYTES])
@pytest.mark.parametrize(("marker", "kind"), [(b"", "clean"), (corpus.MARKER, "malicious")])
async def test_an_unknown_file_is_uploaded_and_judged_by_its_analysis(
    client, simulator, tmp_path, padding, marker, kind
):
    simulator.behave(queued_seconds=0.1, in_progress_seconds=0.1)
    content = b"never seen " + marker + b"\0" * padding
    asked = await asyncio.to_thread(put, tmp_path / "secret name", content)
    answers = await judge(client, asked)
    assert answers[asked.sha256].verdict.kind == kind
    assert answers[asked.sha256].submitted_at is not None
    (upload,) = simulator.uploads
    assert (upload.sha256, upload.file_name) == (asked.sha256, asked.sha256)
    assert upload.via.startswith("/_ah/upload" if padding else "/api/v3/files")
