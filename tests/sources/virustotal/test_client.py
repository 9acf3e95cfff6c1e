"""The client against the simulator and against a server that only listens."""

import asyncio
import contextlib
import gzip
import hashlib
import logging

import aiohttp
import pytest
from pydantic import SecretStr

from checkfirst.errors import SettingsError
from checkfirst.simulator import corpus, faults
from checkfirst.simulator.known import pending_with_zeros, pending_without_stats
from checkfirst.sources.virustotal.body import READ_BYTES
from checkfirst.sources.virustotal.client import Client
from checkfirst.sources.virustotal.reply import (
    AnalysisStatus,
    Descriptor,
    Failure,
    FailureKind,
    NotKnown,
    Reach,
    Report,
    UploadUrl,
)
from checkfirst.sources.virustotal.session import new_session

EICAR = hashlib.sha256(corpus.EICAR).hexdigest()
CLEAN = hashlib.sha256(corpus.CLEAN_SAMPLE).hexdigest()
KEY = "0123456789abcdef" * 4
NOBODY = "http://127.0.0.1:9/api/v3"


def key() -> SecretStr:
    return SecretStr(KEY)


@contextlib.asynccontextmanager
async def listening(answer: bytes = b""):
    """A server that takes what comes, answers (nothing) and closes; gives url and connections."""
    seen: list[bytearray] = []

    async def serve(reader, writer):
        seen.append(bytearray())
        with contextlib.suppress(ConnectionError):
            while True:
                async with asyncio.timeout(0.3):
                    piece = await reader.read(65536)
                if not piece:
                    break
                seen[-1] += piece
                if answer is not None and b"\r\n\r\n" in seen[-1] and seen[-1].startswith(b"GET"):
                    break
        writer.write(answer)
        writer.close()

    async def guarded(reader, writer):
        try:
            await serve(reader, writer)
        except TimeoutError:
            writer.close()

    server = await asyncio.start_server(guarded, "127.0.0.1")
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/api/v3", seen


async def test_a_known_file_has_a_report(client, simulator):
    reply = await client.report(EICAR)
    assert isinstance(reply, Report)
    assert reply.stats is not None
    assert reply.stats["malicious"] > 50
    assert reply.last_analysis_date
    assert len(reply.threats) == 20
    assert len(simulator.requests) == 1


async def test_an_unknown_file_is_not_known(client):
    assert await client.report("0" * 64) == NotKnown()


@pytest.mark.parametrize("path", ["", "/api", "/api/v3/files", "/api/v3/analyses", "/api/v2"])
async def test_an_address_with_a_wrong_path_does_not_tell_that_a_file_is_unknown(simulator, path):
    client = Client(f"{simulator.url.removesuffix('/api/v3')}{path}", lambda: SecretStr("k"), 5.0)
    reply = await client.report("0" * 64)
    await client.close()
    assert simulator.requests[-1].status == 404
    assert isinstance(reply, Failure)
    assert reply.kind is FailureKind.UNPROVEN


@pytest.mark.parametrize("pending", [pending_without_stats, pending_with_zeros])
async def test_a_file_without_analysis_has_no_date(client, simulator, pending):
    simulator.add(pending(b"new"))
    reply = await client.report(hashlib.sha256(b"new").hexdigest())
    assert isinstance(reply, Report)
    assert reply.last_analysis_date is None


async def test_it_says_who_it_is_and_what_it_can_unpack(client, simulator):
    await client.report(EICAR)
    headers = simulator.requests[0].headers
    assert headers["User-Agent"].startswith("checkfirst/")
    assert headers["User-Agent"].endswith("; gzip")
    assert "gzip" in headers["Accept-Encoding"]


FAULTS = {
    "html": faults.html(),
    "html 502": faults.html(502),
    "html 404": faults.html(404),
    "html 403": faults.html(403),
    "redirect": faults.redirect("https://evil.example/"),
    "transient": faults.error("TransientError"),
    "deadline": faults.error("DeadlineExceededError"),
    "another hash": faults.another_hash(),
    "truncated": faults.truncated(),
    "broken off": faults.broken_off(),
    "dropped": faults.dropped(),
    "oversized": faults.oversized(),
    "gzip bomb": faults.gzip_bomb(),
    "no json": faults.raw(b"hello"),
    "bad gzip": faults.raw(b"\x1f\x8b\x08\x00rubbish"),
    "empty": faults.raw(b""),
    "no envelope": faults.json_body([]),
    "error without form": faults.json_body({"oops": 1}, 400),
}


