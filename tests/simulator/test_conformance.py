"""The simulator answers VirusTotal's own Python client as VirusTotal does.

vt-py is the independent judge: it was written against the real service. Each test is one thing
that it must be able to do, or one way in which it is known to fail.
"""

import asyncio
import base64
import hashlib
import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import aiohttp
import pytest
import vt
import vt.client

from checkfirst.simulator import faults
from checkfirst.simulator.behaviour import MIB
from checkfirst.simulator.corpus import MARKER
from checkfirst.simulator.known import ANALYSED, pending_with_zeros, pending_without_stats
from checkfirst.simulator.server import Simulator
from tests.fakes.clock import FakeClock

SHA256 = "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f"
MD5 = "44d88612fea8a8f36de82e1278abb02f"
SHA1 = "3395856ce81f2b7382dee72602f798b642f14140"
NEW = b"a file that nobody has ever seen\n"


def host(simulator: Simulator) -> str:
    return simulator.url.removesuffix("/api/v3")


@asynccontextmanager
async def client_of(simulator: Simulator, key: str = "k", **options) -> AsyncIterator[vt.Client]:
    async with vt.Client(key, host=host(simulator), **options) as client:
        yield client


@pytest.fixture
async def client(simulator: Simulator) -> AsyncIterator[vt.Client]:
    async with client_of(simulator) as client:
        yield client


async def test_01_a_report_is_read_as_an_object_with_stats_and_an_aware_date(client):
    report = await client.get_object_async("/files/{}", SHA256)

    assert (report.id, report.type) == (SHA256, "file")
    assert report.last_analysis_stats["malicious"] == 62
    assert report.last_analysis_stats["type-unsupported"] == 9
    assert report.last_analysis_date == datetime.fromtimestamp(ANALYSED, UTC)
    assert len(report.last_analysis_results) == 73


@pytest.mark.parametrize("digest", [MD5, SHA1, SHA256.upper()])
async def test_02_any_of_the_three_hashes_finds_the_same_file(client, digest):
    report = await client.get_object_async("/files/{}", digest)

    assert report.id == SHA256
    assert (report.md5, report.sha1, report.size) == (MD5, SHA1, 68)


@pytest.mark.parametrize("digest", ["0" * 64, "None", "F" * 32])
async def test_03_an_unknown_file_is_not_found_under_the_id_as_it_was_sent(client, digest):
    with pytest.raises(vt.APIError) as caught:
        await client.get_object_async("/files/{}", digest)

    assert caught.value.args == ("NotFoundError", f'File "{digest}" not found')


async def test_04_a_missing_key_and_a_wrong_key_are_told_apart(simulator, client):
    async with client_of(simulator, "another key") as stranger:
        with pytest.raises(vt.APIError) as wrong:
            await stranger.get_object_async("/files/{}", SHA256)
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{simulator.url}/files/{SHA256}") as missing,
    ):
        missing_error = await client.get_error_async(vt.client.ClientResponse(missing))

    assert wrong.value.args == ("WrongCredentialsError", "Wrong API key")
    assert missing.status == 401
    assert missing_error.args == ("AuthenticationRequiredError", "X-Apikey header is missing")


async def test_05_the_fifth_request_in_a_minute_is_refused_without_a_retry_after():
    clock = FakeClock()
    async with (
        Simulator(keys=["k"], clock=clock).serve() as simulator,
        client_of(simulator) as client,
    ):
        for _ in range(4):
            await client.get_object_async("/files/{}", SHA256)
        with pytest.raises(vt.APIError) as caught:
            await client.get_object_async("/files/{}", SHA256)
        response = await client.get_async("/files/{}", SHA256)

    assert caught.value.args == ("QuotaExceededError", "Quota exceeded")
    assert response.status == 429
    assert "Retry-After" not in response.headers


async def test_06_an_upload_url_is_an_absolute_url(simulator, client):
    url = await client.get_data_async("/files/upload_url")

    assert url.startswith(f"{host(simulator)}/_ah/upload/")


