"""What can go wrong between a client and the service, each as a value for the `Plan`.

Some take the place of the answer, some spoil the true one, some break the connection.
"""

import asyncio
import copy
import gzip
import json
import random
import zlib
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from aiohttp import web

from checkfirst.simulator.plan import Exchange, Fault
from checkfirst.simulator.replies import (
    error_reply,
    html_reply,
    json_reply,
    raw_reply,
    stream,
    usual_headers,
)

CAPTIVE_PORTAL = "<h1>Welcome to the guest network</h1><form>Accept the terms to go on</form>"
MIB = 1024 * 1024
Report = dict[str, Any]


def answering(make: Callable[[], web.StreamResponse]) -> Fault:
    """Any reply in place of the true one; made anew for each request."""

    async def fault(_exchange: Exchange) -> web.StreamResponse:
        return make()

    return fault


def error(code: str, message: str | None = None, *, retry_after: int | str | None = None) -> Fault:
    """An error of `replies.CATALOGUE`."""
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return answering(lambda: error_reply(code, message, headers=headers))


def wrong_key_echoed() -> Fault:
    """The 401 of 2020, whose message holds the key that was sent."""

    async def fault(exchange: Exchange) -> web.StreamResponse:
        return error_reply("WrongCredentialsError", f"Wrong API key: {exchange.key}")

    return fault


def html(status: int = 200, text: str = CAPTIVE_PORTAL) -> Fault:
    """A page of HTML: a captive portal with 200, front ends with 404, 413 or 502."""
    return answering(lambda: html_reply(status, text))


def json_body(body: object, status: int = 200) -> Fault:
    """Any JSON, an envelope without `error` for instance."""
    return answering(lambda: json_reply(body, status))


def raw(body: bytes, status: int = 200) -> Fault:
    """Any bytes, said to be JSON."""
    return answering(lambda: raw_reply(body, status))


def redirect(to: str, status: int = 302) -> Fault:
    """Sent elsewhere."""
    return answering(lambda: raw_reply(b"", status, headers={"Location": to}))


def reshaped(change: Callable[[Report], object]) -> Fault:
    """The true answer after `change` has altered its JSON in place."""

    async def fault(exchange: Exchange) -> web.StreamResponse:
        answer = await exchange.answer()
        body = json.loads(_body(answer))
        change(body)
        return json_reply(body, answer.status)

    return fault


def wrong_types(attributes: Mapping[str, object] | None = None) -> Fault:
    """The true report with attributes of types that nobody expects."""
    odd = attributes or {
        "last_analysis_stats": ["malicious", 62],
        "last_analysis_date": "yesterday",
        "size": None,
    }
    return reshaped(lambda body: _attributes(body).update(copy.deepcopy(dict(odd))))


def another_hash(sha256: str = "0" * 64) -> Fault:
    """The true report under the hash of another file."""

    def change(body: Report) -> None:
        _attributes(body)["sha256"] = sha256
        if "data" in body:
            body["data"]["id"] = sha256

    return reshaped(change)


def truncated(share: float = 0.5) -> Fault:
    """The beginning of the true JSON, in a reply that is complete as far as HTTP goes."""

    async def fault(exchange: Exchange) -> web.StreamResponse:
        answer = await exchange.answer()
        body = _body(answer)
        return raw_reply(body[: int(len(body) * share)], answer.status)

    return fault


def gzipped() -> Fault:
    """The true answer compressed, whatever the client asked for."""

    async def fault(exchange: Exchange) -> web.StreamResponse:
        answer = await exchange.answer()
        encoding = {"Content-Encoding": "gzip"}
        return raw_reply(gzip.compress(_body(answer)), answer.status, headers=encoding)

    return fault


def chunked(piece_bytes: int = 1000) -> Fault:
    """The true answer without a length, in pieces."""
    return slow_drip(piece_bytes, pause_seconds=0.0)


def slow_drip(piece_bytes: int = 1, pause_seconds: float = 1.0) -> Fault:
    """The true answer, a piece at a time."""

    async def fault(exchange: Exchange) -> web.StreamResponse | None:
        answer = await exchange.answer()
        body = _body(answer)

        async def pieces() -> AsyncIterator[bytes]:
            for start in range(0, len(body), piece_bytes):
                yield body[start : start + piece_bytes]
                await exchange.clock.sleep(pause_seconds)

        return await stream(exchange.request, pieces(), answer.status)

    return fault


def oversized(size_bytes: int = 64 * MIB) -> Fault:
    """Correct JSON that does not want to end."""

    async def pieces() -> AsyncIterator[bytes]:
        yield b'{"data": "'
        for _ in range(0, size_bytes, MIB):
            yield b"x" * MIB
        yield b'"}'

    async def fault(exchange: Exchange) -> web.StreamResponse | None:
        return await stream(exchange.request, pieces())

    return fault


def gzip_bomb(size_bytes: int = 256 * MIB) -> Fault:
    """The same, about a thousand times smaller on the wire."""

    async def pieces() -> AsyncIterator[bytes]:
        press = zlib.compressobj(1, wbits=31)
        yield press.compress(b'{"data": "')
        for _ in range(0, size_bytes, MIB):
            yield press.compress(b"x" * MIB)
            await asyncio.sleep(0)
        yield press.compress(b'"}') + press.flush()

    async def fault(exchange: Exchange) -> web.StreamResponse | None:
        return await stream(exchange.request, pieces(), encoding="gzip")

    return fault


def dropped() -> Fault:
    """The connection ends before any byte of an answer."""

    async def fault(exchange: Exchange) -> None:
        _close(exchange.request)

    return fault


def lost() -> Fault:
    """What was asked for is done, an upload taken in for instance, but nothing comes back."""

    async def fault(exchange: Exchange) -> None:
        await exchange.answer()
        _close(exchange.request)

    return fault


def broken_off(share: float = 0.5) -> Fault:
    """The connection ends in the middle of the true answer, short of its announced length."""

    async def fault(exchange: Exchange) -> None:
        answer = await exchange.answer()
        body = _body(answer)
        response = web.StreamResponse(status=answer.status, headers=usual_headers())
        response.content_length = len(body)
        await response.prepare(exchange.request)
        await response.write(body[: int(len(body) * share)])
        _close(exchange.request)

    return fault


def hanging() -> Fault:
    """No answer, for as long as the client waits and the server runs."""

    async def fault(_exchange: Exchange) -> None:
        await asyncio.Event().wait()

    return fault


def delayed(seconds: float, jitter_seconds: float = 0.0, *, seed: int = 0) -> Fault:
    """The true answer, but late; the request was counted when it came."""
    chance = random.Random(seed)  # noqa: S311  (repeatable, not secret)

    async def fault(exchange: Exchange) -> web.StreamResponse:
        await exchange.clock.sleep(seconds + chance.uniform(0.0, jitter_seconds))
        return await exchange.answer()

    return fault


def late(seconds: float, then: Fault) -> Fault:
    """Another fault, but late."""

    async def fault(exchange: Exchange) -> web.StreamResponse | None:
        await exchange.clock.sleep(seconds)
        return await then(exchange)

    return fault


def _attributes(body: Report) -> Report:
    """Those of the report, or nothing that lasts when the true answer is an error."""
    attributes: Report = body.get("data", {}).get("attributes", {})
    return attributes


def _body(answer: web.Response) -> bytes:
    body = answer.body
    if not isinstance(body, bytes | bytearray):
        raise TypeError("the true answers are made of bytes")
    return bytes(body)


def _close(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.close()