@pytest.mark.parametrize("name", FAULTS)
async def test_what_goes_wrong_is_a_failure_to_retry_after_one_request(client, simulator, name):
    simulator.faults.always(FAULTS[name])
    reply = await client.report(EICAR)
    assert isinstance(reply, Failure)
    assert reply.kind is FailureKind.RETRY
    assert len(simulator.requests) == 1


@pytest.mark.parametrize("fault", [faults.gzipped(), faults.chunked()])
async def test_packed_and_chunked_answers_are_read(client, simulator, fault):
    simulator.faults.always(fault)
    assert isinstance(await client.report(EICAR), Report)


async def test_wrong_types_never_clear(client, simulator):
    simulator.faults.always(faults.wrong_types())
    reply = await client.report(CLEAN)
    assert isinstance(reply, Report)
    assert (reply.stats, reply.last_analysis_date) == (None, None)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("QuotaExceededError", FailureKind.THROTTLED),
        ("TooManyRequestsError", FailureKind.THROTTLED),
        ("ForbiddenError", FailureKind.KEY_REFUSED),
        ("WrongCredentialsError", FailureKind.KEY_REFUSED),
        ("BadRequestError", FailureKind.REFUSED),
    ],
)
async def test_errors_have_their_kind(client, simulator, code, kind):
    simulator.faults.always(faults.error(code, retry_after=77))
    reply = await client.report(EICAR)
    assert isinstance(reply, Failure)
    assert (reply.kind, reply.code) == (kind, code)
    if kind is FailureKind.THROTTLED:
        assert reply.retry_after == 77.0


async def test_a_dropped_get_is_not_sent_again():
    """aiohttp by itself sends it twice; a version that got past the guard would fail here."""
    async with listening() as (url, seen):
        client = Client(url, key, 5.0)
        reply = await client.report(EICAR)
        await client.close()
        assert isinstance(reply, Failure)
        assert (reply.kind, reply.reach) == (FailureKind.RETRY, Reach.SENT)
        assert "the connection was closed" in reply.message
        assert [one.count(b"GET ") for one in seen] == [1]

        async with new_session() as session:
            with pytest.raises(aiohttp.ClientError):
                await session.get(url)
        assert len(seen) == 3, "aiohttp no longer sends twice: the guard may go"


async def test_a_server_that_hangs_is_given_up(simulator):
    simulator.faults.always(faults.hanging())
    client = Client(simulator.url, lambda: SecretStr("k"), 0.1)
    reply = await client.report(EICAR)
    await client.close()
    assert isinstance(reply, Failure)
    assert (reply.kind, reply.reach) == (FailureKind.RETRY, Reach.SENT)


@pytest.mark.parametrize("url", [NOBODY, "https://nobody.invalid/api/v3"])
async def test_what_never_left_is_told_apart(url):
    client = Client(url, key, 5.0)
    reply = await client.report(EICAR)
    await client.close()
    assert isinstance(reply, Failure)
    assert (reply.kind, reply.reach) == (FailureKind.RETRY, Reach.UNSENT)
    assert reply.message


def no_key():
    return None


def empty_key():
    return SecretStr(" ")


def split_key():
    return SecretStr("abc\r\nHost: evil.example")


def broken_key():
    raise SettingsError(["/x: cannot be read"])


@pytest.mark.parametrize("source", [no_key, empty_key, split_key, broken_key])
async def test_without_a_usable_key_nothing_is_sent(simulator, source):
    client = Client(simulator.url, source, 5.0)
    reply = await client.report(EICAR)
    await client.close()
    assert isinstance(reply, Failure)
    assert (reply.kind, reply.reach) == (FailureKind.KEY_REFUSED, Reach.UNSENT)
    assert "evil" not in reply.message
    assert simulator.requests == []


@pytest.mark.parametrize(
    "fault", [faults.wrong_key_echoed(), faults.dropped(), faults.html(), faults.broken_off()]
)
async def test_the_key_is_in_no_failure_and_no_log(simulator, fault, caplog):
    simulator.faults.always(fault)
    client = Client(simulator.url, key, 5.0)
    with caplog.at_level(logging.DEBUG):
        reply = await client.report(EICAR)
        await client.close()
    assert KEY not in repr(reply) + caplog.text
    assert simulator.requests[0].key == KEY


async def test_an_upload_carries_the_bytes_under_their_hash(client, simulator, opened):
    content = b"unknown" * 300_000
    descriptor, sha256, size = await asyncio.to_thread(opened, content)
    reply = await client.upload(descriptor, sha256, size)
    assert isinstance(reply, Descriptor)
    (upload,) = simulator.uploads
    assert upload.sha256 == sha256
    assert upload.size == size
    assert upload.file_name == sha256
    request = simulator.requests[0]
    assert int(request.headers["Content-Length"]) > size
    assert "Transfer-Encoding" not in request.headers
    status = await client.analysis(reply.analysis_id, sha256)
    assert isinstance(status, AnalysisStatus)
    assert not status.finished


