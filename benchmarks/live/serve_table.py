"""The table of benchmarks/live/serve.py; summarise.py puts it into docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Row = Mapping[str, Any]


def live_serve(rows: list[Row]) -> list[str]:
    """One line a part: what was measured, and the aim."""
    if not rows:
        return []
    out = ["| What | Measured | Aim |", "|---|---|---|"]
    for r in rows:
        said, aim = _SAID[r["part"]](r)
        out.append(f"| {said.partition(': ')[0]} | {said.partition(': ')[2]} | {aim} |")
    last = rows[-1]
    busy = max(r["load_before"] for r in rows)
    return [
        *out,
        "",
        f"{last['trees']:,} trees, {last['columns']} columns. Load before: up to {busy:g}. Machine: {last['machine']}.",
    ]


def _latency(r: Row) -> tuple[str, str]:
    said = f"{r['asked_rate']:g} requests a second, open loop: p50 {r['p50_ms']:g} ms, p99 {r['p99_ms']:g} ms, {r['cpu_us']:g} µs of CPU a request"
    if "sync_ms" in r:
        said += f"; a sync of this disk takes {r['sync_ms']:g} ms"
    if "sent_p50_ms" in r:
        said += f", the generator sends {r['sent_p50_ms']:g} ms after a request is due"
    return said, "p50 ≤ 2 ms, p99 ≤ 10 ms"


def _top(r: Row) -> tuple[str, str]:
    ours, bare = r["ours"], r["bare"]
    said = f"top rate against a bare FastAPI route: {ours['rate']:,.0f} a second of {bare['rate']:,.0f} ({r['share']:.0%}); "
    return said + f"CPU a request {ours['cpu_us']:.0f} µs of {bare['cpu_us']:.0f} ({r['share_cpu']:.0%})", "≥ 70%"


def _batch(r: Row) -> tuple[str, str]:
    said = f"Arrow streams of {r['rows']:,} rows against booster.predict: {r['rows_per_s']:,} rows a second of {r['booster_rows_per_s']:,} ({r['share']:.0%}); "
    said += f"by CPU {r['share_cpu']:.0%}"
    if r.get("served", 1) > 1:
        said += f"; against the {r['served']} boosters of the served model {r['share_served']:.0%}, by CPU {r['share_served_cpu']:.0%}"
    return said, "≥ 70%"


def _peers(r: Row) -> tuple[str, str]:
    told = [
        f"{who} " + (f"{r[who]['rate']:,.0f} (times {r[who]['times']:g})" if "rate" in r[who] else "did not start")
        for who in ("mlflow", "bentoml")
    ]
    return f"rate beside peers: ours {r['ours']['rate']:,.0f}, {', '.join(told)}", "≥ 3 times"


def _memory(r: Row) -> tuple[str, str]:
    return (
        f"{r['minutes']:g} minutes at {r['load']:g}% of the top rate: {r['early_mb']:,} MB early, {r['late_mb']:,} MB late",
        "flat",
    )


def _kills(r: Row) -> tuple[str, str]:
    said = f"kill -9 under load, {r['kills']} times: {r['acknowledged']:,} acknowledged, {r['lost']} lost, {r['twice']} there twice"
    return said, "0 and 0"


_SAID = {"latency": _latency, "top": _top, "batch": _batch, "peers": _peers, "memory": _memory, "kills": _kills}
