"""What Prometheus may ask: requests, latencies, verdicts, the journal's queue, and which bundle answers."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector

_SECONDS = (0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.125, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """Counters of one server, in a registry of its own. Labels are names of ours: routes, models, verdicts; never what a caller sent."""

    content_type = "text/plain; version=0.0.4; charset=utf-8"

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        r = self.registry
        self.requests = Counter("holdgood_requests", "Requests by route and status.", ["route", "status"], registry=r)
        self.seconds = _Times()
        r.register(self.seconds)
        self.rows = Counter(
            "holdgood_rows", "Rows answered, by model, place and verdict.", ["model", "place", "verdict"], registry=r
        )
        self.broken = Counter(
            "holdgood_contract_breaches", "Broken rules of contracts.", ["model", "column", "rule"], registry=r
        )
        self.shadow_faults = Counter(
            "holdgood_shadow_faults", "Rows that a shadow could not score or was too late for.", ["model"], registry=r
        )
        self.waiting = Gauge("holdgood_journal_waiting", "Records that wait for the journal.", registry=r)
        self.journal_up = Gauge("holdgood_journal_up", "1 while the journal takes what it is given.", registry=r)
        self.unjournalled = Counter(
            "holdgood_unjournalled", "Answers that were given without a journal (--journal-required no).", registry=r
        )
        self.live = Gauge(
            "holdgood_model_info", "1 for each bundle that stands in a place.", ["model", "place", "digest"], registry=r
        )
        self.loads = Counter("holdgood_loads", "Looks at what is live, by outcome.", ["outcome"], registry=r)
        self.working = Gauge("holdgood_workers_busy", "Tasks in worker threads, waiting ones included.", registry=r)
        self.connections = Gauge("holdgood_connections", "Open connections.", registry=r)
        self.connections_ended = Counter(
            "holdgood_connections_ended", "Connections that the server ended, by reason.", ["why"], registry=r
        )
        self._counters: dict[tuple[int, tuple[str, ...]], Counter] = {}
        self._requests: dict[tuple[str, int], int] = {}

    def text(self) -> bytes:
        """The page."""
        for route, status in list(self._requests):
            self._count(self.requests, route, str(status)).inc(self._requests.pop((route, status)))
        return generate_latest(self.registry)

    def counted(self, route: str, status: int, seconds: float) -> None:
        """One request, told on the event's loop, where the page is made too: plain counts are enough until somebody asks."""
        self._requests[route, status] = self._requests.get((route, status), 0) + 1
        self.seconds.add(route, seconds)

    def answered(self, model: str, place: str, verdict: str, rows: int = 1) -> None:
        """Rows that were answered."""
        self._count(self.rows, model, place, verdict).inc(rows)

    def breach(self, model: str, column: str, rule: str) -> None:
        """One broken rule of a contract."""
        self._count(self.broken, model, column, rule).inc()

    def _count(self, of: Counter, *labels: str) -> Counter:
        """The counter of some labels; looking it up costs more than counting with it."""
        found = self._counters.get((id(of), labels))
        if found is None:
            found = self._counters[id(of), labels] = of.labels(*labels)
        return found


class _Times(Collector):
    """The histogram of requests, by route. Prometheus' own locks and looks through its buckets at each of them."""

    def __init__(self) -> None:
        self._counts: dict[str, list[int]] = {}
        self._sums: dict[str, float] = {}

    def add(self, route: str, seconds: float) -> None:
        counts = self._counts.get(route)
        if counts is None:
            counts = self._counts[route] = [0] * (len(_SECONDS) + 1)
            self._sums[route] = 0.0
        counts[bisect_left(_SECONDS, seconds)] += 1
        self._sums[route] += seconds

    def collect(self) -> Iterator[HistogramMetricFamily]:
        told = HistogramMetricFamily(
            "holdgood_request_seconds", "From the whole request to the answer.", labels=["route"]
        )
        for route, counts in self._counts.items():
            upto = zip([*(str(b) for b in _SECONDS), "+Inf"], accumulate(counts), strict=True)
            told.add_metric([route], [(b, float(n)) for b, n in upto], self._sums[route])
        yield told
