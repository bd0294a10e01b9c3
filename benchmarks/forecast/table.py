"""The tables of bench-forecast: accuracy a set and system, cover of the intervals, ranks. Failures are shown."""

from __future__ import annotations

import math
from typing import Any

OURS = "holdgood"


def forecast(rows: list[dict[str, Any]]) -> list[str]:
    """Markdown of all runs that are there, the last one of each set, system and budget."""
    if not rows:
        return []
    newest = {(r["set"], r["system"]): r for r in rows}
    sets = list(dict.fromkeys(s for s, _ in newest))
    systems = sorted({s for _, s in newest}, key=lambda s: (s != OURS, s))
    out = [f"Machine: {rows[-1]['machine']}.", "", "| Set | Series | Measure | " + " | ".join(systems) + " |"]
    out.append("|---|---:|---|" + "---:|" * len(systems))
    for name in sets:
        for measure in ("smape", "mase", "owa", "wape", "bias", "quantile_loss", "cpu_s"):
            cells = [_cell(newest.get((name, s)), measure) for s in systems]
            first = name if measure == "smape" else ""
            series = str(next(r["series"] for (n, _), r in newest.items() if n == name)) if first else ""
            out.append(f"| {first} | {series} | {LABEL[measure]} | " + " | ".join(cells) + " |")
    out += ["", *ranks(newest, sets, systems), "", *cover(newest, sets, systems)]
    return [*out, "", *m3(newest, systems)]


LABEL = {
    "smape": "sMAPE", "mase": "MASE", "owa": "OWA", "wape": "WAPE", "bias": "bias", "quantile_loss": "quantile loss", "cpu_s": "CPU s",
}  # fmt: skip


def _cell(row: dict[str, Any] | None, measure: str) -> str:
    if row is None:
        return "–"
    if row["ended"] != "ok":
        return row["ended"].split(":")[0] if measure == "smape" else ""
    value = row.get(measure)
    if value is None or math.isnan(value):
        return "–"
    return (
        f"{value:.3f}"
        if measure not in ("cpu_s", "smape")
        else f"{value:.1f}"
        if measure == "cpu_s"
        else f"{value:.2f}"
    )


def ranks(newest: dict[tuple[str, str], dict[str, Any]], sets: list[str], systems: list[str]) -> list[str]:
    """Mean rank by MASE over the sets that all of the systems were run on; a failure takes the last rank."""
    shared = [n for n in sets if all((n, s) in newest for s in systems)]
    if not shared:
        return []
    total = dict.fromkeys(systems, 0.0)
    for name in shared:
        found = {
            s: newest[name, s].get("mase", math.inf) if newest[name, s]["ended"] == "ok" else math.inf for s in systems
        }
        for s in systems:
            better = sum(v < found[s] for v in found.values())
            same = sum(v == found[s] for v in found.values())
            total[s] += better + (same + 1) / 2
    said = ", ".join(f"{s} {total[s] / len(shared):.2f}" for s in sorted(systems, key=lambda s: total[s]))
    return [f"Mean rank by MASE over {len(shared)} sets: {said}."]


def cover(newest: dict[tuple[str, str], dict[str, Any]], sets: list[str], systems: list[str]) -> list[str]:
    """Share of outcomes inside the central intervals."""
    out = ["| Cover of 50 / 80 / 90 / 95% | " + " | ".join(systems) + " |", "|---|" + "---:|" * len(systems)]
    for name in sets:
        cells = []
        for s in systems:
            row = newest.get((name, s), {})
            found = [row.get(f"cover_{k}") for k in (50, 80, 90, 95)]
            cells.append(" / ".join(f"{100 * v:.0f}" for v in found) if None not in found else "–")
        out.append(f"| {name} | " + " | ".join(cells) + " |")
    return out


def m3(newest: dict[tuple[str, str], dict[str, Any]], systems: list[str]) -> list[str]:
    """All of M3: sMAPE over all points, MASE over all series, CPU minutes of the four parts together."""
    parts = ("m3_yearly", "m3_quarterly", "m3_monthly", "m3_other")
    out = []
    for s in systems:
        rows = [newest.get((p, s)) for p in parts]
        if any(r is None or r["ended"] != "ok" for r in rows):
            continue
        points, series = sum(r["points"] for r in rows if r), sum(r["series"] for r in rows if r)
        smape = sum(r["smape"] * r["points"] for r in rows if r) / points
        mase = sum(r["mase"] * r["series"] for r in rows if r) / series
        out.append(f"| {s} | {smape:.2f} | {mase:.3f} | {sum(r['cpu_s'] for r in rows if r) / 60:.1f} |")
    return (
        ["| M3, all 3,003 series | sMAPE over points | MASE over series | CPU minutes |", "|---|---:|---:|---:|", *out]
        if out
        else []
    )