async def test_07_a_scanned_file_arrives_whole_in_a_part_named_file(simulator, client):
    content = bytes(range(256)) * 5000

    analysis = await client.scan_file_async(io.BytesIO(content))

    assert analysis.type == "analysis"
    (upload,) = simulator.uploads
    assert upload.sha256 == hashlib.sha256(content).hexdigest()
    assert upload.content == content
    assert upload.disposition == 'form-data; name="file"; filename="unknown"'
    assert upload.key == "k"


async def test_08_an_upload_url_works_once(simulator, client):
    url = await client.get_data_async("/files/upload_url")
    answers = []
    for _ in range(2):
        form = aiohttp.FormData()
        form.add_field("file", NEW, filename="new")
        answers.append(await client._get_session().post(url, data=form))

    assert [answer.status for answer in answers] == [200, 404]
    assert len(simulator.uploads) == 1


class AsyncioWithoutNaps:
    """What vt.client sees as asyncio: its naps of 20 s pass on the simulator's clock."""

    def __init__(self, clock: FakeClock) -> None:
        self.naps: list[float] = []
        self._clock = clock

    def __getattr__(self, name: str) -> object:
        return getattr(asyncio, name)

    async def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        await self._clock.advance(seconds)


async def test_09_waiting_for_a_scan_sees_it_queued_then_in_progress_then_completed(
    simulator, client, monkeypatch
):
    naps = AsyncioWithoutNaps(simulator.clock)
    monkeypatch.setattr(vt.client, "asyncio", naps)
    simulator.behave(queued_seconds=10.0, in_progress_seconds=25.0)

    analysis = await client.scan_file_async(io.BytesIO(NEW + MARKER), wait_for_completion=True)

    assert naps.naps == [20, 20]
    assert analysis.status == "completed"
    assert analysis.stats["malicious"] == 62
    assert [one.path for one in simulator.requests[2:]] == [f"/api/v3/analyses/{analysis.id}"] * 3


async def test_09b_the_stages_of_an_analysis_are_empty_partial_and_whole(simulator, client):
    started = await client.scan_file_async(io.BytesIO(NEW + MARKER))
    seen = []
    for _ in range(3):
        analysis = await client.get_object_async("/analyses/{}", started.id)
        seen.append((analysis.status, len(analysis.results), analysis.stats["malicious"]))
        await simulator.clock.advance(20)

    assert seen == [("queued", 0, 0), ("in-progress", 36, 36), ("completed", 73, 62)]


async def test_10_a_text_is_no_file_to_scan(simulator, client):
    with pytest.raises(TypeError):
        await client.scan_file_async("a string")

    assert simulator.requests == []


async def test_11_an_analysis_has_its_meta_on_top_and_a_link_to_its_item(simulator, client):
    analysis = await client.scan_file_async(io.BytesIO(NEW))

    answer = await client.get_json_async("/analyses/{}", analysis.id)

    sha256 = hashlib.sha256(NEW).hexdigest()
    assert answer["meta"]["file_info"] == {
        "sha256": sha256,
        "sha1": hashlib.sha1(NEW).hexdigest(),
        "md5": hashlib.md5(NEW).hexdigest(),
        "size": len(NEW),
    }
    assert answer["data"]["links"]["item"] == f"{simulator.url}/files/{sha256}"
    assert "meta" not in answer["data"]


async def test_12_the_item_of_an_analysis_is_the_whole_file_object(simulator, client):
    analysis = await client.scan_file_async(io.BytesIO(NEW))
    await simulator.clock.advance(30)

    item = await client.get_object_async("/analyses/{}/item", analysis.id)

    assert (item.type, item.id) == ("file", hashlib.sha256(NEW).hexdigest())
    assert item.last_analysis_stats["undetected"] == 63
    assert item.last_analysis_stats["harmless"] == 0
    by_other_id = await client.get_object_async(
        "/analyses/{}/item", f"f-{item.id}-{int(item.last_analysis_date.timestamp())}"
    )
    assert by_other_id.id == item.id


async def test_13_a_new_scan_has_an_id_made_of_the_md5_and_the_time(simulator, client):
    response = await client.post_async(f"/files/{SHA256}/analyse")
    answer = await response.json_async()

    assert response.status == 200
    assert answer["data"]["type"] == "analysis"
    assert len(answer["data"]["id"]) == 60
    assert base64.b64decode(answer["data"]["id"]).decode() == (
        f"{MD5}:{int(simulator.clock.now())}"
    )


