"""The routes of the API and what stands before each: the log, the faults, the key, the quota."""

from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from checkfirst.simulator import payload
from checkfirst.simulator.clock import Clock
from checkfirst.simulator.plan import Exchange, Plan
from checkfirst.simulator.quota import Account
from checkfirst.simulator.replies import accepts_gzip, error_reply, html_reply, json_reply
from checkfirst.simulator.requests import Request, RequestLog
from checkfirst.simulator.state import Analysis, World
from checkfirst.simulator.upload import NoFileError, TooLargeError, receive

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
UPLOADS = "/_ah/upload/"


class Api:
    """One service's HTTP side."""

    def __init__(
        self,
        world: World,
        accounts: Mapping[str, Account],
        log: RequestLog,
        faults: Plan,
        clock: Clock,
        on_answer: Callable[[Request], None],
    ) -> None:
        """`accounts` by key; `on_answer` is told of each request when it is over."""
        self._world = world
        self._accounts = accounts
        self._log = log
        self._faults = faults
        self._clock = clock
        self._on_answer = on_answer

    def application(self) -> web.Application:
        """What aiohttp serves."""
        app = web.Application(middlewares=[self._exchange])
        app.add_routes(
            [
                web.get("/api/v3/files/upload_url", self._upload_url),
                web.get("/api/v3/files/{id}", self._file),
                web.post("/api/v3/files", self._upload),
                web.post(f"{UPLOADS}{{token}}", self._large_upload),
                web.post("/api/v3/files/{id}/analyse", self._analyse),
                web.get("/api/v3/analyses/{id}", self._analysis),
                web.get("/api/v3/analyses/{id}/item", self._item),
                web.get("/api/v3/users/{id}/overall_quotas", self._overall_quotas),
                web.get("/api/v3/users/{id}", self._user),
            ]
        )
        return app

    @web.middleware
    async def _exchange(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        latency = self._world.behaviour.latency
        await latency.there(self._clock)
        key = request.headers.get("x-apikey")
        entry, granted = self._arrived(request, key)

        async def answer() -> web.Response:
            reply = self._refusal(request, key, granted=granted) or await _routed(request, handler)
            if accepts_gzip(request.headers):
                reply.enable_compression(web.ContentCoding.gzip)
            return reply

        fault = self._faults.take(request.method, request.path)
        try:
            if fault is None:
                reply: web.StreamResponse | None = await answer()
            else:
                reply = await fault(Exchange(request, key, self._clock, answer))
            if reply is None:
                # The connection is closed; aiohttp wants something that it can fail to send.
                return web.Response()
            await latency.back(self._clock)
            entry.status = reply.status
            return reply
        finally:
            self._on_answer(entry)

    def _arrived(self, request: web.Request, key: str | None) -> tuple[Request, bool]:
        now, monotonic = self._clock.now(), self._clock.monotonic()
        behaviour = self._world.behaviour
        account = self._accounts.get(key or self._owner(request) or "")
        counted = account is not None and behaviour.counts(request.method, request.path)
        granted = True
        if account is not None and counted:
            granted = account.take(now, monotonic, refused_counts=behaviour.refused_counts)
        entry = Request(
            at=monotonic,
            time=now,
            method=request.method,
            path=request.path,
            key=key,
            headers=dict(request.headers),
            counted=counted,
        )
        self._log.entries.append(entry)
        return entry, granted

    def _owner(self, request: web.Request) -> str | None:
        """Whoever asked for the upload URL; the URL itself is permission enough."""
        if not request.path.startswith(UPLOADS):
            return None
        return self._world.owner_of(request.path.removeprefix(UPLOADS))

    def _refusal(
        self, request: web.Request, key: str | None, *, granted: bool
    ) -> web.Response | None:
        behaviour = self._world.behaviour
        if key is None and not request.path.startswith(UPLOADS):
            return error_reply("AuthenticationRequiredError")
        if key is not None and key not in self._accounts:
            echo = f"Wrong API key: {key}" if behaviour.echoes_wrong_key else None
            return error_reply("WrongCredentialsError", echo)
        if key is not None and not self._accounts[key].active:
            return error_reply("UserNotActiveError")
        if not granted:
            wait = behaviour.retry_after
            headers = {} if wait is None else {"Retry-After": str(wait)}
            return error_reply("QuotaExceededError", headers=headers)
        return None

    async def _file(self, request: web.Request) -> web.Response:
        file = self._world.find(request.match_info["id"])
        if file is None:
            return _unknown("File", request)
        return json_reply(payload.file_object(file, _api(request)))

    async def _upload_url(self, request: web.Request) -> web.Response:
        token = self._world.new_upload_url(request.headers.get("x-apikey"))
        return json_reply({"data": f"{request.url.origin()}{UPLOADS}{token}"})

    async def _upload(self, request: web.Request) -> web.Response:
        return await self._receive(request, self._world.behaviour.small_upload_bytes)

    async def _large_upload(self, request: web.Request) -> web.Response:
        if not self._world.spend_upload_url(request.match_info["token"]):
            # That a URL works once is documented, what a second use gets is not.
            return html_reply(404, "Not Found")
        return await self._receive(request, self._world.behaviour.large_upload_bytes)

    async def _receive(self, request: web.Request, at_most_bytes: int) -> web.Response:
        try:
            upload = await receive(
                request,
                at_most_bytes=at_most_bytes,
                kept_bytes=self._world.behaviour.kept_bytes,
                key=request.headers.get("x-apikey"),
            )
        except TooLargeError:
            return html_reply(
                413,
                "<h1>413. That is an error.</h1>Your client issued a request that was too large.",
            )
        except NoFileError:
            return error_reply("BadRequestError", "Missing file")
        analysis = self._world.take_in(upload)
        return json_reply(payload.analysis_descriptor(analysis, _api(request)))

    async def _analyse(self, request: web.Request) -> web.Response:
        file = self._world.find(request.match_info["id"])
        if file is None:
            return _unknown("File", request)
        analysis = self._world.analyse(file)
        return json_reply(payload.analysis_descriptor(analysis, _api(request)))

    async def _analysis(self, request: web.Request) -> web.Response:
        analysis = self._found(request)
        if analysis is None:
            return _unknown("Analysis", request)
        now = self._clock.monotonic()
        return json_reply(payload.analysis_object(analysis, now, _api(request)))

    async def _item(self, request: web.Request) -> web.Response:
        analysis = self._found(request)
        file = analysis and self._world.find(analysis.result.sha256)
        if not file:
            return _unknown("Analysis", request)
        return json_reply(payload.file_object(file, _api(request)))

    def _found(self, request: web.Request) -> Analysis | None:
        return self._world.find_analysis(request.match_info["id"])

    async def _user(self, request: web.Request) -> web.Response:
        account = self._own_account(request)
        if account is None:
            return error_reply("ForbiddenError")
        usage = account.usage(self._clock.now())
        return json_reply(payload.user_object(account.user, usage, _api(request)))

    async def _overall_quotas(self, request: web.Request) -> web.Response:
        account = self._own_account(request)
        if account is None:
            return error_reply("ForbiddenError")
        return json_reply(payload.overall_quotas(account.usage(self._clock.now())))

    def _own_account(self, request: web.Request) -> Account | None:
        key = request.headers.get("x-apikey", "")
        account = self._accounts.get(key)
        return account if account and request.match_info["id"] in (key, account.user) else None


async def _routed(request: web.Request, handler: Handler) -> web.Response:
    try:
        reply = await handler(request)
    except web.HTTPNotFound:
        return error_reply("NotFoundError")
    except web.HTTPMethodNotAllowed:
        return error_reply("BadRequestError", "Method not allowed", status=405)
    if not isinstance(reply, web.Response):
        raise TypeError("every route gives a whole reply")
    return reply


def _unknown(kind: str, request: web.Request) -> web.Response:
    """The id stands in the message as it was sent, whatever it is; junk is just not found."""
    return error_reply("NotFoundError", f'{kind} "{request.match_info["id"]}" not found')


def _api(request: web.Request) -> str:
    return f"{request.url.origin()}/api/v3"
