"""The table of benchmarks/live/probation.py; summarise.py puts it into docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median
from typing import Any

from scipy.stats import binom

Row = Mapping[str, Any]
ERROR = 0.05
BREAKS = 49
KINDS = 3


def live_probation(rows: list[Row]) -> list[str]:
    """One line a kind of losses and case."""
    cells: dict[tuple[str, float], list[Row]] = {}
    for r in rows:
        cells.setdefault((r["kind"], r["after"]), []).append(r)
    if not cells:
        return []
    out = [
        "| Losses | From day 49 on worse by, standard errors | Probations | Sent back | Days until then: median, nine of ten "
        "| All rows together: sent back, median | Held |",
        "|---|---:|---:|---:|---|---|---|",
    ]
    for (kind, after), mine in sorted(cells.items(), key=lambda c: (c[0][1], c[0][0])):
        n = sum(r["probations"] for r in mine)
        days, whole = ([d for r in mine for d in r[name]] for name in ("sent_back_on_day", "together_on_day"))
        held = "" if after else "yes" if len(days) <= binom.ppf(1 - ERROR / KINDS, n, ERROR) else "**no**"
        late = _delay(days, n) if after else ""
        other = f"{len(whole) / n:.1%}" + (f", {_median(whole, n)}" if after else "")
        said = f"{after:+g}" if after else "as good all the time"
        out.append(f"| {kind} | {said} | {n:,} | {len(days) / n:.1%} | {late} | {other} | {held} |")
    return [
        *out,
        "",
        "13 weeks, a look a week, 5% over all looks and windows. Held: the exact binomial test of 5%, corrected over the kinds of losses. "
        "Days count from the day the model broke; one that was never sent back counts as never.",
    ]


def _delay(days: list[int], n: int) -> str:
    late = sorted(d - BREAKS for d in days) + [None] * (n - len(days))
    nine = late[int(0.9 * n) - 1]
    return f"{_median(days, n)}, {'never' if nine is None else nine}"


def _median(days: list[int], n: int) -> str:
    """Of all ``n`` probations; those that never ended so lie beyond every day."""
    if len(days) < (n + 1) // 2:
        return "never"
    return f"{median(sorted([d - BREAKS for d in days] + [10_000] * (n - len(days)))):.0f}"