async def test_14_too_large_a_body_is_refused_with_a_page_of_html(simulator, client):
    form = aiohttp.FormData()
    form.add_field("file", io.BytesIO(bytes(32 * MIB + 1)), filename="large")
    response = await client.post_async("/files", data=form)
    error = await client.get_error_async(response)

    assert response.status == 413
    assert response.headers["Content-Type"].startswith("text/html")
    assert error.code == "ClientError"
    assert simulator.uploads == []


@pytest.mark.parametrize(
    ("code", "status"), [("TransientError", 503), ("DeadlineExceededError", 504)]
)
async def test_15_a_server_error_keeps_its_json(simulator, client, code, status):
    simulator.faults.next(faults.error(code))

    with pytest.raises(vt.APIError) as caught:
        await client.get_object_async("/files/{}", SHA256)

    assert caught.value.code == "ServerError"
    assert json.loads(caught.value.message)["error"]["code"] == code
    assert simulator.requests[-1].status == status


@pytest.mark.parametrize("fault", [faults.gzipped, faults.chunked])
async def test_16_compressed_and_chunked_answers_are_read_alike(simulator, client, fault):
    plain = await client.get_json_async("/files/{}", SHA256)
    simulator.faults.next(fault())

    assert await client.get_json_async("/files/{}", SHA256) == plain


@pytest.mark.parametrize(
    ("agent", "accepted", "encoding"),
    [
        ("somebody; gzip", "gzip", "gzip"),
        ("somebody", "gzip", None),
        ("somebody; gzip", "identity", None),
    ],
)
async def test_16b_answers_are_compressed_only_for_agents_that_say_gzip(
    simulator, agent, accepted, encoding
):
    headers = {"x-apikey": "k", "User-Agent": agent, "Accept-Encoding": accepted}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.get(f"{simulator.url}/files/{SHA256}") as answer,
    ):
        assert answer.headers.get("Content-Encoding") == encoding
        assert (await answer.json())["data"]["id"] == SHA256


async def test_17_a_get_whose_connection_drops_comes_a_second_time(simulator, client):
    simulator.faults.next(faults.dropped())

    report = await client.get_object_async("/files/{}", SHA256)

    assert report.id == SHA256
    assert [one.status for one in simulator.requests] == [None, 200]


async def test_18_the_quotas_have_allowed_and_used_for_hour_day_and_month():
    async with (
        Simulator(keys=["k"], clock=FakeClock()).serve() as simulator,
        client_of(simulator) as client,
    ):
        by_user = await client.get_data_async("/users/{}/overall_quotas", "user-0")
        by_key = await client.get_data_async("/users/{}/overall_quotas", "k")
        user = await client.get_object_async("/users/{}", "user-0")

    assert by_user == {
        "api_requests_hourly": {"user": {"allowed": 240, "used": 1}},
        "api_requests_daily": {"user": {"allowed": 500, "used": 1}},
        "api_requests_monthly": {"user": {"allowed": 15500, "used": 1}},
    }
    assert by_key["api_requests_daily"]["user"]["used"] == 2
    assert user.quotas["api_requests_daily"] == {"allowed": 500, "used": 3}


async def test_19_a_file_without_a_finished_analysis_has_no_date_and_no_numbers(simulator, client):
    without, zeros = pending_without_stats(b"one"), pending_with_zeros(b"two")
    simulator.add(without, zeros)

    first = await client.get_object_async("/files/{}", without.sha256)
    second = await client.get_object_async("/files/{}", zeros.sha256)

    assert first.get("last_analysis_stats") is None
    assert set(second.last_analysis_stats.values()) == {0}
    assert len(second.last_analysis_stats) == 8
    assert [one.get("last_analysis_date") for one in (first, second)] == [None, None]
    assert [one.get("last_analysis_results") for one in (first, second)] == [{}, {}]


async def test_20_an_error_without_an_error_is_a_client_error(simulator, client):
    simulator.faults.next(faults.json_body({"data": "no error here"}, 400))

    with pytest.raises(vt.APIError) as caught:
        await client.get_object_async("/files/{}", SHA256)

    assert caught.value.code == "ClientError"
