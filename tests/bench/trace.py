"""How many requests a made trace of downloads costs, over the real sources in their real order."""

import asyncio
import random
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from checkfirst.clock import SystemClock
from checkfirst.model import Answer, Fingerprint, Question, Risk, Verdict
from checkfirst.service.assemble_sources import Around, local_sources, own_lists, remote_sources
from checkfirst.settings.places import DATABASE, KNOWN_GOOD
from checkfirst.settings.schema import Settings
from checkfirst.simulator.known import clean
from checkfirst.simulator.quota import NO_LIMITS
from checkfirst.simulator.server import Simulator
from checkfirst.simulator.thread import simulator_in_thread
from checkfirst.sources.chain import Chain
from checkfirst.store.database import Database
from tests.bench.result import Result
from tests.sources.knowngood.made import build, digests

DOWNLOADS = 2000
REPEATED, KNOWN, BLOCKED = 0.30, 0.40, 0.01
_BATCH = 120
_LONGEST = 120.0


@dataclass(frozen=True)
class Trace:
    """What is downloaded, in order, and what is known of it."""

    downloads: list[str]
    known_good: list[str]
    blocked: list[str]
    new: list[str]
    """What no source on this machine knows, each once."""


@dataclass(frozen=True)
class Spent:
    """What it cost, and who had the word on how many downloads."""

    requests: list[str]
    """The SHA-256 of each request that the service saw."""
    answered_by: Counter[str]
    verdicts: dict[str, Verdict]


def made(count: int = DOWNLOADS, seed: int = 1) -> Trace:
    """30 % repeats of earlier ones, 40 % on the known-good list, 1 % blocked, the rest new."""
    rng = random.Random(seed)
    distinct = [digest.hex() for digest in digests(round(count * (1 - REPEATED)))]
    known_good = distinct[: round(count * KNOWN)]
    blocked = distinct[len(known_good) :][: round(count * BLOCKED)]
    new = distinct[len(known_good) + len(blocked) :]
    downloads = list(distinct)
    rng.shuffle(downloads)
    while len(downloads) < count:
        at = rng.randrange(1, len(downloads) + 1)
        downloads.insert(at, downloads[rng.randrange(at)])
    return Trace(downloads, known_good, blocked, new)


def run(trace: Trace, folder: Path) -> Spent:
    """Put the trace through the sources, batch after batch, without waiting for answers."""
    with simulator_in_thread(Simulator(limits=NO_LIMITS)) as simulator:
        simulator.add(*(clean(sha256) for sha256 in trace.new[::2]))  # nobody knows the others
        answered_by, verdicts = asyncio.run(_run(trace, folder, simulator.url))
        requests = [request.path.rpartition("/")[2] for request in simulator.requests]
    return Spent(requests, answered_by, verdicts)


async def _run(trace: Trace, folder: Path, url: str) -> tuple[Counter[str], dict[str, Verdict]]:
    account = {"url": url, "per_minute": 0, "per_day": 0, "per_month": 0}
    settings = await asyncio.to_thread(
        Settings.model_validate,
        {"state": folder, "virustotal": account, "lists": {"block": trace.blocked}},
    )
    good = [bytes.fromhex(sha256) for sha256 in trace.known_good]
    await asyncio.to_thread(build, folder / KNOWN_GOOD, good)
    clock = SystemClock()
    database = await Database.open(folder / DATABASE, clock)
    try:
        around = Around(settings, database, clock, "", SecretStr("demo"))
        _, own = await own_lists(around)
        chain = await local_sources(around, own)
        return await _all(trace.downloads, around, chain)
    finally:
        await database.close()


async def _all(
    downloads: list[str], around: Around, chain: Chain
) -> tuple[Counter[str], dict[str, Verdict]]:
    """Half of them, a rest in which all is answered, and the other half."""
    verdicts: dict[str, Verdict] = {}
    answered_by: Counter[str] = Counter()
    news = asyncio.Event()

    async def deliver(answer: Answer) -> None:
        verdicts[answer.sha256] = answer.verdict
        news.set()

    remote = remote_sources(around, chain, deliver)

    async def put(some: list[str]) -> None:
        for at in range(0, len(some), _BATCH):
            batch = some[at : at + _BATCH]
            known = await chain.answer([Fingerprint(each, 1, "", Risk.PROGRAM) for each in batch])
            verdicts.update(known)
            left = [each for each in batch if each not in known]
            answered_by.update(known[each].source for each in batch if each in known)
            answered_by["virustotal"] += len(left)
            remote.ask([Question(each, 1, Risk.PROGRAM, b"/held/1/x", 0.0) for each in left])
        while not verdicts.keys() >= set(some):
            news.clear()
            await news.wait()

    async with asyncio.timeout(_LONGEST), asyncio.TaskGroup() as group:
        works = [group.create_task(source.run()) for source in remote.sources]
        await put(downloads[: len(downloads) // 2])
        await put(downloads[len(downloads) // 2 :])
        for work in works:
            work.cancel()
    return answered_by, verdicts


def measure(count: int = DOWNLOADS) -> list[Result]:
    trace = made(count)
    with tempfile.TemporaryDirectory(prefix="checkfirst-bench-") as folder:
        spent = run(trace, Path(folder))
    shares = ", ".join(f"{number} {name}" for name, number in spent.answered_by.most_common())
    return [
        Result(
            f"requests that a trace of {count:,} downloads costs",
            len(spent.requests),
            "requests",
            len(trace.new),
            "distinct files that no source on this machine knows",
            "exactly one for each",
            f"30 % repeats, 40 % known-good, 1 % blocked; downloads answered by: {shares}",
        )
    ]
