"""The tables of benchmarks/live/drift.py and estimate.py; summarise.py puts them into docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.stats import binom

Row = Mapping[str, Any]
KINDS = ("abrupt", "gradual", "one group", "joint")
SIZES = ("small", "medium", "large")


def live_drift(rows: list[Row]) -> list[str]:
    """False alarms, then weeks until a change is seen."""
    if not rows:
        return []
    newest = {r["cell"]: r for r in rows}
    out = [
        "| False alarms, nothing changed | World | Rows | Looks | Seen at 5% | at 1% | at 0.2% | Exact binomial |",
        "|---|---|---:|---:|---:|---:|---:|---|",
    ]
    looks: dict[tuple[str, str, int], list[Any]] = {}
    for r in newest.values():
        for code, alarms in r["alarms"].items() if r["part"] == "family" else ():
            held = looks.setdefault((code, r["world"], r["rows"]), [0, np.zeros(len(alarms), int), r["alpha"]])
            held[0], held[1] = held[0] + r["count"], held[1] + np.array(alarms)
    cells = 3 * len(looks)
    for (code, world, rows_now), (n, alarms, alpha) in sorted(looks.items(), key=lambda of: (of[0][2], *of[0][1::-1])):
        holds = all(k <= binom.ppf(1.0 - 0.01 / cells, n, a) for k, a in zip(alarms, alpha, strict=True))
        seen = " | ".join(f"{k / n:.2%}" for k in alarms)
        out.append(
            f"| {code} | {world or 'calm'} | {rows_now:,} | {n:,} | {seen} | {'holds' if holds else '**broken**'} |"
        )
    years: dict[int, list[float]] = {}
    for r in newest.values():
        if r["part"] == "year":
            years.setdefault(r["rows"], []).extend(r["looks_with_alarm"])
    if years:
        out += [
            "",
            "| A year of weekly looks, seasonal | Rows | Years | Budget | Looks with an alarm a year | Years with none |",
            "|---|---:|---:|---:|---:|---:|",
        ]
    budget = next((r["budget"] for r in newest.values() if r["part"] == "year"), float("nan"))
    for rows_now, found_in in years.items():
        found = np.array(found_in, float)
        half = 1.96 * found.std(ddof=1) / np.sqrt(len(found)) if len(found) > 1 else float("nan")
        out.append(
            f"| MON001 and MON002 | {rows_now:,} | {len(found):,} | {budget:g} | {found.mean():.2f} (± {half:.2f}) | {np.mean(found == 0):.0%} |"
        )
    return out + _delays(list(newest.values()))


def _delays(rows: list[Row]) -> list[str]:
    """Weeks until seen, and how many more than the best peer takes on the same streams."""
    cells: dict[tuple[int, str, str], dict[str, np.ndarray]] = {}
    for r in rows:
        if r["part"] == "delay":
            cells.setdefault((r["rows"], r["kind"], r["size"]), {})[r["who"]] = np.array(r["weeks"], float)
    who = sorted({w for of in cells.values() for w in of}, key=lambda w: (w != "holdgood", w))
    if not who:
        return []
    out = [
        "",
        "| Mean weeks until seen (22 at most) | Rows | Streams | " + " | ".join(who) + " | Ours less the best peer's |",
        "|---|---:|---:|" + "---:|" * (len(who) + 1),
    ]
    for n, kind, size in sorted(cells, key=lambda c: (c[0], KINDS.index(c[1]), SIZES.index(c[2]))):
        # Where some have seen fewer streams, all are told on those.
        count = min(len(w) for w in cells[n, kind, size].values())
        weeks = {w: of[:count] for w, of in cells[n, kind, size].items()}
        told = " | ".join(f"{weeks[w].mean():.2f}" if w in weeks else "–" for w in who)
        out.append(f"| {kind}, {size} | {n:,} | {count} | {told} | {_behind(weeks)} |")
    return out


def _behind(weeks: Mapping[str, np.ndarray]) -> str:
    """Mean difference to the peer with the smallest mean, with its 95% interval over streams."""
    peers = {w: of for w, of in weeks.items() if w != "holdgood"}
    if not peers or "holdgood" not in weeks:
        return "–"
    apart = weeks["holdgood"] - min(peers.values(), key=lambda of: float(of.mean()))
    half = 1.96 * apart.std(ddof=1) / np.sqrt(len(apart)) if len(apart) > 1 else float("nan")
    return f"{apart.mean():+.2f} (± {half:.2f})"


def live_estimate(rows: list[Row]) -> list[str]:
    """Error of the estimate beside assuming that nothing changed."""
    if not rows:
        return []
    newest = {r["cell"]: r for r in rows}
    out = [
        "| Loss before outcomes | Case | Worlds | Unlike | Given | Loss | Error | of assuming nothing changed | Ratio | Intervals that hold |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for r in newest.values():
        first = f"| {r['kind']} | {r['case']} | {r['worlds']:,} | {r['unlike']:.0%} | {r['given'] / r['worlds']:.0%} | {r['loss']:.3f} |"
        if r["given"]:
            ratio, held = r["error"] / r["nothing_given"], r["covers"] / r["given"]
            out.append(f"{first} {r['error']:.3f} | {r['nothing_given']:.3f} | {ratio:.2f} | {held:.0%} |")
        else:
            out.append(f"{first} refused | {r['nothing']:.3f} | – | – |")
    return out
