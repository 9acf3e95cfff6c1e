"""The VirusTotal API over HTTP: each method sends exactly one request, or none.

Whatever goes wrong comes back as a Failure; nothing is tried again here, and nothing is logged.
Quotas, queues and verdicts are not known here.
"""

import asyncio
from collections.abc import Callable
from urllib.parse import quote

import aiohttp
from pydantic import SecretStr
from yarl import URL

from checkfirst.errors import CheckfirstError
from checkfirst.sources.virustotal.body import Body
from checkfirst.sources.virustotal.events import OnEvent, Sending, nobody_listens
from checkfirst.sources.virustotal.place import is_virustotals, may_receive
from checkfirst.sources.virustotal.replies import (
    MOST_BYTES,
    Answered,
    message,
    read_analysis,
    read_quotas,
    read_report,
    read_upload,
    read_upload_url,
)
from checkfirst.sources.virustotal.reply import (
    Allowed,
    AnalysisStatus,
    Descriptor,
    Failure,
    FailureKind,
    NotKnown,
    Reach,
    Report,
    UploadUrl,
)
from checkfirst.sources.virustotal.session import SecondRequestError, new_session, only_once

ANSWER_TO_UPLOAD = 4.0
"""After an upload the answer may take so many time-outs: some MB may still be on their way."""


class Client:
    """Speaks to one API with one key, which is asked for anew at every request."""

    def __init__(
        self,
        url: str,
        key: Callable[[], SecretStr | None],
        timeout_seconds: float,
        make_session: Callable[[], aiohttp.ClientSession] = new_session,
        on_event: OnEvent = nobody_listens,
    ) -> None:
        """`key` is called in a thread, as it may read a file or ask a keyring."""
        self._on_event = on_event
        self._url = url
        self._key = key
        self._timeout = timeout_seconds
        self._make_session = make_session
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Let go of the session; the next request makes a new one."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def report(self, sha256: str) -> Report | NotKnown | Failure:
        """GET /files/{sha256}."""
        answered = await self._get(f"/files/{sha256}")
        if isinstance(answered, Failure):
            return answered
        own = is_virustotals(self._url)
        return await asyncio.to_thread(read_report, answered, sha256, is_virustotals=own)

    async def analysis(self, analysis_id: str, sha256: str) -> AnalysisStatus | NotKnown | Failure:
        """GET /analyses/{id}, which must be about `sha256`."""
        answered = await self._get(f"/analyses/{quote(analysis_id, safe='')}")
        if isinstance(answered, Failure):
            return answered
        return await asyncio.to_thread(read_analysis, answered, analysis_id, sha256)

    async def upload_url(self) -> UploadUrl | Failure:
        """GET /files/upload_url, for one file that is too large for POST /files."""
        answered = await self._get("/files/upload_url")
        if isinstance(answered, Failure):
            return answered
        reply = read_upload_url(answered)
        if isinstance(reply, UploadUrl) and not may_receive(reply.url, self._url):
            return _untrusted()
        return reply

    async def quotas(self, account: str) -> Allowed | NotKnown | Failure:
        """GET /users/{account}/overall_quotas. The key would do for an id, but not in a path."""
        answered = await self._get(f"/users/{quote(account, safe='')}/overall_quotas")
        return answered if isinstance(answered, Failure) else read_quotas(answered)

    async def upload(
        self, descriptor: int, sha256: str, size: int, url: str | None = None
    ) -> Descriptor | Failure:
        """POST the open file to `url`, which is POST /files unless an upload URL is given.

        It may take as long as it goes on; a piece that is not taken within the time-out ends it.
        """
        target = url or f"{self._url}/files"
        if not may_receive(target, self._url):
            return _untrusted()
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._timeout) as limit:

                def progress(sent: int, *, done: bool) -> None:
                    self._on_event(Sending(sha256, sent))
                    allowed = self._timeout * (ANSWER_TO_UPLOAD if done else 1.0)
                    limit.reschedule(loop.time() + allowed)

                body = Body(descriptor, sha256, size, progress)
                answered = await self._send("POST", target, aiohttp.ClientTimeout(), body)
        except TimeoutError:
            text = f"nothing moved for {self._timeout:g} seconds"
            return Failure(FailureKind.RETRY, "Timeout", text, Reach.SENT)
        if body.changed:
            text = "it changed while it was being submitted"
            return Failure(FailureKind.CHANGED, "Changed", text, Reach.SENT)
        return answered if isinstance(answered, Failure) else read_upload(answered)

    async def _get(self, path: str) -> Answered | Failure:
        limits = aiohttp.ClientTimeout(
            total=self._timeout, sock_connect=self._timeout, sock_read=self._timeout
        )
        try:
            async with asyncio.timeout(self._timeout):  # the key may be slow to come as well
                return await self._send("GET", self._url + path, limits)
        except TimeoutError:
            return Failure(FailureKind.RETRY, "Timeout", "no answer in time", Reach.SENT)

    async def _send(
        self, method: str, url: str, limits: aiohttp.ClientTimeout, body: Body | None = None
    ) -> Answered | Failure:
        key = await self._secret()
        if isinstance(key, Failure):
            return key
        headers = {"x-apikey": key}
        if body is not None:
            headers |= {"Content-Type": body.content_type, "Content-Length": str(body.length)}
        if self._session is None:
            self._session = self._make_session()
        try:
            async with self._session.request(
                method,
                URL(url, encoded=True),
                headers=headers,
                data=None if body is None else body.pieces(),
                allow_redirects=False,
                timeout=limits,
                middlewares=(only_once(),),
            ) as response:
                return Answered(
                    response.status,
                    response.headers.get("Content-Type", ""),
                    await _bounded(response),
                    response.headers.get("Retry-After", ""),
                    key,
                )
        except (aiohttp.ClientError, OSError) as error:  # a TimeoutError is an OSError
            return _failed(error, key)

    async def _secret(self) -> str | Failure:
        try:
            key = await asyncio.to_thread(self._key)
        except CheckfirstError as error:
            return Failure(FailureKind.KEY_REFUSED, "NoKey", message(str(error)), Reach.UNSENT)
        text = key.get_secret_value().strip() if key else ""
        if not text:
            return Failure(FailureKind.KEY_REFUSED, "NoKey", "there is no API key", Reach.UNSENT)
        if not all("!" <= character <= "~" for character in text):
            words = "the API key has characters that no key has"
            return Failure(FailureKind.KEY_REFUSED, "NoKey", words, Reach.UNSENT)
        return text


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    """Read the unpacked body, up to one piece more than is accepted."""
    body = bytearray()
    async for piece in response.content.iter_any():
        body += piece
        if len(body) > MOST_BYTES:
            response.close()
            break
    return bytes(body)


