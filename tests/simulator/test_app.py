import asyncio
import hashlib
import json

import aiohttp
import pytest

from checkfirst.simulator.behaviour import all_but_uploads
from checkfirst.simulator.corpus import EICAR
from checkfirst.simulator.known import clean, malicious
from checkfirst.simulator.payload import gui_analysis, gui_file
from checkfirst.simulator.quota import Account, Limits
from checkfirst.simulator.server import Simulator

EICAR_SHA256 = malicious(EICAR).sha256


def form(content: bytes, name: str = "f" * 64, **fields: str) -> aiohttp.FormData:
    made = aiohttp.FormData()
    for field, value in fields.items():
        made.add_field(field, value)
    made.add_field("file", content, filename=name, content_type="application/octet-stream")
    return made


async def test_headers_and_indentation_are_those_of_the_recordings(simulator, session):
    async with session.get(f"{simulator.url}/files/{EICAR_SHA256}") as answer:
        body = await answer.read()

    assert set(answer.headers) == {
        "Cache-Control",
        "Content-Type",
        "X-Cloud-Trace-Context",
        "Date",
        "Server",
        "Content-Length",
    }
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert answer.headers["Server"] == "Google Frontend"
    assert len(answer.headers["X-Cloud-Trace-Context"]) == 32
    assert body == json.dumps(json.loads(body), indent=4).encode()
    assert json.loads(body)["data"]["links"]["self"].endswith(f"/api/v3/files/{EICAR_SHA256}")
    assert "meta" not in json.loads(body)


async def test_a_spent_quota_answers_the_98_recorded_bytes(session, clock):
    simulator = Simulator(keys=["k"], limits=Limits(0, 1, 0), clock=clock)
    async with simulator.serve():
        url = f"{simulator.url}/files/{EICAR_SHA256}"
        first, second = await session.get(url), await session.get(url)
        body = await second.read()
        simulator.behave(retry_after=60)
        third = await session.get(url)

    assert (first.status, second.status) == (200, 429)
    assert len(body) == 98
    assert "Retry-After" not in second.headers
    assert third.headers["Retry-After"] == "60"


async def test_the_day_and_the_month_turn_with_the_clock(session, clock):
    simulator = Simulator(keys=["k"], limits=Limits(0, 1, 0), clock=clock)
    clock.jump(1_795_564_799 - clock.now())  # 2026-11-24 23:59:59 UTC
    async with simulator.serve():
        url = f"{simulator.url}/files/{EICAR_SHA256}"
        before = [(await session.get(url)).status for _ in range(2)]
        clock.jump(1)
        after = [(await session.get(url)).status for _ in range(2)]

    assert (before, after) == ([200, 429], [200, 429])


async def test_each_key_has_a_quota_of_its_own(session, clock):
    simulator = Simulator(
        keys={"k": Account("one", Limits(1, 0, 0)), "other": Account("two", Limits(1, 0, 0))},
        clock=clock,
    )
    async with simulator.serve():
        url = f"{simulator.url}/files/{EICAR_SHA256}"
        other = {"x-apikey": "other"}
        statuses = [
            (await session.get(url)).status,
            (await session.get(url)).status,
            (await session.get(url, headers=other)).status,
        ]

    assert statuses == [200, 429, 200]
    assert simulator.most_in_any_window(60, "k") == 2
    assert simulator.most_in_any_window(60) == 3


async def test_uploads_can_be_made_to_cost_nothing(session, clock):
    simulator = Simulator(keys=["k"], limits=Limits(1, 0, 0), clock=clock)
    simulator.behave(counts=all_but_uploads)
    async with simulator.serve():
        statuses = []
        for _ in range(3):
            url = (await (await session.get(f"{simulator.url}/files/upload_url")).json())["data"]
            statuses.append((await session.post(url, data=form(b"x"))).status)
        statuses.append((await session.post(f"{simulator.url}/files", data=form(b"x"))).status)
        lookups = [(await session.get(f"{simulator.url}/files/{'0' * 64}")).status for _ in "12"]

    assert statuses == [200] * 4
    assert lookups == [404, 429]
    assert [one.counted for one in simulator.requests] == [False] * 7 + [True] * 2


