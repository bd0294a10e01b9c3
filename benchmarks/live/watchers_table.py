"""The table of benchmarks/live/watchers.py; summarise.py puts it into docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.stats import binom


def live_watchers(rows: list[Mapping[str, Any]]) -> list[str]:
    """False alarms a watcher and world."""
    if not rows:
        return []
    out = [
        "| Watcher | Looks | Days alike: seen at 5% | at 1% | at 0.2% | Days differ: seen at 5% | at 1% | at 0.2% | Exact binomial |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---|",
    ]
    worlds = ("days are alike", "days differ")  # in the order of the columns, whichever was measured first
    alpha, codes = rows[0]["alpha"], list(rows[0]["alarms"])
    cells = len(worlds) * len(codes) * len(alpha)
    for code in codes:
        seen, held, looks = [], True, 0
        for world in worlds:
            mine = [r for r in rows if r["world"] == world]
            looks = sum(r["count"] for r in mine)
            alarms = np.sum([r["alarms"][code] for r in mine], axis=0)
            seen += [f"{k / looks:.2%}" for k in alarms]
            held &= all(k <= binom.ppf(1.0 - 0.01 / cells, looks, a) for k, a in zip(alarms, alpha, strict=True))
        out.append(f"| {code} | {looks:,} | " + " | ".join(seen) + f" | {'holds' if held else '**broken**'} |")
    return out
