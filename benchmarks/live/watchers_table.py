"""The tables of benchmarks/live/watchers.py; summarise.py puts them into docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.stats import binom

Row = Mapping[str, Any]
WORLDS = ("days are alike", "days differ")
"""In the order of the columns, whichever was measured first."""


def live_watchers(rows: list[Row]) -> list[str]:
    """False alarms a watcher and world, in long and short windows; then what is seen of a change."""
    parts = {p: [r for r in rows if r["part"] == p] for p in ("false", "short", "power")}
    tables = (
        _false(parts["false"], "Watcher"),
        _false(parts["short"], "Windows of a few days"),
        _power(parts["power"]),
    )
    out: list[str] = []
    for table in tables:
        out += ["", *table] if out and table else table
    return out


def _false(rows: list[Row], first: str) -> list[str]:
    if not rows:
        return []
    out = [
        f"| {first} | Looks | Days alike: seen at 5% | at 1% | at 0.2% | Days differ: seen at 5% | at 1% | at 0.2% | Exact binomial |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---|",
    ]
    alpha, codes = rows[0]["alpha"], list(rows[0]["alarms"])
    cells = len(WORLDS) * len(codes) * len(alpha)
    for code in codes:
        seen, held, looks = [], True, 0
        for world in WORLDS:
            mine = [r for r in rows if r["world"] == world]
            looks = sum(r["count"] for r in mine)
            alarms = np.sum([r["alarms"][code] for r in mine], axis=0)
            seen += [f"{k / looks:.2%}" for k in alarms]
            held &= all(k <= binom.ppf(1.0 - 0.01 / cells, looks, a) for k, a in zip(alarms, alpha, strict=True))
        out.append(f"| {code} | {looks:,} | " + " | ".join(seen) + f" | {'holds' if held else '**broken**'} |")
    return out


def _power(rows: list[Row]) -> list[str]:
    if not rows:
        return []
    busy = sorted({r["a_day"] for r in rows})
    columns = [(world, a_day) for a_day in busy for world in WORLDS]
    seen = {(r["code"], r["what"], r["world"], r["a_day"]): r["seen"] / r["count"] for r in rows}
    names = [f"{a_day} a day, {world.replace(' are', '')}" for world, a_day in columns]
    out = [
        "| One look at 28 days sees | Change | Spends | " + " | ".join(names) + " |",
        "|---|---|---:|" + "---:|" * len(columns),
    ]
    spent = {r["code"]: r["alpha"] for r in rows}
    for code, what in sorted(
        {(r["code"], r["what"]): None for r in rows}, key=lambda k: k[0]
    ):  # changes in the order in which they were measured
        told = [f"{seen[key]:.0%}" if (key := (code, what, *c)) in seen else "–" for c in columns]
        out.append(f"| {code} | {what} | {spent[code]:.2%} | " + " | ".join(told) + " |")
    return out
