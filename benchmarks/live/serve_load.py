"""A load generator over raw sockets: keep-alive connections, one request at a time each; closed loop, or open loop at a rate.

In an open loop a request has the moment at which it was due; the time that it waited for a free connection counts.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import uvloop

_TURNS = 0.0015
"""Seconds before a request is due from which the generator no longer sleeps."""


@dataclass
class Told:
    """Seconds from due to answered of each request, and from due to sent; statuses other than 200 and how many, what was acknowledged."""

    seconds: list[float] = field(default_factory=list)
    behind: list[float] = field(default_factory=list)
    others: dict[str, int] = field(default_factory=dict)
    acknowledged: list[int] = field(default_factory=list)
    wall: float = 0.0
    late: int = 0

    def quantile(self, q: float, of: Sequence[float] | None = None) -> float:
        """In milliseconds, of the answers or of something else."""
        ordered = sorted(self.seconds if of is None else of)
        return round(1000 * ordered[min(len(ordered) - 1, int(q * len(ordered)))], 3) if ordered else float("nan")

    @property
    def rate(self) -> float:
        """Answers a second."""
        return round(len(self.seconds) / self.wall, 1) if self.wall else 0.0


class Line(asyncio.Protocol):
    """One connection."""

    def __init__(self, crowd: Crowd) -> None:
        self.crowd, self.buffer, self.due, self.number, self.busy = crowd, b"", 0.0, 0, False

    def connection_made(self, transport) -> None:
        self.transport = transport
        self.crowd.idle.append(self)
        self.crowd.go()

    def ask(self, number: int, due: float) -> None:
        self.number, self.due, self.busy = number, due, True
        self.crowd.told.behind.append(time.perf_counter() - due)
        self.transport.write(self.crowd.request(number))

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head = self.buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        lower = self.buffer[:head].lower()
        at = lower.index(b"content-length:") + 15
        length = int(lower[at : lower.find(b"\r", at) if b"\r" in lower[at:] else None])
        if len(self.buffer) < head + 4 + length:
            return
        status = self.buffer[9:12].decode()
        self.buffer, self.busy = b"", False
        self.crowd.answered(self, status)

    def connection_lost(self, _) -> None:
        if self.busy:
            self.crowd.lost()


class Crowd:
    """``rate``: requests a second (open loop), 0: as fast as each connection is answered."""

    def __init__(self, request: Callable[[int], bytes], *, rate: float, seconds: float, first: int = 0) -> None:
        self.request, self.rate, self.length = request, rate, seconds
        self.idle: deque[Line] = deque()
        self.waiting: deque[tuple[int, float]] = deque()
        self.next, self.told = first, Told()
        self.begin = time.perf_counter()
        self.end = self.begin + seconds

    def go(self) -> None:
        while self.idle and (self.waiting or (not self.rate and time.perf_counter() < self.end)):
            number, due = self.waiting.popleft() if self.waiting else (self._number(), time.perf_counter())
            self.idle.popleft().ask(number, due)

    def _number(self) -> int:
        self.next += 1
        return self.next - 1

    def answered(self, line: Line, status: str) -> None:
        if status == "200":
            self.told.seconds.append(time.perf_counter() - line.due)
            self.told.acknowledged.append(line.number)
        else:
            self.told.others[status] = self.told.others.get(status, 0) + 1
        self.idle.append(line)
        self.go()

    def lost(self) -> None:
        self.told.others["lost"] = self.told.others.get("lost", 0) + 1

    async def run(self, port: int, connections: int) -> Told:
        loop = asyncio.get_running_loop()
        lines = await asyncio.gather(
            *(loop.create_connection(lambda: Line(self), "127.0.0.1", port) for _ in range(connections))
        )
        self.begin = time.perf_counter()
        self.end = self.begin + self.length
        self.go()
        if self.rate:
            sent = 0
            while (now := time.perf_counter()) < self.end:
                due = int((now - self.begin) * self.rate) + 1
                for k in range(sent, due):
                    self.waiting.append((self._number(), self.begin + k / self.rate))
                sent = due
                self.go()
                # the loop's clock has whole milliseconds: the last one is waited for turn by turn, on the generator's own core
                left = self.begin + sent / self.rate - time.perf_counter()
                await asyncio.sleep(max(0.0, left - _TURNS))
        else:
            await asyncio.sleep(self.length)
        for _ in range(200):
            if not self.waiting and len(self.idle) >= connections:
                break
            await asyncio.sleep(0.01)
        self.told.wall = time.perf_counter() - self.begin
        self.told.late = len(self.waiting)
        for transport, _ in lines:
            transport.close()
        return self.told


def load(port: int, bodies: Sequence[bytes], *, path: str = "/predict", token: str = "", rate: float = 0.0, seconds: float = 5.0,
         connections: int = 16, first: int = 0, named: str = "", kind: str = "application/json") -> Told:  # fmt: skip
    """Ask. ``named``: ids that begin so are put in the place of the word @ID@ in each body."""

    def request(number: int) -> bytes:
        body = bodies[number % len(bodies)]
        if named:
            body = body.replace(b"@ID@", f"{named}-{number}".encode())
        head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
        head += f"Authorization: Bearer {token}\r\n" if token else ""
        return head.encode() + b"\r\n" + body

    return uvloop.run(Crowd(request, rate=rate, seconds=seconds, first=first).run(port, connections))