async def test_a_wrong_key_may_be_echoed_and_costs_nobody_anything(simulator, session):
    simulator.behave(echoes_wrong_key=True)
    wrong = {"x-apikey": "nonsense"}
    async with session.get(f"{simulator.url}/files/x", headers=wrong) as answer:
        body = await answer.json()

    assert (answer.status, body["error"]["message"]) == (401, "Wrong API key: nonsense")
    assert not simulator.requests[0].counted


async def test_an_account_may_be_inactive(simulator, session):
    simulator.accounts["k"].active = False
    async with session.get(f"{simulator.url}/files/x") as answer:
        assert answer.status == 401
        assert (await answer.json())["error"]["code"] == "UserNotActiveError"


async def test_a_small_upload_is_recorded_with_its_name_and_fields(simulator, session):
    name, content = "secret.pdf", b"%PDF-" + bytes(5000)
    sent = form(content, name, password="infected", unheard_of="yes")
    async with session.post(f"{simulator.url}/files", data=sent) as answer:
        body = await answer.json()

    (upload,) = simulator.uploads
    assert upload.file_name == name
    assert "secret.pdf" in upload.disposition
    assert upload.fields == {"password": "infected", "unheard_of": "yes"}
    assert (upload.size, upload.content) == (len(content), content)
    assert upload.sha1 == hashlib.sha1(content).hexdigest()
    assert (upload.via, upload.key) == ("/api/v3/files", "k")
    assert set(body["data"]) == {"type", "id", "links"}
    assert body["data"]["links"]["self"] == f"{simulator.url}/analyses/{body['data']['id']}"


async def test_only_the_beginning_of_an_upload_is_kept(simulator, session):
    simulator.behave(kept_bytes=10)
    await session.post(f"{simulator.url}/files", data=form(b"0123456789abcdef"))

    (upload,) = simulator.uploads
    assert (upload.content, upload.size) == (b"0123456789", 16)
    assert upload.sha256 == hashlib.sha256(b"0123456789abcdef").hexdigest()


PASSWORD_ONLY = b'--b\r\nContent-Disposition: form-data; name="password"\r\n\r\nx\r\n--b--\r\n'


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("text/plain", b"no form"),
        ("application/x-www-form-urlencoded", b"password=x"),
        ("multipart/form-data", PASSWORD_ONLY),
        ("multipart/form-data; boundary=b", PASSWORD_ONLY),
        ("multipart/form-data; boundary=other", PASSWORD_ONLY),
        ("multipart/form-data; boundary=b", b""),
    ],
)
async def test_a_form_without_a_file_is_a_bad_request(simulator, session, kind, data):
    headers = {"Content-Type": kind}
    answer = await session.post(f"{simulator.url}/files", data=data, headers=headers)

    assert answer.status == 400
    assert (await answer.json())["error"]["code"] == "BadRequestError"


async def test_an_upload_beyond_either_limit_gets_a_page_of_html(simulator, session):
    simulator.behave(small_upload_bytes=1000, large_upload_bytes=2000)
    url = (await (await session.get(f"{simulator.url}/files/upload_url")).json())["data"]

    small = await session.post(f"{simulator.url}/files", data=form(bytes(1000)))
    large = await session.post(url, data=form(bytes(2000)))
    url = (await (await session.get(f"{simulator.url}/files/upload_url")).json())["data"]
    fits = await session.post(url, data=form(bytes(1000)))

    assert (small.status, large.status, fits.status) == (413, 413, 200)
    assert small.content_type == large.content_type == "text/html"


