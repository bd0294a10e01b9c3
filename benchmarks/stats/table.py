"""The tables of make bench-stats from the lines that are there; summarise.py puts them into docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scipy.stats import binom

Row = Mapping[str, Any]
RATE = 0.05
LIMIT_POINTS = 5.0


def most_allowed(simulations: int, cells: int) -> int:
    """The largest count that the exact binomial test of 5% accepts at 5% over all cells (Bonferroni)."""
    return int(binom.ppf(1 - 0.05 / max(1, cells), simulations, RATE))


def accepted_up_to(rows: list[Row], bad: int) -> str:
    """The bound, and how many cells keep it."""
    n = rows[0]["simulations"]
    bound = f"Accepted up to {most_allowed(n, len(rows)) / n:.1%} ({n:,} simulations, exact binomial, corrected over {len(rows)} cells)"
    return f"{bound}: {len(rows) - bad} of {len(rows)}."


def stats(rows: list[Row]) -> list[str]:
    """The block of the page."""
    level, power, interval = ([r for r in rows if r["part"] == p] for p in ("level", "power", "interval"))
    out: list[str] = []
    if level:
        out += ["### The stop rule: level", "", *levels(level), ""]
    if power:
        out += ["### The stop rule: power", "", *powers(power), ""]
    if interval:
        out += ["### Intervals of the holdout", "", *covers(interval), ""]
    return out


def levels(rows: list[Row]) -> list[str]:
    """Climbs to what adds nothing, a cell a row."""
    out = [
        "| Ladder | Simulations | simple | balanced | best | Any false proof | Accepted |",
        "|---|---:|---:|---:|---:|---:|---|",
    ]
    bad = 0
    for r in rows:
        n = r["simulations"]
        told = {p: r["climbs"].get(p) for p in ("simple", "balanced", "best")}
        if r["any_gain"]:
            told["best"] = None  # it takes the best score whatever that adds
        counted = [c for c in (*told.values(), r["proven"]) if c is not None]
        accepted = max(counted) <= most_allowed(n, len(rows))
        bad += not accepted
        shares = ["" if c is None else f"{c / n:.1%}" for c in (*told.values(), r["proven"])]
        out.append(_line(r["cell"], f"{n:,}", *shares, "yes" if accepted else "**no**"))
    return [*out, "", accepted_up_to(rows, bad)]


def powers(rows: list[Row]) -> list[str]:
    """A curve a row: ladder and both oracles at each effect, and the largest shortfall in points."""
    effects = sorted({r["effect"] for r in rows})
    head = [f"{e:g}" for e in effects]
    out = [_line("Ladder", "Who", *head, "Largest shortfall, points"), "|---|---|" + "---:|" * (len(effects) + 1)]
    met = {"told": 0, "untold": 0}
    worlds = list(dict.fromkeys(r["of"] for r in rows))
    for world in worlds:
        of = {r["effect"]: r for r in rows if r["of"] == world}
        short = {}
        for who in ("told", "untold"):
            short[who] = max(100.0 * (r[who] - r["balanced"]) / r["simulations"] for r in of.values())
            met[who] += short[who] <= LIMIT_POINTS
        for who, words in (
            ("balanced", "holdgood"),
            ("told", "oracle, told which"),
            ("untold", "oracle, not told which"),
        ):
            cells = [f"{100 * of[e][who] / of[e]['simulations']:.0f}%" if e in of else "" for e in effects]
            out.append(_line(world, words, *cells, "" if who == "balanced" else f"{short[who]:.1f}"))
    n = rows[0]["simulations"]
    said = f"{n:,} simulations a cell. Within {LIMIT_POINTS:g} points of the oracle that is told which rung and configuration is best: "
    said += f"{met['told']} of {len(worlds)} curves; of the oracle that knows everything but that: {met['untold']} of {len(worlds)}."
    return [*out, "", said]


def covers(rows: list[Row]) -> list[str]:
    """Misses of 95% intervals, a cell a row; those that are not accepted in bold."""
    out = ["| Number | Simulations | Missed | Truth below | Truth above | Accepted |", "|---|---:|---:|---:|---:|---|"]
    bad = 0
    for r in rows:
        n, missed = r["simulations"], r["below"] + r["above"]
        accepted = missed <= most_allowed(n, len(rows))
        bad += not accepted
        shares = [f"{missed / n:.1%}", f"{r['below'] / n:.1%}", f"{r['above'] / n:.1%}"]
        out.append(_line(r["cell"], f"{n:,}", *shares, "yes" if accepted else "**no**"))
    return [*out, "", accepted_up_to(rows, bad)]


def _line(*cells: object) -> str:
    return "| " + " | ".join(map(str, cells)) + " |"
