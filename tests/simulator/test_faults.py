import asyncio
import gzip
import io
import json
import logging

import aiohttp
import pytest

from checkfirst.simulator import faults
from checkfirst.simulator.behaviour import MIB, Latency
from checkfirst.simulator.corpus import EICAR
from checkfirst.simulator.known import malicious
from checkfirst.simulator.replies import CATALOGUE
from tests.fakes.clock import settle_loop

PATH = f"/files/{malicious(EICAR).sha256}"


@pytest.fixture(autouse=True)
def _nothing_goes_wrong_in_the_server_itself(caplog):
    yield
    assert [one for one in caplog.records if one.levelno >= logging.WARNING] == []


async def get(simulator, session, **options) -> tuple[int, bytes, dict[str, str]]:
    async with session.get(f"{simulator.url}{PATH}", **options) as answer:
        return answer.status, await answer.read(), dict(answer.headers)


@pytest.mark.parametrize("code", CATALOGUE)
async def test_every_error_of_the_catalogue_has_its_status_and_message(simulator, session, code):
    simulator.faults.next(faults.error(code))

    status, body, headers = await get(simulator, session)

    assert (status, json.loads(body)["error"]["message"]) == CATALOGUE[code]
    assert json.loads(body)["error"]["code"] == code
    assert "Retry-After" not in headers


async def test_an_unexpected_429_may_say_when_to_come_back(simulator, session):
    simulator.faults.next(faults.error("TooManyRequestsError", "Slow down", retry_after=120))

    status, body, headers = await get(simulator, session)

    assert (status, headers["Retry-After"]) == (429, "120")
    assert json.loads(body)["error"]["message"] == "Slow down"


async def test_a_wrong_key_may_be_echoed(simulator, session):
    simulator.faults.next(faults.wrong_key_echoed())

    status, body, _ = await get(simulator, session)

    assert (status, json.loads(body)["error"]["message"]) == (401, "Wrong API key: k")


@pytest.mark.parametrize("status", [200, 404, 413, 502])
async def test_strangers_answer_with_pages_of_html(simulator, session, status):
    simulator.faults.next(faults.html(status))

    answered, body, headers = await get(simulator, session)

    assert answered == status
    assert headers["Content-Type"].startswith("text/html")
    assert b"guest network" in body


async def test_truncated_json_is_a_complete_reply_that_cannot_be_read(simulator, session):
    simulator.faults.next(faults.truncated())

    status, body, _ = await get(simulator, session)

    assert status == 200
    assert body.startswith(b'{\n    "data"')
    with pytest.raises(json.JSONDecodeError):
        json.loads(body)


async def test_wrong_types_stand_where_numbers_should(simulator, session):
    simulator.faults.next(faults.wrong_types())
    simulator.faults.next(faults.wrong_types({"last_analysis_stats": None}))

    _, first, _ = await get(simulator, session)
    _, second, _ = await get(simulator, session)

    assert json.loads(first)["data"]["attributes"]["last_analysis_date"] == "yesterday"
    assert json.loads(second)["data"]["attributes"]["last_analysis_stats"] is None


async def test_a_report_may_be_of_another_file(simulator, session):
    simulator.faults.next(faults.another_hash("f" * 64))

    _, body, _ = await get(simulator, session)

    assert json.loads(body)["data"]["id"] == "f" * 64
    assert json.loads(body)["data"]["attributes"]["sha256"] == "f" * 64


async def test_a_redirect_names_its_goal(simulator, session):
    simulator.faults.next(faults.redirect("http://127.0.0.1:9/elsewhere", 307))

    status, _, headers = await get(simulator, session, allow_redirects=False)

    assert (status, headers["Location"]) == (307, "http://127.0.0.1:9/elsewhere")


async def test_any_bytes_can_be_given_as_json(simulator, session):
    simulator.faults.next(faults.raw(b"\xff\x00", 200))

    assert (await get(simulator, session))[:2] == (200, b"\xff\x00")


async def test_a_drop_gives_no_byte_at_all(simulator, session):
    simulator.faults.next(faults.dropped(), times=2)

    with pytest.raises(aiohttp.ServerDisconnectedError):
        await get(simulator, session)

    assert [one.status for one in simulator.requests] == [None, None]


async def test_a_post_whose_connection_drops_comes_once(simulator, session):
    simulator.faults.next(faults.dropped())

    with pytest.raises(aiohttp.ServerDisconnectedError):
        await session.post(f"{simulator.url}{PATH}/analyse")

    assert [one.method for one in simulator.requests] == ["POST"]


async def test_an_answer_may_be_lost_when_the_deed_is_done(simulator, session):
    simulator.faults.next(faults.lost())

    with pytest.raises(aiohttp.ServerDisconnectedError):
        await session.post(f"{simulator.url}{PATH}/analyse")

    assert len(simulator.analyses) == 1


