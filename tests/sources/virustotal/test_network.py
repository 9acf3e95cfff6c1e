"""What lies between us and VirusTotal: certificates, proxies, redirects, slowness. Real sockets."""

import asyncio
import contextlib
import hashlib
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from checkfirst.simulator import corpus, faults
from checkfirst.sources.virustotal.client import Client
from checkfirst.sources.virustotal.reply import Failure, FailureKind, Reach, Report

EICAR = hashlib.sha256(corpus.EICAR).hexdigest()
KEY = "0123456789abcdef" * 4


@contextlib.asynccontextmanager
async def client_of(url: str, seconds: float = 5.0) -> AsyncIterator[Client]:
    client = Client(url, lambda: SecretStr(KEY), seconds)
    try:
        yield client
    finally:
        await client.close()


@contextlib.asynccontextmanager
async def serving(handle, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server in this loop; gives its port."""

    async def guarded(reader, writer):
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await handle(reader, writer)
        writer.close()

    server = await asyncio.start_server(guarded, "127.0.0.1", ssl=tls)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.fixture
def self_signed(tmp_path) -> ssl.SSLContext:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("makes its certificate with openssl")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost"
    subprocess.run(
        [openssl, *words.split(), "-keyout", key, "-out", certificate],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


async def test_a_certificate_that_nobody_vouches_for_gets_no_key(self_signed):
    heard = bytearray()

    async def listen(reader, _writer):
        heard.extend(await reader.read(65536))

    async with (
        serving(listen, self_signed) as port,
        client_of(f"https://localhost:{port}/api/v3") as client,
    ):
        reply = await client.report(EICAR)
    assert isinstance(reply, Failure)
    assert (reply.kind, reply.reach) == (FailureKind.RETRY, Reach.UNSENT)
    assert reply.message == "the certificate of the server is not trusted"
    assert heard == b""


async def test_a_server_that_speaks_no_tls_gets_no_key():
    heard = bytearray()

    async def listen(reader, writer):
        heard.extend(await reader.read(65536))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    async with serving(listen) as port, client_of(f"https://localhost:{port}/api/v3") as client:
        reply = await client.report(EICAR)
    assert isinstance(reply, Failure)
    assert (reply.kind, reply.reach) == (FailureKind.RETRY, Reach.UNSENT)
    assert KEY.encode() not in heard


async def test_a_name_that_cannot_be_resolved_is_said_to_be_one():
    async with client_of("https://nobody.invalid/api/v3") as client:
        reply = await client.report(EICAR)
    assert isinstance(reply, Failure)
    assert reply.message == "the name of the server cannot be resolved"
    assert reply.reach is Reach.UNSENT


class Proxy:
    """Passes on plain requests; refuses tunnels with a status."""

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.heads: list[bytes] = []

    async def __call__(self, reader, writer) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.heads.append(head)
        if self.status != 200 or head.startswith(b"CONNECT"):
            writer.write(b"HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n" % self.status)
            await writer.drain()
            return
        method, target, rest = head.split(b" ", 2)
        _, _, address = target.partition(b"://")
        place, _, path = address.partition(b"/")
        host, _, port = place.decode().partition(":")
        there, back = await asyncio.open_connection(host, int(port))
        back.write(b"%b /%b %b" % (method, path, rest))
        while piece := await there.read(65536):
            writer.write(piece)
            await writer.drain()
        back.close()


def use_proxy(monkeypatch, port: int) -> None:
    for name in ("NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{port}")


async def test_a_proxy_of_the_environment_is_used(simulator, monkeypatch):
    proxy = Proxy()
    async with serving(proxy) as port:
        use_proxy(monkeypatch, port)
        client = Client(simulator.url, lambda: SecretStr("k"), 5.0)
        reply = await client.report(EICAR)
        await client.close()
    assert isinstance(reply, Report)
    assert len(proxy.heads) == len(simulator.requests) == 1
    assert proxy.heads[0].startswith(f"GET {simulator.url}/files/".encode())


async def test_a_proxy_that_refuses_a_tunnel_gets_no_key(monkeypatch):
    proxy = Proxy(status=407)
    async with serving(proxy) as port:
        use_proxy(monkeypatch, port)
        async with client_of("https://www.virustotal.com/api/v3") as client:
            reply = await client.report(EICAR)
    assert isinstance(reply, Failure)
    assert (reply.kind, reply.reach) == (FailureKind.RETRY, Reach.UNSENT)
    assert reply.message == "the proxy refuses with HTTP status 407"
    assert [head.split(b" ")[0] for head in proxy.heads] == [b"CONNECT"]
    assert KEY.encode() not in proxy.heads[0]


async def test_a_proxy_that_is_not_there_is_no_answer(monkeypatch):
    use_proxy(monkeypatch, 9)
    async with client_of("https://www.virustotal.com/api/v3") as client:
        reply = await client.report(EICAR)
    assert isinstance(reply, Failure)
    assert (reply.kind, reply.reach) == (FailureKind.RETRY, Reach.UNSENT)


async def test_a_proxys_page_of_refusal_is_no_answer(simulator, monkeypatch):
    proxy = Proxy(status=404)
    async with serving(proxy) as port:
        use_proxy(monkeypatch, port)
        async with client_of(simulator.url) as client:
            reply = await client.report(EICAR)
    assert isinstance(reply, Failure)
    assert reply.kind is FailureKind.RETRY
    assert simulator.requests == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed_and_the_key_goes_nowhere_else(simulator, status):
    heard = bytearray()

    async def listen(reader, _writer):
        heard.extend(await reader.read(65536))

    async with serving(listen) as port:
        simulator.faults.always(faults.redirect(f"http://127.0.0.1:{port}/", status))
        async with client_of(simulator.url) as client:
            reply = await client.report(EICAR)
    assert isinstance(reply, Failure)
    assert reply.kind is FailureKind.RETRY
    assert heard == b""
    assert len(simulator.requests) == 1


async def test_an_answer_that_drips_is_given_up_after_the_time_out(simulator):
    simulator.faults.always(faults.slow_drip(1, pause_seconds=0.05))
    async with client_of(simulator.url, seconds=0.4) as client:
        reply = await client.report(EICAR)
    assert isinstance(reply, Failure)
    assert (reply.kind, reply.code, reply.reach) == (FailureKind.RETRY, "Timeout", Reach.SENT)


async def test_an_answer_that_drips_within_the_time_out_is_read(simulator):
    simulator.faults.always(faults.slow_drip(4000, pause_seconds=0.01))
    client = Client(simulator.url, lambda: SecretStr("k"), 20.0)
    reply = await client.report(EICAR)
    await client.close()
    assert isinstance(reply, Report)
