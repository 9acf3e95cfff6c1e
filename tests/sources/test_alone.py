import asyncio
import contextlib

from checkfirst.model import Answer, Mode, Question, Risk, Verdict, VerdictKind
from checkfirst.sources.alone import FIRST_SECONDS, LONGEST_SECONDS, Alone, meaning
from tests.fakes.clock import FakeClock, settle_loop

A = "a" * 64
UNKNOWN = Verdict(VerdictKind.UNKNOWN, "local", "nobody knows it")


@contextlib.asynccontextmanager
async def running(source):
    task = asyncio.create_task(source.run())
    await settle_loop()
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


class Scene:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.known: dict[str, Verdict] = {}
        self.tries = 0
        self.on_deliver = None
        self.delivered: list[Answer] = []
        self.source = Alone(self._ask, self._deliver, self.clock)

    def ask(self) -> None:
        self.source.ask([Question(A, 1, Risk.PROGRAM, b"/held/1/a", 0.0)])

    async def _ask(self, prints):
        self.tries += 1
        return {one.sha256: self.known[one.sha256] for one in prints if one.sha256 in self.known}

    async def _deliver(self, answer) -> None:
        self.delivered.append(answer)
        if self.on_deliver is not None:
            self.on_deliver, deed = None, self.on_deliver
            deed()


async def test_nothing_is_answered_until_the_chain_can_tell():
    scene = Scene()
    async with running(scene.source):
        scene.ask()
        await scene.clock.advance(10 * LONGEST_SECONDS)
        assert scene.delivered == []
        assert scene.source.has(A)
        scene.known[A] = UNKNOWN
        await scene.clock.advance(LONGEST_SECONDS)
        assert [each.verdict for each in scene.delivered] == [UNKNOWN]
        assert not scene.source.has(A)
        tries = scene.tries
        await scene.clock.advance(10 * LONGEST_SECONDS)
        assert scene.tries == tries


async def test_it_asks_ever_more_seldom_and_says_when_next():
    scene = Scene()
    async with running(scene.source):
        scene.ask()
        await settle_loop()
        assert scene.tries == 1  # what broke may be whole again already
        (outlook,) = scene.source.outlook()
        assert outlook.until == scene.clock.now() + 2 * FIRST_SECONDS
        assert "cannot be asked" in outlook.reason
        await scene.clock.advance(3600)
        assert scene.tries <= 3600 / LONGEST_SECONDS + 5


async def test_a_copy_that_comes_while_the_answer_is_handed_over_is_answered_too():
    scene = Scene()
    scene.known[A] = UNKNOWN
    scene.on_deliver = scene.ask
    async with running(scene.source):
        scene.ask()
        await scene.clock.advance(LONGEST_SECONDS)
    assert len(scene.delivered) == 2


async def test_what_is_forgotten_is_asked_no_more():
    scene = Scene()
    scene.ask()
    scene.source.forget(A)
    async with running(scene.source):
        assert (scene.source.outlook(), scene.source.has(A)) == ([], False)


def test_it_is_said_what_it_means():
    told = meaning(("lists", "known-good"), Mode.NORMAL)
    assert "only this machine is asked (lists, known-good)" in told
    assert told.endswith("counts as unknown, and mode normal releases it")
    assert meaning((), Mode.STOP_UNKNOWNS).endswith("stop-unknowns quarantines it")
