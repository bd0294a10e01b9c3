"""The table of benchmarks/live/retraining.py; summarise.py puts it into docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median
from typing import Any

from scipy.stats import binom, norm

Row = Mapping[str, Any]
ERROR = 0.05
ORACLE = "knows the true standard error, looks once"


def live_retraining(rows: list[Row]) -> list[str]:
    """Years, then decisions."""
    years = [r for r in rows if r["part"] == "year"]
    decisions = [r for r in rows if r["part"] == "decisions"]
    out = [*_years(years), ""] if years else []
    return out + (_decisions(decisions) if decisions else [])


def _years(rows: list[Row]) -> list[str]:
    days = [d for r in rows for d in r["answered_after_days"]]
    answered = [d for d in days if d is not None]
    scares: dict[str, list[bool]] = {}
    for r in rows:
        for kind, fell in r["scared"].items():
            scares.setdefault(kind, []).append(fell)
    promoted = [p for r in rows for p in r["promoted_after_drift"]]
    out = ["| In a year | Number | Retrained | Share (95%) |", "|---|---:|---:|---|"]
    out.append(f"| a real drift | {len(days)} | {len(answered)} | {_share(len(answered), len(days))} |")
    for kind, fell in sorted(scares.items()):
        out.append(f"| a scare: {kind} | {len(fell)} | {sum(fell)} | {_share(sum(fell), len(fell))} |")
    without = sum(r["without_cause"] for r in rows)
    alarms, looks = sum(r["looks_with_alarm"] for r in rows), sum(r["looks"] for r in rows)
    right = sum(
        None not in r["answered_after_days"] and not any(r["scared"].values()) and not r["without_cause"] for r in rows
    )
    return [
        *out,
        "",
        f"{len(rows)} years, a look a week, outcomes a week late; drifts are answered after {median(answered):.0f} days (median), and a challenger "
        f"goes live after {sum(promoted)} of {len(promoted)}. Retrainings with no cause at all: {without} ({without / len(rows):.2f} a year; the "
        f"policy allows 0.25). {right} of {len(rows)} years are right in everything. An alarm that knows no season was told at {alarms:,} of {looks:,} looks: "
        "whoever retrains on alarms retrains always.",
    ]


def _decisions(rows: list[Row]) -> list[str]:
    cells: dict[tuple[str, float], list[Row]] = {}
    for r in rows:
        cells.setdefault((r["kind"], r["gain"]), []).append(r)
    out = [
        "| Losses | True gain, standard errors | Decisions | Promoted | Oracle would | Days to promotion, median of 91 | Held |",
        "|---|---:|---:|---:|---:|---:|---|",
    ]
    good = 0
    for (kind, gain), mine in sorted(cells.items(), key=lambda c: (c[0][0], c[0][1])):
        n, k = sum(r["decisions"] for r in mine), sum(r["promoted"] for r in mine)
        held = held_to(gain, n, k, len(cells))
        good += held
        days = [d for r in mine for d in r["days_to_promotion"]]
        said = f"{median(days):.0f}" if days else ""
        oracle = sum(r["oracle"] for r in mine)
        out.append(
            f"| {kind} | {gain:+g} | {n:,} | {k / n:.1%} | {oracle / n:.1%} | {said} | {'yes' if held else '**no**'} |"
        )
    return [
        *out,
        "",
        f"Held where a challenger that is not better goes live in at most 5%, and a better one is not held back more often than the oracle test of that level "
        f"allows (63.9% found at two standard errors, 91.2% at three); exact binomial, corrected over {len(cells)} cells: {good} of {len(cells)}. The oracle "
        f"{ORACLE}; a challenger of one standard error below the champion is worse.",
    ]


def held_to(gain: float, n: int, promoted: int, cells: int) -> bool:
    """The exact binomial test at 5% over all cells: promotions at most as stated, or held back at most as the oracle's power allows."""
    if gain <= 0:
        return bool(promoted <= binom.ppf(1 - ERROR / cells, n, ERROR))
    power = float(norm.sf(norm.isf(ERROR) - gain))
    return bool(promoted >= binom.ppf(ERROR / cells, n, power))


def _share(k: int, n: int) -> str:
    low, high = _exact(k, n)
    return f"{k / n:.1%} ({low:.1%} to {high:.1%})"


def _exact(k: int, n: int) -> tuple[float, float]:
    from scipy.stats import beta

    low = 0.0 if k == 0 else float(beta.ppf(0.025, k, n - k + 1))
    return low, 1.0 if k == n else float(beta.ppf(0.975, k + 1, n - k))