async def test_an_upload_without_a_length_is_counted_as_it_comes(simulator, session):
    simulator.behave(small_upload_bytes=1000)

    async def pieces():
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n'
        for _ in range(20):
            yield bytes(100)
        yield b"\r\n--b--\r\n"

    kind = {"Content-Type": "multipart/form-data; boundary=b"}
    answer = await session.post(f"{simulator.url}/files", data=pieces(), headers=kind)

    assert answer.status == 413


async def test_an_upload_url_needs_no_key_and_is_paid_by_its_owner(simulator, session):
    url = (await (await session.get(f"{simulator.url}/files/upload_url")).json())["data"]
    async with aiohttp.ClientSession() as stranger:
        answer = await stranger.post(url, data=form(b"content"))

    assert answer.status == 200
    assert simulator.requests[-1].key is None
    assert simulator.requests[-1].counted


async def test_a_scan_of_an_unknown_file_and_an_unknown_analysis_are_not_found(simulator, session):
    for method, path, message in (
        ("POST", f"/files/{'0' * 64}/analyse", f'File "{"0" * 64}" not found'),
        ("GET", "/analyses/abc", 'Analysis "abc" not found'),
        ("GET", "/analyses/abc/item", 'Analysis "abc" not found'),
        ("GET", "/no/such/thing", "Resource not found"),
    ):
        async with session.request(method, f"{simulator.url}{path}") as answer:
            body = await answer.json()
        assert answer.status == 404
        assert body == {"error": {"message": message, "code": "NotFoundError"}}


async def test_an_analysis_is_found_by_its_id_with_the_equals_signs_escaped(simulator, session):
    answer = await session.post(f"{simulator.url}/files/{EICAR_SHA256}/analyse")
    analysis_id = (await answer.json())["data"]["id"]
    escaped = analysis_id.replace("=", "%3D")
    assert escaped != analysis_id

    for one in (analysis_id, escaped):
        async with session.get(f"{simulator.url}/analyses/{one}") as found:
            assert (await found.json())["data"]["id"] == analysis_id


async def test_a_method_that_a_path_does_not_have_is_no_crash(simulator, session):
    async with session.delete(f"{simulator.url}/files/x") as answer:
        assert answer.status == 405
        assert (await answer.json())["error"]["code"] == "BadRequestError"


async def test_a_client_that_leaves_in_the_middle_of_an_upload_leaves_nothing(simulator, session):
    left = asyncio.Event()

    async def pieces():
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n'
        yield bytes(100)
        left.set()
        await asyncio.Event().wait()

    kind = {"Content-Type": "multipart/form-data; boundary=b"}
    async with asyncio.TaskGroup() as group:
        sending = group.create_task(
            session.post(f"{simulator.url}/files", data=pieces(), headers=kind)
        )
        await left.wait()
        sending.cancel()

    async with session.get(f"{simulator.url}/files/{EICAR_SHA256}") as answer:
        assert answer.status == 200
    assert simulator.uploads == []
    assert simulator.requests[0].status is None


async def test_a_knob_that_does_not_exist_cannot_be_turned(simulator):
    with pytest.raises(TypeError):
        simulator.behave(colour="red")


async def test_nobody_sees_the_quota_of_others(simulator, session):
    for path in ("/users/somebody", "/users/somebody/overall_quotas"):
        async with session.get(f"{simulator.url}{path}") as answer:
            assert answer.status == 403


async def test_files_can_be_added_and_forgotten_while_serving(simulator, session):
    file = clean(b"new")
    url = f"{simulator.url}/files/{file.sha256}"

    statuses = [(await session.get(url)).status]
    simulator.add(file)
    statuses.append((await session.get(url)).status)
    simulator.forget(file.sha256)
    statuses.append((await session.get(url)).status)

    assert statuses == [404, 200, 404]


def test_links_for_people_lead_to_virustotal():
    assert gui_file("abc") == "https://www.virustotal.com/gui/file/abc"
    assert gui_analysis("xyz==") == "https://www.virustotal.com/gui/file-analysis/xyz=="
