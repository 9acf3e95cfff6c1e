import asyncio
from collections.abc import Sequence

from checkfirst.model import Outlook, Question, Risk, SourceHealth
from checkfirst.service.checking import PATIENCE_SECONDS, Asking
from tests.fakes.clock import FakeClock

NEW = Question("a" * 64, 10, Risk.PROGRAM, b"/downloads/new.exe", 0.0)


class Hanging:
    """A source whose request is on its way, and never comes back."""

    name = "hanging"

    def __init__(self) -> None:
        self.sources = (self,)

    async def run(self) -> None:
        await asyncio.Event().wait()

    def ask(self, questions: Sequence[Question]) -> None:
        assert list(questions) == [NEW]

    def ask_again(self, questions: Sequence[Question]) -> None:
        raise AssertionError(questions)

    def forget(self, sha256: str) -> None:
        raise AssertionError(sha256)

    def has(self, sha256: str) -> bool:
        return sha256 == NEW.sha256

    def outlook(self) -> list[Outlook]:
        return [Outlook(NEW.sha256, "VirusTotal is being asked", None)]

    def wake(self) -> None:
        raise AssertionError

    def health(self) -> list[SourceHealth]:
        return []


async def test_what_is_wrong_is_said_once_and_then_until_when():
    clock, told = FakeClock(), list[str]()
    asking = Asking(clock, told.append)
    away = Hanging()
    away.outlook = lambda: [  # type: ignore[method-assign]
        Outlook(NEW.sha256, "VirusTotal cannot be reached: no such host", clock.now() + 9)
    ]
    async with asyncio.TaskGroup() as group:
        group.create_task(asking.ask(away, [NEW], seconds=5.0), name="asking")
        asking.problem("VirusTotal cannot be reached: no such host.")
    begin, waiting = told
    assert begin == "VirusTotal cannot be reached: no such host."
    assert waiting.startswith("Waiting until ")


async def test_a_person_is_told_once_what_takes_so_long_even_when_nobody_knows_how_long():
    clock, told = FakeClock(), list[str]()
    asking = Asking(clock, told.append)
    async with asyncio.TaskGroup() as group:
        work = group.create_task(asking.ask(Hanging(), [NEW], seconds=90.0), name="asking")
        await clock.advance(PATIENCE_SECONDS - 1)
        assert told == []
        await clock.advance(2)
        assert told == ["VirusTotal is being asked …"]
        await clock.advance(80)
        assert not work.done()
        await clock.advance(10)
        assert work.done()
    assert told == ["VirusTotal is being asked …"]
