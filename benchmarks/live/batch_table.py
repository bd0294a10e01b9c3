"""The table of benchmarks/live/batch.py; summarise.py puts it into docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Row = Mapping[str, Any]


def live_batch(rows: list[Row]) -> list[str]:
    """One line a way, number of rows and model."""
    if not rows:
        return []
    out = [
        "| Way | Rows | Trees | Rows a CPU s | Share of booster.predict | CPU s | Wall s | Rows a s, wall | Peak MB |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for r in sorted(rows, key=lambda r: (-r["rows"], -r["rows_per_cpu_s"])):
        share = "" if r["share_of_booster"] is None else f"{r['share_of_booster']:.0%}"
        out.append(
            f"| {r['way']} | {r['rows']:,} | {r['trees']:,} | {r['rows_per_cpu_s']:,} | {share} | {r['cpu_s']:.1f} | {r['wall_s']:.1f} | "
            f"{r['rows_per_s']:,} | {r['peak_mb']:,} |"
        )
    return [*out, "", f"Machine: {rows[-1]['machine']}."]