async def test_an_upload_says_how_far_it_is(simulator, opened):
    descriptor, sha256, size = await asyncio.to_thread(opened, b"unknown" * 300_000)
    said = []
    client = Client(simulator.url, lambda: SecretStr("k"), 5.0, on_event=said.append)
    try:
        await client.upload(descriptor, sha256, size)
    finally:
        await client.close()
    assert {each.sha256 for each in said} == {sha256}
    steps = [each.sent for each in said]
    assert steps == sorted(steps)
    assert (len(steps) > 5, steps[-1]) == (True, size)


async def test_a_large_file_goes_to_a_place_that_is_asked_for(client, simulator, opened):
    descriptor, sha256, size = await asyncio.to_thread(opened, b"large")
    place = await client.upload_url()
    assert isinstance(place, UploadUrl)
    assert isinstance(await client.upload(descriptor, sha256, size, place.url), Descriptor)
    assert isinstance(await client.upload(descriptor, sha256, size, place.url), Failure)
    assert len(simulator.requests) == 3


async def test_413_is_too_large(client, simulator, opened):
    simulator.faults.always(faults.html(413))
    reply = await client.upload(*await asyncio.to_thread(opened, b"x"))
    assert isinstance(reply, Failure)
    assert reply.kind is FailureKind.TOO_LARGE


async def test_a_place_that_is_not_virustotals_gets_nothing(client, simulator, opened):
    simulator.faults.always(faults.json_body({"data": "https://evil.example/upload"}))
    reply = await client.upload_url()
    assert isinstance(reply, Failure)
    assert reply.kind is FailureKind.REFUSED
    sent = await client.upload(
        *await asyncio.to_thread(opened, b"x"), url="https://evil.example/upload"
    )
    assert isinstance(sent, Failure)
    assert (sent.kind, sent.reach) == (FailureKind.REFUSED, Reach.UNSENT)
    assert len(simulator.requests) == 1


@pytest.mark.parametrize("size", [10, 3 * READ_BYTES])
async def test_bytes_that_changed_never_arrive_whole(opened, size):
    async with listening() as (url, seen):
        descriptor, _, _ = await asyncio.to_thread(opened, b"x" * size)
        client = Client(url, key, 5.0)
        reply = await client.upload(descriptor, "0" * 64, size)
        await client.close()
        await asyncio.sleep(0.05)
    assert isinstance(reply, Failure)
    assert reply.kind is FailureKind.CHANGED
    assert len(seen) <= 1
    for one in seen:
        head, _, body = bytes(one).partition(b"\r\n\r\n")
        announced = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        assert len(body) < announced - min(size, READ_BYTES)


async def test_a_dropped_upload_is_not_sent_again(client, simulator, opened):
    simulator.faults.always(faults.dropped())
    reply = await client.upload(*await asyncio.to_thread(opened, b"x"))
    assert isinstance(reply, Failure)
    assert reply.kind is FailureKind.RETRY
    assert len(simulator.requests) == 1


async def test_an_upload_that_stands_still_is_given_up(opened):
    hanging = asyncio.Event()

    async def stall(_reader, writer):
        await hanging.wait()
        writer.close()

    server = await asyncio.start_server(stall, "127.0.0.1")
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        client = Client(url, key, 0.1)
        reply = await client.upload(*await asyncio.to_thread(opened, b"x" * 40 * READ_BYTES))
        hanging.set()
        await client.close()
    assert isinstance(reply, Failure)
    assert (reply.kind, reply.reach) == (FailureKind.RETRY, Reach.SENT)


async def test_an_upload_that_moves_may_take_longer_than_the_time_out(opened):
    async def slowly(reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        left = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        while left > 0:
            left -= len(await reader.read(1024 * 1024))
            await asyncio.sleep(0.03)
        body = gzip.compress(b'{"data": {"type": "analysis", "id": "abc"}}')
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n"
            b"Content-Length: %d\r\n\r\n" % len(body) + body
        )
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(slowly, "127.0.0.1", limit=65536)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        client = Client(url, key, 0.6)
        started = asyncio.get_running_loop().time()
        reply = await client.upload(*await asyncio.to_thread(opened, b"x" * 12 * READ_BYTES))
        await client.close()
    assert reply == Descriptor("abc")
    assert asyncio.get_running_loop().time() - started > 0.6


async def test_it_can_be_used_again_after_it_was_closed(client):
    await client.close()
    assert isinstance(await client.report(EICAR), Report)
    await client.close()
    assert isinstance(await client.report(EICAR), Report)
