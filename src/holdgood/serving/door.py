"""The door: an ASGI application that admits requests and hands them to handlers.

Host, route, token, rate and size are looked at in this order, before a byte of the body is parsed. Whatever goes wrong becomes a
refusal in the three parts of every error; a fault of ours is told in general words and logged without values.

Who shows a living token is not held up by what others send from the same address (a proxy's, say): only what is refused before a token was
known is counted by address. A token has 256 random bits, so this is no guard against guessing; it is one against lines in the log without end.
"""

from __future__ import annotations

import asyncio
import math
import re
import time
from collections.abc import Awaitable, Callable, Generator, Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from functools import partial
from types import coroutine
from typing import Any, TypeAlias

from holdgood.core.errors import HoldgoodError
from holdgood.serving.desk import Desk
from holdgood.serving.exchange import ARROW, Call, Refusal, Reply, refusal_of, refused, reply_of
from holdgood.serving.fresh import request_id
from holdgood.serving.limits import Held, Rates, address_of, too_large
from holdgood.serving.tokens import Token, Tokens
from holdgood.serving.traces import Traces

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Handler: TypeAlias = Callable[[Desk, Call], Awaitable[Reply]]

_REQUEST_ID = re.compile(rb"[A-Za-z0-9_.-]{1,64}")
_ONCE = frozenset(
    (
        b"host",
        b"authorization",
        b"content-type",
        b"content-length",
        b"idempotency-key",
        b"subject-column",
        b"x-request-id",
    )
)
_SAFE = ((b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store"))


@dataclass(frozen=True)
class Route:
    """``name`` is what logs and metrics call it. ``role``: what its token must be allowed; None: no token is asked for, "": any."""

    name: str
    method: str
    handler: Handler
    role: str | None
    of_model: bool = False


@dataclass(frozen=True)
class Guard:
    """Who is let in. ``tokens`` None: everybody (on loopback only). ``hosts``: names that the Host header may have.

    ``rates``: of each token. ``strangers``: of each address, for what is refused before a token was known.
    """

    tokens: Tokens | None
    rates: Rates
    hosts: frozenset[str]
    strangers: Rates


class Door:
    """``begin`` and ``end``: what the server does before the first request and after the last."""

    def __init__(
        self, routes: Iterable[Route], guard: Guard, begin: Callable[[], Awaitable[Desk]], end: Callable[[], Awaitable[None]], *, all_requests: bool
    ) -> None:  # fmt: skip
        self._routes: dict[str, dict[str, Route]] = {}
        for r in routes:
            self._routes.setdefault(r.name, {})[r.method] = r
        self._guard, self._begin, self._end, self._all = guard, begin, end, all_requests
        self._desk: Desk | None = None
        self._held = Held(0)
        self._unlogged, self._told = 0, -math.inf
        self.traces: Traces | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)
        else:  # nothing here is a websocket
            await receive()
            await send({"type": "websocket.close", "code": 1003})

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            self._desk = await self._begin()
            self._held = Held(self._desk.limits.held)
        except Exception as error:
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._end()
        await send({"type": "lifespan.shutdown.complete"})

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        began, desk = time.perf_counter(), self._desk
        assert desk is not None
        headers = dict(scope["headers"])
        call = Call(scope["path"], b"", "", headers, _request_id(headers))
        name, admitted, flood = "unknown", False, False
        try:
            if len(headers) != len(scope["headers"]):
                _check_once(scope["headers"])
            self._check_host(headers)
            route = self._route(scope["method"], call)
            name = route.name
            self._admit(route, call)
            admitted = True
            call.content_type = headers.get(b"content-type", b"").partition(b";")[0].strip().lower().decode("latin-1")
            if route.method == "POST":
                await _body(receive, call, self._held, self._most(desk, call), desk.limits.seconds)
            reply = await route.handler(desk, call)
        except Refusal as refusal:
            flood = not admitted and refusal.status != 429 and (wait := self._wait(scope)) > 0
            reply = reply_of(self._too_many(refusal, wait) if flood else refusal, call.request_id)
        except HoldgoodError as error:
            reply = reply_of(refusal_of(error), call.request_id)
            if reply.status >= 500:
                desk.log(
                    "refused",
                    "error",
                    route=name,
                    status=reply.status,
                    why=error.came if reply.status == 503 else type(error).__name__,
                )
        except _Gone:
            return
        except asyncio.CancelledError:
            raise
        except MemoryError:
            reply = reply_of(
                refused(503, "this needs more memory than there is", "a smaller request", "send fewer rows"),
                call.request_id,
            )
        except Exception as error:
            desk.log.fault("fault", error, route=name, request_id=call.request_id)
            reply = reply_of(
                refused(500, "a fault of this server", "an answer", "tell its keeper the request_id"), call.request_id
            )
        finally:
            self._held.give(call.held)
        await _send(send, reply, call.request_id)
        seconds = time.perf_counter() - began
        desk.metrics.counted(name, reply.status, seconds)
        if self.traces is not None:
            self.traces(name, desk, call, reply, seconds)
        if flood and not self._all:
            self._tell_flood(desk, scope)
        elif self._all or reply.status >= 400:
            who = call.token.id if call.token else ""
            desk.log(
                "request",
                route=name,
                status=reply.status,
                ms=round(seconds * 1000, 3),
                token=who,
                request_id=call.request_id,
                **call.told,
            )

    def _wait(self, scope: Scope) -> float:
        """Seconds until one more refusal is due to an address; 0 at once. Where there is none (a socket of the file system) all is due."""
        client = scope.get("client")
        return self._guard.strangers.take(address_of(client[0])) if client else 0.0

    def _too_many(self, refusal: Refusal, wait: float) -> Refusal:
        error = HoldgoodError(
            f"{refusal.error.came}, and more refused requests than one address may send",
            f"{self._guard.strangers.rate:g} a second",
            refusal.error.do,
        )
        return Refusal(429, error, ((b"retry-after", b"%d" % math.ceil(wait)),))

    def _tell_flood(self, desk: Desk, scope: Scope) -> None:
        """One line a second for all of them: a flood must not fill the disk. The metrics count each."""
        self._unlogged += 1
        if (now := time.monotonic()) - self._told >= 1.0:
            desk.log("a flood of refused requests", "warning", address=scope["client"][0], requests=self._unlogged)
            self._unlogged, self._told = 0, now

    def _check_host(self, headers: Mapping[bytes, bytes]) -> None:
        host = headers.get(b"host", b"").decode("latin-1").lower()
        bare = host[: host.find("]") + 1] if host.startswith("[") else host.partition(":")[0]
        if bare not in self._guard.hosts:
            raise refused(
                421,
                "a Host that this server is not",
                "the name that it was started with",
                "start it with --allow-host NAME",
            )

    def _route(self, method: str, call: Call) -> Route:
        steps = call.path[1:].split("/")
        name, of_model = call.path, False
        if len(steps) == 3 and steps[0] == "models" and steps[1]:
            name, call.model, of_model = "/" + steps[2], steps[1], True
        there = self._routes.get(name)
        if there is None or (of_model and not next(iter(there.values())).of_model):
            raise refused(404, "no such path", "one of: " + ", ".join(sorted(self._routes)), "see /docs")
        found = there.get(method)
        if found is None:
            allowed = ", ".join(sorted(there))
            raise Refusal(
                405,
                HoldgoodError("a method that does nothing here", allowed, "see /docs"),
                ((b"allow", allowed.encode()),),
            )
        return found

    def _admit(self, route: Route, call: Call) -> None:
        if route.role is None:
            return
        tokens = self._guard.tokens
        if tokens is not None:
            call.token = token = self._who(tokens, call)
            if route.role and not token.may(route.role):
                raise refused(
                    403, "a token without the role that this asks for", route.role, "ask its keeper for another token"
                )
        wait = self._guard.rates.take(call.token.id if call.token else "")
        if wait:
            error = HoldgoodError(
                "more requests than this token may send",
                f"{self._guard.rates.rate:g} a second",
                "send them later, or many rows at once",
            )
            raise Refusal(429, error, ((b"retry-after", b"%d" % math.ceil(wait)),))

    def _who(self, tokens: Tokens, call: Call) -> Token:
        scheme, _, secret = call.headers.get(b"authorization", b"").partition(b" ")
        token = tokens.who(secret.strip().decode("latin-1")) if scheme.lower() == b"bearer" else None
        if token is None:
            error = HoldgoodError(
                "no living token", "Authorization: Bearer TOKEN", "holdgood serve token new makes one"
            )
            raise Refusal(401, error, ((b"www-authenticate", b"Bearer"),))
        return token

    @staticmethod
    def _most(desk: Desk, call: Call) -> int:
        return desk.limits.arrow_body if call.content_type == ARROW else desk.limits.body


class _Gone(Exception):
    """The caller went away before the whole body was there."""


def _check_once(headers: Iterable[tuple[bytes, bytes]]) -> None:
    """A proxy may believe the first of two headers, this server the last: neither is believed."""
    seen: set[bytes] = set()
    for name, _ in headers:
        if name in seen and name in _ONCE:
            raise refused(400, "a header that comes twice", f"{name.decode()} once", "send one of them")
        seen.add(name)


def _request_id(headers: Mapping[bytes, bytes]) -> str:
    given = headers.get(b"x-request-id")
    if given is not None and _REQUEST_ID.fullmatch(given):
        return given.decode("ascii")
    return request_id()


async def _body(receive: Receive, call: Call, held: Held, most: int, seconds: float) -> None:
    """The whole body, within its time; what is in memory so far is counted in ``call.held``."""
    length = call.headers.get(b"content-length")
    if length is not None and length.isdigit() and int(length) > most:
        raise too_large(most)
    pieces: list[bytes] = []

    def took(message: MutableMapping[str, Any]) -> bool:
        if message["type"] == "http.disconnect":
            raise _Gone
        piece: bytes = message.get("body", b"")
        if call.held + len(piece) > most:
            raise too_large(most)
        held.take(len(piece))
        call.held += len(piece)
        pieces.append(piece)
        return bool(message.get("more_body", False))

    step = receive().__await__()
    try:
        waits = next(step)
    except StopIteration as there:  # mostly all of it has come with the headers: then no clock is set
        if not took(there.value):
            call.body = pieces[0]
            return
        waits = None
    try:
        async with asyncio.timeout(seconds):
            if waits is None or took(await _rest(step, waits)):
                while took(await receive()):
                    pass
    except TimeoutError:
        raise refused(
            408, "a body that does not end", f"all of it within {seconds:g} seconds", "send it faster, or in parts"
        ) from None
    call.body = pieces[0] if len(pieces) == 1 else b"".join(pieces)


@coroutine
def _rest(step: Any, waits: Any) -> Generator[Any, Any, MutableMapping[str, Any]]:
    """The end of a step that was begun and waits for something."""
    while True:
        try:
            got = yield waits
        except BaseException as error:
            going = partial(step.throw, error)
        else:
            going = partial(step.send, got)
        try:
            waits = going()
        except StopIteration as there:
            message: MutableMapping[str, Any] = there.value
            return message


async def _send(send: Send, reply: Reply, request_id: str) -> None:
    headers = [
        (b"content-type", reply.content_type.encode()), (b"content-length", b"%d" % len(reply.body)),
        (b"x-request-id", request_id.encode()), *_SAFE, *reply.headers,
    ]  # fmt: skip
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})
