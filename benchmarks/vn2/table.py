"""The tables of VN2 and of the simulator's speed from the lines that are there; summarise.py puts them into docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Row = Mapping[str, Any]


def vn2(rows: list[Row]) -> list[str]:
    """One line a window, then all together with the interval over pairs."""
    windows = [r for r in rows if r["window"] != "all"]
    whole = next((r for r in rows if r["window"] == "all"), None)
    if not windows or whole is None:
        return []
    out = [
        "| First week | holdgood | Holding | Lost sales | Fill rate | Benchmark policy | Its fill rate | Saved |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for r in windows:
        out.append(
            f"| {r['first_week']} | {r['cost']:,.0f} | {r['holding']:,.0f} | {r['shortage']:,.0f} | {r['fill_rate']:.1%} | "
            f"{r['benchmark']:,.0f} | {r['benchmark_fill_rate']:.1%} | {r['saved']:.1%} |"
        )
    cost, usual = f"{whole['cost']:,.1f}", f"{whole['benchmark']:,.1f}"
    saved, ends = f"{whole['saved']:.1%}", f"{whole['low']:.1%} to {whole['high']:.1%}"
    return [
        *out,
        "",
        f"Mean cost of a window {cost} against {usual}: {saved} saved (95%: {ends}, bootstrap over {whole['pairs']} pairs), "
        f"{whole['saved_mean_of_windows']:.1%} as the mean of windows; wins {whole['wins']} of {whole['of']}. The aim is {whole['aim']:.0%}.",
    ]


def simulator(rows: list[Row]) -> list[str]:
    """One line a case."""
    if not rows:
        return []
    out = [
        "| 10,000 items, 100 scenarios | Wall s | CPU s | of it drawing demand | Aim s | Peak MB |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for r in rows:
        out.append(
            f"| {r['what']} | {r['wall_s']} | {r['cpu_s']} | {r.get('drawing_cpu_s', '')} | {r['aim_s']} | {r['peak_mb']:,} |"
        )
    return out
