"""The table of InventoryBench from the lines that are there; summarise.py puts it into docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Row = Mapping[str, Any]
STRATA = {
    "all": "All",
    "lead_time_0": "Lead time 0",
    "lead_time_4": "Lead time 4",
    "lead_time_stochastic": "Stochastic",
}


def inventorybench(rows: list[Row]) -> list[str]:
    """One line a way of playing, mean and interval of each stratum; then what others and perfect foresight have on the same half."""
    if not rows:
        return []
    out = [
        "| Who | " + " | ".join(STRATA.values()) + " | Better than OR | CPU s |",
        "|---|" + "---:|" * (len(STRATA) + 2),
    ]
    for r in rows:
        better = f"{r['better_than_or']} of {r['instances']}" if "better_than_or" in r else ""
        out.append(_line(_who(r), r["holdgood"], better, r.get("agent_cpu_s", "")))
    last = rows[-1]
    out.append(_line("published OR (capped base stock)", last["published_or"], "", ""))
    out.append(_line("perfect foresight", last["perfect_foresight"], "", ""))
    gain = ", ".join(f"{STRATA[k].lower()} {_cell(v)}" for k, v in rows[0]["gain"].items())
    return [
        *out,
        "",
        f"{_who(rows[0])} less published OR on the same instances: {gain}. Intervals: 95%, bootstrap over {last['items']} items.",
    ]


def _who(r: Row) -> str:
    seen = "demand is seen" if r["see"] == "demand" else "sales only"
    end = "end known" if r["end_told"] else "end not known"
    return f"holdgood: {seen}, {end}"


def _line(who: str, strata: Mapping[str, list[float]], *more: object) -> str:
    return "| " + " | ".join([who, *(_cell(strata[k]) for k in STRATA), *map(str, more)]) + " |"


def _cell(value: list[float]) -> str:
    mean, low, high = value
    return f"{mean:.3f} ({low:.3f} to {high:.3f})"
