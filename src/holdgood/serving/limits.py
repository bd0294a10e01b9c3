"""What a request may cost: bytes, rows, depth, and how many a second each token, or each stranger's address, may send."""

from __future__ import annotations

import ipaddress
import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from holdgood.core.errors import Busy
from holdgood.serving.exchange import Refusal, refused

_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"?', re.DOTALL)
_BRACKET = re.compile(rb"[\[\]{}]")
_MOST_BUCKETS = 10_000


@dataclass(frozen=True)
class Limits:
    """``rate``: requests a second of one token, in bursts of twice as many; 0: as many as come. ``seconds``: for the whole of a body.

    ``cells``: of an Arrow stream (rows by columns), and steps of a history between the first and last rows of its series: two rows far apart
    would else ask for any amount of memory. ``held``: bytes of bodies in memory, over all requests at once. Rows of an Arrow stream are
    written into the journal in one piece, which all others wait for: 50,000 take it a second or two.

    ``strangers``: requests a second of one address that are refused before a token was known, in bursts of twice as many; 0: as many as come.
    ``connections``: open at once. ``seconds`` is also the time in which the head of a request must have come, and in which some of an answer
    must have been taken.
    """

    body: int = 4_000_000
    arrow_body: int = 64_000_000
    rows: int = 10_000
    arrow_rows: int = 50_000
    depth: int = 16
    rate: float = 1_000.0
    seconds: float = 30.0
    held: int = 512_000_000
    strangers: float = 10.0
    connections: int = 1_000

    @property
    def cells(self) -> int:
        """What a cell costs here at least is eight bytes; in a stream it may cost nothing (a column of nulls) or a bit."""
        return self.arrow_body // 8


def check_depth(body: bytes, most: int) -> None:
    """Refuse JSON that is nested deeper than ``most``, before it is parsed."""
    if body.count(b"[") + body.count(b"{") <= most:
        return
    depth = 0
    for found in _BRACKET.finditer(_STRING.sub(b"", body)):
        depth += 1 if found[0] in (b"[", b"{") else -1
        if depth > most:
            raise refused(400, "JSON that is nested too deeply", f"at most {most} levels", "send rows of plain values")


def too_large(most: int) -> Refusal:
    """The refusal of a body beyond its limit."""
    return refused(413, "a body that is too large", f"at most {most:,} bytes", "send fewer rows at a time, or Arrow")


class Held:
    """Bytes of bodies that are in memory, over all requests."""

    def __init__(self, most: int) -> None:
        self._most, self._now = most, 0

    def take(self, size: int) -> None:
        """Room for some more; raises Busy where there is none."""
        if self._now + size > self._most:
            raise Busy(
                "bodies of other requests fill the memory", f"at most {self._most:,} bytes", "ask again a little later"
            )
        self._now += size

    def give(self, size: int) -> None:
        """They are done with."""
        self._now -= size


class Rates:
    """A bucket for each of whom requests come that fills at a steady rate: bursts pass, floods do not.

    Of the 10,000 seen last are kept; who comes back after that begins with a full one.
    """

    def __init__(self, rate: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.rate, self._most, self._clock = rate, max(2 * rate, 1.0), clock
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, who: str) -> float:
        """Take one; gives 0 where it was there, else the seconds until it will be."""
        if self.rate <= 0:
            return 0.0
        now, buckets = self._clock(), self._buckets
        left, since = buckets.pop(who, (self._most, now))  # out and in again: the first is the one longest unseen
        left = min(self._most, left + (now - since) * self.rate)
        if len(buckets) >= _MOST_BUCKETS:
            del buckets[next(iter(buckets))]
        if left < 1.0:
            buckets[who] = (left, now)
            return (1.0 - left) / self.rate
        buckets[who] = (left - 1.0, now)
        return 0.0


def address_of(client: str) -> str:
    """Whose requests an address tells apart: of IPv6 the first 64 bits, since whoever has one address there has all of them.

    >>> address_of("2001:db8:1:2:a:b:c:d"), address_of("::ffff:192.0.2.7"), address_of("192.0.2.7")
    ('2001:db8:1:2::', '192.0.2.7', '192.0.2.7')
    """
    try:
        found = ipaddress.ip_address(client)
    except ValueError:
        return client
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    return str(found.ipv4_mapped or ipaddress.IPv6Address(int(found) >> 64 << 64))
