"""The simulator as a whole, served in the caller's loop. See `thread` for callers without one."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Self

from aiohttp import web

from checkfirst.simulator import corpus
from checkfirst.simulator.app import Api
from checkfirst.simulator.behaviour import Behaviour
from checkfirst.simulator.clock import Clock, SystemClock
from checkfirst.simulator.known import KnownFile
from checkfirst.simulator.plan import Plan
from checkfirst.simulator.quota import Account, Limits
from checkfirst.simulator.requests import Request, RequestLog
from checkfirst.simulator.state import Analysis, Upload, World

GRACE_SECONDS = 0.1
"""How long a stopping server waits for requests under way, such as hanging ones."""


def nobody(_request: Request) -> None:
    """Listens to nothing."""


class Simulator:
    """A service of its own: what it knows, whom it serves, how it fails.

    All of it may be changed while it serves, from the loop that it serves in.
    """

    def __init__(
        self,
        *,
        known: Iterable[KnownFile] = corpus.BUILT_IN,
        keys: Iterable[str] | Mapping[str, Account] = ("demo",),
        limits: Limits | None = None,
        behaviour: Behaviour | None = None,
        clock: Clock | None = None,
        seed: int = 0,
        on_answer: Callable[[Request], None] = nobody,
    ) -> None:
        """`limits` are those of every key that comes without an Account (user id = key)."""
        self.clock = clock or SystemClock()
        self.world = World(self.clock, behaviour or Behaviour())
        self.faults = Plan(seed)
        self.log = RequestLog()
        self.accounts: dict[str, Account] = (
            dict(keys)
            if isinstance(keys, Mapping)
            else {
                key: Account(f"user-{number}", limits or Limits())
                for number, key in enumerate(keys)
            }
        )
        self.url = ""
        """Base of the API, `http://127.0.0.1:PORT/api/v3`, while served."""
        self._on_answer = on_answer
        self.add(*known)

    @property
    def behaviour(self) -> Behaviour:
        """The knobs."""
        return self.world.behaviour

    @property
    def requests(self) -> list[Request]:
        """Everything that arrived, in order."""
        return self.log.entries

    @property
    def uploads(self) -> list[Upload]:
        """Every file taken in, in order."""
        return self.world.uploads

    @property
    def analyses(self) -> list[Analysis]:
        """Every analysis begun, in order."""
        return self.world.analyses

    def add(self, *files: KnownFile) -> None:
        """Know these files from now on."""
        for file in files:
            self.world.add(file)

    def forget(self, *sha256s: str) -> None:
        """Know these files no more."""
        for sha256 in sha256s:
            self.world.forget(sha256)

    def script(self, *files: KnownFile) -> None:
        """Let analyses of these files end with these results."""
        for file in files:
            self.world.script(file)

    def behave(self, **knobs: object) -> None:
        """Turn some of the knobs of `Behaviour`."""
        self.world.behaviour = replace(self.world.behaviour, **knobs)  # type: ignore[arg-type]

    def most_in_any_window(self, seconds: float, key: str | None = None) -> int:
        """See `RequestLog.most_in_any_window`."""
        return self.log.most_in_any_window(seconds, key)

    @asynccontextmanager
    async def serve(self, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[Self]:
        """Serve in this loop until the block is left; port 0 takes a free one."""
        api = Api(self.world, self.accounts, self.log, self.faults, self.clock, self._on_answer)
        runner = web.AppRunner(
            api.application(),
            access_log=None,
            handler_cancellation=True,
            shutdown_timeout=GRACE_SECONDS,
        )
        await runner.setup()
        try:
            site = web.TCPSite(runner, host, port)
            await site.start()
            bound = runner.addresses[0][1]
            self.url = f"http://{host}:{bound}/api/v3"
            yield self
        finally:
            await runner.cleanup()
