"""The tables of what bench-stats says of forecasts, from the lines that are there; summarise.py puts them into docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stats.table import most_allowed

Row = Mapping[str, Any]
LEVELS = ("0.5", "0.8", "0.9", "0.95")
OVERALL, SEGMENT = 3.0, 6.0


def stats_forecasts(rows: list[Row]) -> list[str]:
    """The block of the page."""
    parts = (("canary", canaries), ("cover", covers), ("censored", hidden), ("climbs", falsely))
    out: list[str] = []
    for part, table in parts:
        if mine := [r for r in rows if r["part"] == part]:
            out += [*table(mine), ""]
    return out


def _line(*cells: object) -> str:
    return "| " + " | ".join(map(str, cells)) + " |"


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def canaries(rows: list[Row]) -> list[str]:
    """Loss over the naive's and over that of who knows all that can be known."""
    out = [
        "| Canary | Panels | Loss over the naive's | Over who knows all that can be known | As told by the run, over the naive's | Alarms |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for kind in dict.fromkeys(r["of"] for r in rows):
        mine = [r for r in rows if r["of"] == kind]
        alarm = (
            sum(r["verdict"] == "better" for r in mine)
            if kind == "shuffled"
            else sum(r["over_known"] < 0.98 for r in mine)
        )
        figures = [f"{_mean([r[k] for r in mine]):.3f}" for k in ("over_naive", "over_known", "told_over_naive")]
        out.append(_line(kind, len(mine), *figures, alarm))
    return out


def covers(rows: list[Row]) -> list[str]:
    """Cover by world, kind of demand, and steps or sums; means over panels. How far off they are."""
    out = [
        "| World | Of | Demand | Panels | 50% | 80% | 90% | 95% | Kept |",
        "|---|---|---|---:|---:|---:|---:|---:|---|",
    ]
    for world in dict.fromkeys(r["of"] for r in rows):
        mine = [r for r in rows if r["of"] == world]
        for what, kinds in mine[0]["cover"].items():
            for kind in kinds:
                found = [100 * _mean([r["cover"][what][kind][v] for r in mine]) for v in LEVELS]
                off = max(abs(f - 100 * float(v)) for f, v in zip(found, LEVELS, strict=True))
                kept = "yes" if off <= (OVERALL if kind == "all" else SEGMENT) else f"**no**, by {off:.1f}"
                out.append(_line(world, what, kind, len(mine), *(f"{f:.1f}" for f in found), kept))
    return out


def hidden(rows: list[Row]) -> list[str]:
    """Bias against expected demand where stock-outs hide a part of the weeks."""
    out = [
        "| Stock-outs, demand | Panels | Forecast | Paths' mean | The naive | Mean sales | Paths under a third of sales' |",
        "|---|---:|---:|---:|---:|---:|---|",
    ]
    for kind in rows[0]["bias"]:
        found = {k: _mean([r["bias"][kind][k] for r in rows]) for k in ("ours", "paths", "naive", "sales")}
        kept = "yes" if abs(found["paths"]) < abs(found["sales"]) / 3 else "**no**"
        out.append(_line(kind, len(rows), *(f"{100 * v:+.1f}%" for v in found.values()), kept))
    return out


def falsely(rows: list[Row]) -> list[str]:
    """Climbs where nothing is better than the lowest rung."""
    out = ["| Rungs that add nothing | Simulations | Climbs | Called proven | Accepted |", "|---|---:|---:|---:|---|"]
    for r in rows:
        n = r["simulations"]
        kept = "yes" if max(r["climbs"], r["proven"]) <= most_allowed(n, len(rows)) else "**no**"
        out.append(_line(r["cell"], n, f"{r['climbs'] / n:.1%}", f"{r['proven'] / n:.1%}", kept))
    return out
