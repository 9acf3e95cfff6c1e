"""What is told, in a person's words."""

import logging
from datetime import UTC, datetime

import pytest

from checkfirst.model import (
    Action,
    Arrival,
    Decision,
    Fingerprint,
    Risk,
    State,
    Verdict,
    VerdictKind,
)
from checkfirst.service.tell import BURST, Teller
from checkfirst.service.work import Done, InHand, Missed, Ordered, Undone, Work
from checkfirst.sources.virustotal.events import Asked, Waiting
from checkfirst.watch.telling import Trouble, WatchEvent


@pytest.fixture
def teller(caplog) -> Teller:
    caplog.set_level(logging.DEBUG, "checkfirst")
    return Teller(lambda at: datetime.fromtimestamp(at, UTC))


def _arrival(name: bytes, number: int = 1) -> Arrival:
    return Arrival(number, State.HOLDING, b"/d", b"/d/" + name, size=1)


@pytest.mark.parametrize("reason", ["It is away", "It is away."])
def test_a_reason_with_and_without_a_full_stop_makes_one_sentence(teller, caplog, reason):
    missed = Missed(Work(_arrival(b"f")), State.LEFT, reason)
    teller.left(missed, is_first=True)
    teller.not_judged(missed, is_first=True)
    assert caplog.messages == [
        "It is away. The file is left where it is and tried again.",
        "It is away. The file is held and tried again.",
    ]


def test_a_question_is_a_sentence_and_what_is_tried_again_is_said_by_the_daemon(teller, caplog):
    order = _released(b"/r/f").order
    teller.undone(Undone(order, "It is away. Is its disk mounted?"), is_first=True)
    (message,) = caplog.messages
    assert message == "It is away. Is its disk mounted? The file is still held and tried again."


def test_what_passes_by_itself_or_was_told_before_alarms_nobody(teller, caplog):
    passing = Missed(Work(_arrival(b"f")), State.LEFT, "busy", quiet=True)
    teller.left(passing, is_first=True)
    teller.left(Missed(Work(_arrival(b"f")), State.LEFT, "no space"), is_first=False)
    assert {record.levelno for record in caplog.records} == {logging.DEBUG}


@pytest.mark.parametrize(
    ("trouble", "word"), [(Trouble.BACK, "watching"), (Trouble.LEFT_OUT, "not watched")]
)
def test_what_is_left_out_is_not_taken_for_the_line_that_says_ready(teller, caplog, trouble, word):
    teller.watch(WatchEvent(trouble, b"/d", "some words"))
    (record,) = caplog.records
    assert (record.levelno, record.event, record.getMessage()) == (logging.INFO, word, "some words")


def test_a_burst_arrives_in_one_line_and_a_few_in_a_line_each(teller, caplog):
    teller.arrived([_arrival(b"f%d" % n) for n in range(BURST)])
    assert caplog.messages == [f"{BURST} files at once in /d"]
    caplog.clear()
    teller.arrived([_arrival(b"a\nb"), _arrival(b"c")])
    assert caplog.messages == ["a\\x0ab (1 byte) in /d", "c (1 byte) in /d"]


def test_a_burst_into_two_folders_is_told_of_each(teller, caplog):
    other = Arrival(99, State.HOLDING, b"/e", b"/e/f", size=1)
    teller.arrived([*(_arrival(b"f%d" % n) for n in range(BURST)), other])
    assert caplog.messages == [f"{BURST} files at once in /d", "1 file at once in /e"]


def _released(place: bytes, kind: VerdictKind = VerdictKind.CLEAN) -> Done:
    found = Fingerprint("a" * 64, 1, "application/pdf", Risk.DOCUMENT)
    hand = InHand(Work(_arrival(b"f")), None, found)  # type: ignore[arg-type]
    order = Ordered(hand, Verdict(kind, "lists", "said so"), Decision(Action.RELEASE, "so"), 1.0)
    return Done(order, place)


def test_many_releases_are_told_at_once_with_the_folder_that_holds_them_all(teller, caplog):
    teller.ended([_released(b"/r/%d/f" % (n % 3)) for n in range(BURST)])
    assert caplog.messages == [f"{BURST} files -> /r"]
    assert [record.levelno for record in caplog.records] == [logging.INFO]


def test_unknown_files_among_many_releases_are_marked(teller, caplog):
    unknown = [_released(b"/r/u%d" % n, VerdictKind.UNKNOWN) for n in range(3)]
    teller.ended([*(_released(b"/r/f%d" % n) for n in range(BURST)), *unknown])
    assert caplog.messages == [f"{BURST + 3} files -> /r, 3 of them unknown"]
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


def test_a_hash_is_told_with_the_name_of_its_file(teller, caplog):
    teller.names("ab" * 32, b"tool.exe")
    teller.source(Asked("ab" * 32))
    teller.source(Waiting("the quota is spent", 60.0, 0.0))
    teller.source(Waiting("the month is spent", 86_400.0, 86_399.0))
    assert caplog.messages == [
        "VirusTotal about tool.exe (sha256 abababababab)",
        "until 00:01:00: the quota is spent",
        "until 1970-01-02 00:00:00: the month is spent",
    ]
