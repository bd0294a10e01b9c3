"""The tables of make bench-decide from the lines that are there; summarise.py puts them into docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Row = Mapping[str, Any]


def constrained(rows: list[Row]) -> list[str]:
    """One line a case."""
    if not rows:
        return []
    out = [
        "| 2,000 items | Gap to what was proved | Aim | CPU s | Wall s | Aim, s | CPU s for the cost curves |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for r in rows:
        out.append(
            f"| {r['case']} | {r['gap']:.3%} | {r['aim_gap']:.1%} | {r['cpu_s']:.1f} | {r['wall_s']:.1f} | {r['aim_s']} | {r['projection_cpu_s']:.1f} |"
        )
    return [*out, "", f"Machine: {rows[-1]['machine']}."]
