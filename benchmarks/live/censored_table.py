"""The table of benchmarks/live/censored.py; summarise.py puts it into docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scipy.stats import binom

Row = Mapping[str, Any]


def live_censored(rows: list[Row]) -> list[str]:
    """A line a world: what a look makes of it with bounds counted / left out."""
    if not rows:
        return []
    out = [
        "| Known as a bound | Outcomes are larger by | Worlds | True loss | Mean loss seen | Intervals that hold "
        "| MON007 at 5% | at 1% | MON011 at 5% | at 1% | Level |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---|",
    ]
    for r in sorted(rows, key=lambda r: (-r["limit"], r["worse"])):

        def both(key: str, form: str, r: Row = r) -> str:
            return f"{r[key]:{form}} / {r[f'{key} left out']:{form}}"

        level = "–"
        if r["worse"] == 0.0:
            held = all(
                r[f"{code} {alpha}"] * r["worlds"] <= binom.ppf(0.99, r["worlds"], alpha)
                for code in ("MON007", "MON011")
                for alpha in (0.05, 0.01, 0.002)
            )
            level = "holds" if held else "**broken**"
        seen = [both(f"{code} {alpha}", ".1%") for code in ("MON007", "MON011") for alpha in (0.05, 0.01)]
        out.append(
            f"| {r['bounded']:.0%} | {r['worse']:.0%} | {r['worlds']:,} | {r['true']:.3f} | {both('mean', '.3f')} | {both('covers', '.0%')} | "
            + " | ".join(seen)
            + f" | {level} |"
        )
    return out
