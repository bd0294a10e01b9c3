"""Open connections: how many there may be, and how long one may keep its place without asking or taking anything.

uvicorn alone keeps a connection for ever on which nothing comes, or half a request, or on which an answer is not taken, and with httptools a head
of any size and any number of requests that are sent ahead of their answers. Its ``limit_concurrency`` counts connections that only wait, too:
strangers who hold enough of them would have it refuse everybody who has one, and it takes further sockets all the same. Here a new caller gets the
place of who has waited longest, and a request pays nothing for it.
"""

from __future__ import annotations

import asyncio
import math
import os
import socket
import struct
import sys
import time
from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from holdgood.serving.logs import Log
from holdgood.serving.metrics import Metrics

if sys.platform != "win32":
    import resource

HEAD = 65_536
"""Bytes of a request's head, and of what is no content between the parts of a body; those that come with the first of them are not counted."""
AHEAD = 100
"""Requests that may be sent before the first of them is answered."""
BACKLOG = 2_048
"""Connections that wait to be taken. All of them may be taken in one turn of the loop, before the sockets of those that made room are closed."""
_OTHER_FILES = 256
"""Open files that are no connections: journal, bundles, tables, the log."""
_LOOK = 1.0
_SHARE = 20
"""Where there is no room, at most this part of the places is emptied at once, so that a flood is not answered one by one."""
_FULL = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: 25\r\n"
    b"connection: close\r\n\r\nA head that does not end.\n"
)


class Line(Protocol):
    """A connection, as uvicorn's protocols are. ``cycle``: its newest request, None before the first one's head was whole."""

    transport: asyncio.Transport
    cycle: Any


@dataclass(slots=True)
class _Kept:
    """``since``: when the server began to wait for the next request. ``taken``: when the caller was last seen to take some of an answer.

    ``left``: bytes of answers that it has not taken.
    """

    line: Line
    since: float
    taken: float
    cycle: Any = None
    left: int = 0
    stuck: bool = False

    def look(self, now: float) -> None:
        """See what has moved since the last look."""
        cycle, left = self.line.cycle, self.line.transport.get_write_buffer_size()
        if cycle is not self.cycle or left or not self.waits:
            self.since = now
        self.stuck = 0 < self.left <= left
        if not self.stuck:
            self.taken = now
        self.cycle, self.left = cycle, left

    @property
    def waits(self) -> bool:
        """For the caller: no request is being answered."""
        cycle = self.line.cycle
        return cycle is None or cycle.response_complete

    @property
    def worth(self) -> tuple[int, float]:
        """The least goes first: who never asked, who has asked and waits, who does not take an answer; of these who does so longest."""
        if self.stuck:
            return 2, self.taken
        if self.line.cycle is not self.cycle:  # it has asked since the last look
            return 1, math.inf
        return (0 if self.cycle is None else 1), self.since


class Connections:
    """Of one server and its event loop. ``seconds``: within which a request's head must be whole, and some of an answer be taken."""

    def __init__(
        self, most: int, seconds: float, metrics: Metrics, log: Log, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most, self._seconds, self._metrics, self._log, self._clock = most, seconds, metrics, log, clock
        self._open: dict[Line, _Kept] = {}
        self._ended: Counter[str] = Counter()
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._open)

    def opened(self, line: Line) -> None:
        """A new one: it has a place, or is told to come again where all are at work."""
        if len(self._open) >= self._most and not self._make_room():
            self._ended["full"] += 1
            line.transport.write(_FULL)
            line.transport.close()
            return
        now = self._clock()
        self._open[line] = _Kept(line, now, now)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_LOOK, self._looked)

    def closed(self, line: Line) -> None:
        """It is gone, whoever ended it."""
        self._open.pop(line, None)

    def too_large(self, line: Line) -> None:
        """End one whose head does not end."""
        self._ended["head"] += 1
        line.transport.write(_TOO_LARGE)
        line.transport.close()

    def too_many(self) -> None:
        """One was ended on which requests were sent ahead of their answers without end."""
        self._ended["ahead"] += 1

    def look(self) -> None:
        """End those that have kept the server waiting for too long."""
        now = self._clock()
        for kept in [*self._open.values()]:
            kept.look(now)
            if now - kept.since > self._seconds:
                self._end(kept, "late")
            elif now - kept.taken > self._seconds:
                self._end(kept, "unread")
        self._metrics.connections.set(len(self._open))
        if self._ended:
            for why, count in self._ended.items():
                self._metrics.connections_ended.labels(why).inc(count)
            self._log("connections ended", "warning", open=len(self._open), **self._ended)
            self._ended.clear()

    def _looked(self) -> None:
        self.look()
        again = self._open or self._ended
        self._timer = asyncio.get_running_loop().call_later(_LOOK, self._looked) if again else None

    def _make_room(self) -> bool:
        away = [kept for kept in self._open.values() if kept.waits or kept.stuck]
        away.sort(key=lambda kept: kept.worth)
        for kept in away[: max(1, self._most // _SHARE)]:
            self._end(kept, "room")
        return bool(away)

    def _end(self, kept: _Kept, why: str) -> None:
        """At once: closing would wait until an answer was taken, and so would the kernel, which is told to drop what it holds of one."""
        del self._open[kept.line]
        self._ended[why] += 1
        if kept.left:
            with suppress(OSError, AttributeError):  # where it is gone already
                own = kept.line.transport.get_extra_info("socket")
                with socket.socket(fileno=os.dup(own.fileno())) as same:
                    same.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        kept.line.transport.abort()


class _Watched(asyncio.Protocol):
    """Mixed into a protocol of uvicorn's."""

    lines: ClassVar[Connections]
    transport: asyncio.Transport
    cycle: Any

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.lines.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.lines.closed(self)
        super().connection_lost(exc)


class _Measured(_Watched):
    """The same for httptools, which counts nothing: the head of a request, its trailers, what stands beside the sizes of its parts, and requests.

    ``spare``: bytes that may still come before the next content. ``pipeline``: requests that wait for the answers to others before them.
    """

    spare = HEAD
    pipeline: deque[Any]

    def data_received(self, data: bytes) -> None:
        self.spare -= len(data)
        super().data_received(data)
        if self.spare < 0 and not self.transport.is_closing():
            self.lines.too_large(self)

    def on_message_begin(self) -> None:
        if len(self.pipeline) >= AHEAD:
            self.lines.too_many()
            raise OverflowError("requests sent ahead without end")  # uvicorn answers 400 and closes
        self.spare = HEAD
        super().on_message_begin()  # type: ignore[misc]

    def on_body(self, body: bytes) -> None:
        self.spare = min(HEAD, self.spare + 8 * len(body))  # parts of one byte each come with five of another kind
        super().on_body(body)  # type: ignore[misc]


def watched(protocol: type[asyncio.Protocol], lines: Connections) -> type[asyncio.Protocol]:
    """A protocol of uvicorn's whose connections are held to ``lines``."""
    mixed = _Measured if hasattr(protocol, "on_message_begin") else _Watched
    return type(protocol.__name__, (mixed, protocol), {"lines": lines})


def room_for(connections: int) -> int:
    """So many connections, or fewer where this process may not open as many files; the limit that it may set itself is raised first."""
    if sys.platform == "win32":
        return connections
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    beside = BACKLOG + _OTHER_FILES
    if soft == resource.RLIM_INFINITY or soft >= connections + beside:
        return connections
    most = connections + beside if hard == resource.RLIM_INFINITY else min(connections + beside, hard)
    with suppress(OSError, ValueError):  # a sandbox may forbid it
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        soft = most
    return min(connections, max(soft - beside, soft // 2, 1))
