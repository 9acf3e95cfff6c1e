"""`python -m checkfirst.simulator`: the simulator by itself, a line for each request."""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from checkfirst.simulator import corpus
from checkfirst.simulator.behaviour import Behaviour, Latency
from checkfirst.simulator.known import KnownFile, clean, malicious
from checkfirst.simulator.quota import Limits
from checkfirst.simulator.requests import Request
from checkfirst.simulator.server import Simulator


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until interrupted or terminated."""
    options = _parser().parse_args(arguments)
    known: list[KnownFile] = [
        *corpus.BUILT_IN,
        *(corpus.judge(path.read_bytes()) for path in options.known),
        *(clean(path.read_bytes()) for path in options.clean),
        *(malicious(path.read_bytes()) for path in options.malicious),
    ]
    simulator = Simulator(
        known=known,
        keys=options.key or ["demo"],
        limits=Limits(options.per_minute, options.per_day, options.per_month),
        behaviour=Behaviour(
            queued_seconds=options.analysis_seconds / 3,
            in_progress_seconds=options.analysis_seconds * 2 / 3,
            latency=Latency(back=(0.0, options.latency_seconds)),
        ),
        on_answer=_tell,
    )
    try:
        asyncio.run(_serve(simulator, options.host, options.port))
    except OSError as error:
        sys.exit(f"Cannot listen at {options.host}:{options.port}: {_words(error)}")


async def _serve(simulator: Simulator, host: str, port: int) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with simulator.serve(host, port):
        keys = [f"{key} (account {who.user})" for key, who in simulator.accounts.items()]
        _say(f"VirusTotal simulator at {simulator.url}, keys: {', '.join(keys)}")
        await stop.wait()


def _words(error: OSError) -> str:
    """What the system says; asyncio puts its own words around it."""
    return os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)


def _tell(request: Request) -> None:
    _say(str(request))


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m checkfirst.simulator",
        description="A stand-in for the VirusTotal API. Nothing leaves this machine.",
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen at (default: %(default)s)")
    add("--port", type=int, default=8901, help="0 takes a free one (default: %(default)s)")
    add("--key", action="append", help="a key that is accepted; may be repeated (default: demo)")
    add("--per-minute", type=int, default=4, help="requests; 0 is no limit (default: %(default)s)")
    add("--per-day", type=int, default=500, help="likewise (default: %(default)s)")
    add("--per-month", type=int, default=15_500, help="likewise (default: %(default)s)")
    add(
        "--analysis-seconds",
        type=float,
        default=30.0,
        help="from an upload to its result (default: %(default)s)",
    )
    add(
        "--latency-seconds",
        type=float,
        default=0.0,
        help="answers come up to so much later, at random (default: %(default)s)",
    )
    for name, what in (
        ("known", "judged as an upload would be"),
        ("clean", "known as clean"),
        ("malicious", "known as malicious"),
    ):
        add(f"--{name}", type=Path, nargs="+", default=[], metavar="FILE", help=f"files {what}")
    return parser


if __name__ == "__main__":
    main()