async def test_a_large_upload_gets_its_fault_without_being_read(simulator, session):
    form = aiohttp.FormData()
    form.add_field("file", io.BytesIO(bytes(20 * MIB)), filename="x")
    simulator.faults.next(faults.html(502), path="/files", method="POST")

    async with session.post(f"{simulator.url}/files", data=form) as answer:
        assert answer.status == 502
    assert simulator.uploads == []


async def test_a_break_in_the_middle_leaves_the_body_short(simulator, session):
    simulator.faults.next(faults.broken_off())

    with pytest.raises(aiohttp.ClientPayloadError):
        await get(simulator, session)


async def test_a_hanging_answer_never_comes_and_does_not_keep_the_server(simulator, session):
    simulator.faults.next(faults.hanging())

    with pytest.raises(TimeoutError):
        await get(simulator, session, timeout=aiohttp.ClientTimeout(0.05))
    status, _, _ = await get(simulator, session)

    assert status == 200
    assert simulator.requests[0].status is None


async def test_a_slow_answer_drips_by_the_clock(simulator, session, clock):
    simulator.faults.next(faults.slow_drip(10_000, 5.0))
    started = clock.monotonic()

    async with asyncio.timeout(5):
        answer = asyncio.gather(get(simulator, session))
        while not answer.done():
            await settle_loop()
            if clock.next_due is not None:
                await clock.advance(clock.next_due)
    ((status, body, headers),) = await answer

    assert status == 200
    assert json.loads(body)["data"]["type"] == "file"
    assert "Content-Length" not in headers
    assert clock.monotonic() - started == 5.0 * -(-len(body) // 10_000)


async def test_a_delay_is_after_the_count_and_repeatable(simulator, session, clock):
    async def delays(seed: int) -> list[float]:
        fault = faults.delayed(1.0, 2.0, seed=seed)
        waited = []
        for _ in range(3):
            simulator.faults.next(fault)
            before = clock.monotonic()
            answer = asyncio.gather(get(simulator, session))
            while not answer.done():
                await settle_loop()
                if clock.next_due is not None:
                    await clock.advance(clock.next_due)
            waited.append(clock.monotonic() - before)
            assert simulator.requests[-1].at == before
        return waited

    async with asyncio.timeout(5):
        first, again, other = await delays(1), await delays(1), await delays(2)

    assert first == pytest.approx(again)
    assert first != pytest.approx(other)
    assert all(1.0 <= one <= 3.0 for one in first)


async def test_another_fault_may_come_late(simulator, session, clock):
    simulator.faults.next(faults.late(30.0, faults.html(502)))
    answer = asyncio.gather(get(simulator, session))
    async with asyncio.timeout(5):
        while clock.next_due is None:
            await settle_loop()
        assert clock.next_due == 30.0
        await clock.advance(30.0)
        ((status, _, _),) = await answer

    assert status == 502


async def test_latency_on_the_way_there_is_before_the_count(simulator, session, clock):
    simulator.behave(latency=Latency(there=(2.0, 2.0), back=(3.0, 3.0)))
    sent = clock.monotonic()
    answer = asyncio.gather(get(simulator, session))
    async with asyncio.timeout(5):
        while not answer.done():
            await settle_loop()
            if clock.next_due is not None:
                await clock.advance(clock.next_due)

    assert simulator.requests[0].at == sent + 2.0
    assert clock.monotonic() == sent + 5.0


async def test_an_endless_body_can_be_left(simulator, session):
    simulator.faults.next(faults.oversized(512 * MIB))

    async with session.get(f"{simulator.url}{PATH}") as answer:
        beginning = await answer.content.readexactly(2 * MIB)
        answer.close()

    assert beginning.startswith(b'{"data": "xxx')


async def test_a_gzip_bomb_is_small_on_the_wire_and_correct(simulator):
    simulator.faults.next(faults.gzip_bomb(16 * MIB))
    headers = {"x-apikey": "k"}

    async with (
        aiohttp.ClientSession(headers=headers, auto_decompress=False) as session,
        session.get(f"{simulator.url}{PATH}") as answer,
    ):
        wire = await answer.read()

    assert answer.headers["Content-Encoding"] == "gzip"
    assert len(wire) < 16 * MIB / 100
    assert len(json.loads(gzip.decompress(wire))["data"]) == 16 * MIB


async def test_faults_cost_quota_like_any_request(simulator, session):
    simulator.faults.next(faults.html(502))
    await get(simulator, session)

    usage = simulator.accounts["k"].usage(simulator.clock.now())
    assert usage["api_requests_daily"]["used"] == 1
    assert simulator.requests[0].counted


@pytest.mark.parametrize("fault", [faults.wrong_types, faults.another_hash])
async def test_an_error_stays_as_it_is_where_a_report_was_to_be_spoilt(simulator, session, fault):
    simulator.forget(malicious(EICAR).sha256)
    simulator.faults.next(fault())

    status, body, _ = await get(simulator, session)

    assert status == 404
    assert json.loads(body)["error"]["code"] == "NotFoundError"