def _untrusted() -> Failure:
    text = "VirusTotal names a place for the upload that is not its own; nothing is sent there"
    return Failure(FailureKind.REFUSED, "UntrustedPlace", text, Reach.UNSENT)


def _failed(error: Exception, key: str) -> Failure:
    """Say what happened. Only known words are used: an error's own text may hold the headers."""
    if isinstance(error, SecondRequestError) and error.args:
        error = error.args[0]
    unsent = isinstance(
        error,
        aiohttp.ClientConnectorError
        | aiohttp.ClientHttpProxyError
        | aiohttp.ConnectionTimeoutError,
    )
    return Failure(
        FailureKind.RETRY,
        type(error).__name__,
        message(_words(error), key),
        Reach.UNSENT if unsent else Reach.SENT,
    )


def _words(error: Exception) -> str:  # noqa: PLR0911  (a table)
    match error:
        case aiohttp.ClientConnectorDNSError():
            return "the name of the server cannot be resolved"
        case aiohttp.ClientConnectorCertificateError():
            return "the certificate of the server is not trusted"
        case aiohttp.ClientHttpProxyError():
            return f"the proxy refuses with HTTP status {error.status}"
        case TimeoutError():
            return "no answer in time"
        case aiohttp.ClientConnectorError():
            return error.os_error.strerror or "no connection"
        case aiohttp.ServerDisconnectedError() | ConnectionError():
            return "the connection was closed"
        case aiohttp.ClientPayloadError():
            return "the answer broke off"
        case _:
            return f"no usable answer ({type(error).__name__})"
