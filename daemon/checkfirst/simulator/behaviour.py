"""The knobs of the simulated service; the defaults are the public facts."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from checkfirst.simulator.clock import Clock

MIB = 1024 * 1024


class FirstAnalysis(StrEnum):
    """What a look-up of a file shows while its first analysis runs; no recording tells."""

    WITHOUT_STATS = "without-stats"
    WITH_ZEROS = "with-zeros"
    NOT_FOUND = "not-found"


def every_request(method: str, path: str) -> bool:  # noqa: ARG001  (others look at both)
    """The careful reading of the contradictory sources: whatever is sent costs quota."""
    return True


def all_but_uploads(method: str, path: str) -> bool:
    """The mild reading: neither asking for an upload URL nor the upload itself costs quota."""
    return not (
        path == "/api/v3/files/upload_url"
        or (method == "POST" and (path == "/api/v3/files" or path.startswith("/_ah/upload/")))
    )


class Latency:
    """The network between client and server: seconds on the way there and back, at random."""

    def __init__(
        self,
        there: tuple[float, float] = (0.0, 0.0),
        back: tuple[float, float] = (0.0, 0.0),
        *,
        seed: int = 0,
    ) -> None:
        """Each a range of seconds; equal seeds give equal delays."""
        self._there = there
        self._back = back
        self._random = random.Random(seed)  # noqa: S311  (repeatable, not secret)

    async def there(self, clock: Clock) -> None:
        """Pass before the server knows of the request."""
        await self._pass(self._there, clock)

    async def back(self, clock: Clock) -> None:
        """Pass after the server has made up its answer."""
        await self._pass(self._back, clock)

    async def _pass(self, bounds: tuple[float, float], clock: Clock) -> None:
        if bounds[1] > 0:
            await clock.sleep(self._random.uniform(*bounds))


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """How the service acts; replaced as a whole, at any time."""

    queued_seconds: float = 10.0
    in_progress_seconds: float = 20.0
    first_analysis: FirstAnalysis = FirstAnalysis.WITHOUT_STATS
    small_upload_bytes: int = 32 * MIB
    """Of the whole request body; more gets 413 and a page of HTML."""
    large_upload_bytes: int = 650 * MIB
    kept_bytes: int = 4 * MIB
    """How much of an upload is kept to be looked at."""
    retry_after: int | None = None
    """Seconds for a Retry-After header on 429; no recorded answer has one."""
    echoes_wrong_key: bool = False
    """Whether a wrong key stands in the 401's message, as it did in 2020."""
    counts: Callable[[str, str], bool] = every_request
    """Whether a request (method, path) costs quota."""
    refused_counts: bool = True
    """Whether a request refused for quota costs quota."""
    latency: Latency = field(default_factory=Latency)
