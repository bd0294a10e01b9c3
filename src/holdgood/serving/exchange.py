"""What passes between the door and the handlers: a call, a reply, and what a refusal says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import orjson

from holdgood.core.errors import AbsentTables, BundleError, Busy, DataError, EnvironmentFault, HoldgoodError
from holdgood.core.text import one_line
from holdgood.serving.tokens import Token

JSON = "application/json"
ARROW = "application/vnd.apache.arrow.stream"
_SOON = 1
_PLAIN = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS


@dataclass(slots=True)
class Call:
    """One request, admitted: its body is whole, its token (if the server asks for one) may do this."""

    path: str
    body: bytes
    content_type: str
    headers: dict[bytes, bytes]
    request_id: str
    token: Token | None = None
    model: str = ""
    held: int = 0
    told: dict[str, Any] = field(default_factory=dict)
    """What the log says of it beside the usual: counts and names of our own, never a value of a row."""


@dataclass(slots=True)
class Reply:
    """``headers`` beside content type and length."""

    status: int
    body: bytes
    content_type: str = JSON
    headers: tuple[tuple[bytes, bytes], ...] = ()


class Refusal(Exception):
    """A request that is not answered: a status, and the three parts of every error."""

    def __init__(
        self, status: int, error: HoldgoodError, headers: tuple[tuple[bytes, bytes], ...] = (), **more: Any
    ) -> None:
        super().__init__(status)
        self.status, self.error, self.headers, self.more = status, error, headers, more


def refused(status: int, came: str, expected: str = "", do: str = "", **more: Any) -> Refusal:
    """A refusal in the three parts of every error."""
    return Refusal(status, HoldgoodError(came, expected, do), (), **more)


def as_json(value: Any, status: int = 200) -> Reply:
    """A value as JSON; NaN and infinity are null."""
    return Reply(status, orjson.dumps(value, option=_PLAIN))


def refusal_of(error: HoldgoodError) -> Refusal:
    """Which refusal an error of ours is: what came cannot be used (422), or this server cannot now (503)."""
    if isinstance(error, (EnvironmentFault, MemoryError)):
        return Refusal(503, error, ((b"retry-after", b"%d" % (_SOON if isinstance(error, Busy) else 2 * _SOON)),))
    if isinstance(error, AbsentTables):
        # who asks over HTTP cannot give a file: their way is to send the rows
        do = 'send their rows as JSON beside "row" or "rows": "related": {"TABLE": [{…}]}; or whoever starts the server adds --table TABLE=FILE'
        return Refusal(422, DataError(error.came, error.expected, do))
    return Refusal(500 if isinstance(error, BundleError) else 422, error)


def reply_of(refusal: Refusal, request_id: str) -> Reply:
    """The body says what came, what was expected and what to do."""
    error = refusal.error
    said = {"error": one_line(error.came), "expected": one_line(error.expected), "do": one_line(error.do)}
    body = {k: v for k, v in said.items() if v} | refusal.more | {"request_id": request_id}
    return Reply(refusal.status, orjson.dumps(body, option=_PLAIN), JSON, refusal.headers)
