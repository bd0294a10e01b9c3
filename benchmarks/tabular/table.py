"""The tables of make bench-tabular from the lines that are there; summarise.py puts them into docs/benchmarks.md.

For each budget: scores of every set, then a row a system: mean rank, error relative to the best system, budget kept, latency, size,
memory; then holdgood against each system by a test over sets. Nothing is left out for being bad: a run that failed or was killed
takes the last rank of its set and 1.5 times the largest error there, and is counted beside the table.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

Row = Mapping[str, Any]
OURS, BALANCED = "holdgood", "holdgood balanced"
ORDER = (
    "holdgood", "holdgood balanced", "AutoGluon best", "AutoGluon medium", "FLAML", "MLJAR", "CatBoost default", "LightGBM default",
)  # fmt: skip
FAILED = 1.5
ROPE = 0.01
"""Errors that differ by less than this share are called practically equal."""
DRAWS = 20_000


def error(row: Row) -> float:
    """What is to be small: one minus the area, log loss, RMSE; NaN for a run without a score."""
    if row["score"] is None:
        return math.nan
    value = float(row["score"])
    return 1.0 - value if row["metric"] == "roc_auc" else value


def newest(rows: Iterable[Row]) -> dict[int, list[Row]]:
    """For each budget the last line of each (set, split, system) on the machine that this budget was run on last; of each system only
    what its newest stamp gave there: results of two versions, or of two machines, make no row of one table.

    Defaults of boosters know no budget: they stand in each table of the machine that they were run on.
    """
    listed = [r for r in rows if "machine" in r]
    machine = {r["budget"]: r["machine"] for r in listed if "default" not in r["system"]}
    out = {}
    for budget in sorted(machine):
        of = [r for r in listed if r["machine"] == machine[budget]]
        of = [r for r in of if "default" in r["system"] or r["budget"] == budget]
        last = {(r["set"], r["split"], r["system"]): r for r in of}
        stamp = {r["system"]: r["stamp"] for r in of}
        of = [r for r in last.values() if r["stamp"] == stamp[r["system"]]]
        sets = {r["set"] for r in of if r["budget"] == budget}
        out[budget] = [r for r in of if r["set"] in sets]
    return out


def errors(rows: list[Row], systems: list[str]) -> tuple[list[tuple[str, int]], np.ndarray]:
    """Cells (set, split) on which every system was run, and their errors (cells, systems); failures filled in as told above."""
    found = {(r["set"], r["split"], r["system"]): error(r) for r in rows}
    cells = [c for c in dict.fromkeys((r["set"], r["split"]) for r in rows) if all((*c, s) in found for s in systems)]
    table = np.array([[found[*c, s] for s in systems] for c in cells], np.float64).reshape(len(cells), len(systems))
    worst = np.nanmax(np.where(np.isnan(table), -np.inf, table), axis=1, initial=0.0, keepdims=True) if cells else table
    return cells, np.where(np.isnan(table), FAILED * worst, table)


def mean_ranks(cells: list[tuple[str, int]], table: np.ndarray) -> np.ndarray:
    """Mean rank a system, 1 the best, ties shared; first over the splits of a set, then over sets."""
    below = (table[:, :, None] > table[:, None, :]).sum(axis=2)
    level = (table[:, :, None] == table[:, None, :]).sum(axis=2)
    return by_set(cells, 1 + below + (level - 1) / 2).mean(axis=0)


def by_set(cells: list[tuple[str, int]], values: np.ndarray) -> np.ndarray:
    """Means over the splits of each set, (sets, …)."""
    names = [c[0] for c in cells]
    return np.array([values[[i for i, n in enumerate(names) if n == s]].mean(axis=0) for s in dict.fromkeys(names)])


def relative(cells: list[tuple[str, int]], table: np.ndarray) -> np.ndarray:
    """Error relative to the best system of a cell, geometric mean over splits, then sets; (systems,)."""
    small = np.maximum(table, 1e-12)
    return np.exp(by_set(cells, np.log(small / small.min(axis=1, keepdims=True))).mean(axis=0))


def against(cells: list[tuple[str, int]], ours: np.ndarray, theirs: np.ndarray, seed: int = 0) -> dict[str, float]:
    """Ratio of errors (theirs over ours; above one: ours are smaller), its 95% interval, and two chances.

    The unit is a set: splits of a set share rows, so they are averaged first, and what they scatter is part of what set
    means scatter (resampling whole clusters: Davison & Hinkley 1997, section 3.8). The interval is a bootstrap-t over sets of
    the mean log ratio. ``better`` and ``equal`` are the chances that a set like these is won by more than a hundredth of
    the error, and that it lies within, by the Bayesian sign test (Benavoli, Corani, Demšar & Zaffalon 2017): weights over sets from
    Dirichlet(1, …, 1) with one prior set in the middle, and how often each of the three regions is the likeliest.
    """
    gain = by_set(cells, np.log(np.maximum(theirs, 1e-12) / np.maximum(ours, 1e-12)))
    n, mean = len(gain), float(np.mean(gain))
    rng = np.random.default_rng(seed)
    out = {"sets": n, "ratio": math.exp(mean), "low": math.nan, "high": math.nan}
    if n >= 3 and np.std(gain) > 0:
        drawn = gain[rng.integers(0, n, (DRAWS, n))]
        spread = drawn.std(axis=1, ddof=1) / math.sqrt(n)
        t = (drawn.mean(axis=1) - mean)[spread > 0] / spread[spread > 0]
        low, high = np.quantile(t, [0.025, 0.975])
        own = float(gain.std(ddof=1)) / math.sqrt(n)
        out |= {"low": math.exp(mean - high * own), "high": math.exp(mean - low * own)}
    rope = math.log1p(ROPE)
    sides = np.array([np.sum(gain < -rope), np.sum(np.abs(gain) <= rope) + 1, np.sum(gain > rope)], np.float64)
    likeliest = np.argmax(rng.dirichlet(np.maximum(sides, 1e-9), DRAWS), axis=1)
    shares = np.bincount(likeliest, minlength=3) / DRAWS
    return out | {"worse": float(shares[0]), "equal": float(shares[1]), "better": float(shares[2])}


def tabular(rows: list[Row]) -> list[str]:
    """The block of the page."""
    out: list[str] = []
    for budget, mine in newest(rows).items():
        machine = f"Machine: {mine[-1]['machine']}. One process at a time, two threads. {loads(mine)}"
        out += [f"### {budget} s", "", machine, "", *one_budget(mine, budget), "", *what_ran(mine), ""]
    return out[:-1]


def one_budget(rows: list[Row], budget: int) -> list[str]:
    """Scores and ranks of all but ours in balanced, and then of all with it in our place: no system stands twice in a ranking."""
    there = [s for s in ORDER if any(r["system"] == s for r in rows)]
    head = [s for s in there if s != BALANCED]
    out = scores(rows, head) + ranked(rows, head, budget) + tests(rows, head, OURS)
    if BALANCED not in there:
        return out
    of = {r["set"] for r in rows if r["system"] == BALANCED}
    mine, there = [r for r in rows if r["set"] in of], [s for s in there if s != OURS]
    out += ["", f"With prefer = balanced, in place of best ({len(of)} sets):", "", *scores(mine, there)]
    return out + ranked(mine, there, budget) + tests(mine, there, BALANCED)


def ranked(rows: list[Row], systems: list[str], budget: int) -> list[str]:
    """A row a system, over the cells that all of them have; with the sets that each has by itself."""
    cells, table = errors(rows, systems)
    sets, splits = len({c[0] for c in cells}), len({c[1] for c in cells})
    out = [
        "",
        f"Over the {sets} sets that all of them were run on ({splits} split{'s' if splits != 1 else ''} each at most):",
        "",
    ]
    out += [
        "| System | Sets | Mean rank | Error relative to the best | Most wall s / budget | Median CPU s | One row, p50 ms | Rows/s | Size MB: median, most "
        "| Peak MB: median | Failed or killed |",
        "|---|" + "---:|" * 10,
    ]
    ranks = mean_ranks(cells, table) if cells else np.full(len(systems), math.nan)
    ratios = relative(cells, table) if cells else np.full(len(systems), math.nan)
    for i, system in enumerate(systems):
        its = [r for r in rows if r["system"] == system]
        kept = "no budget" if "default" in system else f"{max((r.get('wall_s') or 0) for r in its) / budget:.2f}"
        row_ms = _median(its, "row_ms")
        alone = f" ({_median(its, 'row_ms_model')} at the model)" if any("row_ms_model" in r for r in its) else ""
        size = f"{_median(its, 'model_bytes', 1e-6)}, {_most(its, 'model_bytes', 1e-6)}"
        failed = sum(r["ended"] != "ok" for r in its)
        cells_of = [
            system,
            len({r["set"] for r in its}),
            f"{ranks[i]:.2f}",
            f"{ratios[i]:.3f}",
            kept,
            _median(its, "cpu_s"),
            row_ms + alone,
        ]
        out.append(_line(*cells_of, _median(its, "rows_per_s"), size, _median(its, "peak_mb"), failed))
    return out


def tests(rows: list[Row], systems: list[str], ours: str) -> list[str]:
    """Ours against each other system, on the cells that both have."""
    lines = []
    for other in systems:
        if other.startswith("holdgood") or ours not in systems:
            continue
        cells, table = errors(rows, [ours, other])
        if not cells:
            continue
        a = against(cells, table[:, 0], table[:, 1])
        span = (
            f"{a['ratio']:.3f} ({a['low']:.3f} to {a['high']:.3f})" if not math.isnan(a["low"]) else f"{a['ratio']:.3f}"
        )
        verdict = "ahead" if a["low"] > 1 else "behind" if a["high"] < 1 else "not proven"
        won, lost = int(np.sum(table[:, 0] < table[:, 1])), int(np.sum(table[:, 0] > table[:, 1]))
        chances = [f"{a[k]:.2f}" for k in ("better", "equal", "worse")]
        lines.append(_line(other, f"{won} to {lost}", a["sets"], span, verdict, *chances))
    if not lines:
        return []
    return [
        "",
        f"Against each other system, over sets (a ratio above 1: the errors of {ours} are smaller):",
        "",
        "| Against | Won to lost | Sets | Ratio of errors (95%) | Ahead? | Chance: better | equal within 1% | worse |",
        "|---|---|---:|---|---|---:|---:|---:|",
        *lines,
    ]


def scores(rows: list[Row], systems: list[str]) -> list[str]:
    """A row a set: the mean score over its splits; the best in bold; a run without a score is told."""
    out = [_line("Set", "Metric", *systems), "|---|---|" + "---:|" * len(systems)]
    for name in dict.fromkeys(r["set"] for r in rows):
        its = [r for r in rows if r["set"] == name]
        metric = its[0]["metric"]
        means = []
        for s in systems:
            of = [r for r in its if r["system"] == s]
            values = [r["score"] for r in of if r["score"] is not None]
            means.append((float(np.mean(values)) if values else math.nan, len(of), len(of) - len(values)))
        known = [m[0] for m in means if not math.isnan(m[0])]
        best = (max if metric == "roc_auc" else min)(known) if known else math.nan
        cells = []
        for value, ran, failed in means:
            text = "" if not ran else "failed" if math.isnan(value) else _score(value)
            cells.append(
                (f"**{text}**" if value == best else text) + (f" ({failed} failed)" if failed and failed < ran else "")
            )
        out.append(_line(name, metric, *cells))
    return out


def loads(rows: list[Row]) -> str:
    busy = [float(r["load"]) for r in rows if r.get("load") is not None]
    return (
        f"Load over 5 minutes before each run: median {np.median(busy):.1f}, at most {max(busy):.1f}." if busy else ""
    )


def what_ran(rows: list[Row]) -> list[str]:
    """Versions, and every run that did not end well."""
    seen: dict[str, str] = {}
    for r in rows:
        if r.get("versions"):
            parts = ", ".join(f"{k} {v}" for k, v in r["versions"].items() if k not in ("numpy", "pandas"))
            stamps = sorted({x["stamp"] for x in rows if x["system"] == r["system"]})
            seen[r["system"]] = f"{parts} ({', '.join(stamps)})"
    out = ["Versions: " + "; ".join(f"{s}: {v}" for s, v in seen.items()) + "."]
    bad = [
        f"{r['system']} on {r['set']} at {r['budget']} s, split {r['split']}: {r['ended']}"
        for r in rows
        if r["ended"] != "ok"
    ]
    return [*out, "", "Did not end well: " + ("; ".join(bad) if bad else "none") + "."]


def _values(rows: list[Row], key: str, scale: float) -> list[float]:
    return [float(r[key]) * scale for r in rows if r.get(key) is not None]


def _median(rows: list[Row], key: str, scale: float = 1.0) -> str:
    values = _values(rows, key, scale)
    return _short(float(np.median(values))) if values else ""


def _most(rows: list[Row], key: str, scale: float = 1.0) -> str:
    values = _values(rows, key, scale)
    return _short(max(values)) if values else ""


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _score(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.5g}"


def _line(*cells: object) -> str:
    return "| " + " | ".join(map(str, cells)) + " |"
