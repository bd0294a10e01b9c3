"""The table of the order sheet: cost by policy, and what each step of the chain brought."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Row = Mapping[str, Any]


def sheet(rows: list[Row]) -> list[str]:
    """For every set its policies, each with what it saves against the one above; then the last against the first ones."""
    out: list[str] = []
    for r in rows:
        step = {c["first"]: c for c in reversed(r["compared"])}
        out += [
            f"**{r['set']}**: {r['items']} items, {r['windows']} windows of {r['steps']} steps, lead time {r['lead']}, order every {r['review']}; "
            f"holding {r['holding']:.3g} a unit and step, shortage {r['shortage']:g} a unit. {r['cpu_s']:.0f} CPU s on {r['machine']}.",
            "",
            "| Policy | Cost an item | Holding | Fill rate | Saved against the line above | 95%, items | 95%, windows | Windows won |",
            "|---|---:|---:|---:|---:|---|---|---:|",
        ]
        for k, p in enumerate(r["policies"]):
            c = step.get(p["name"]) if k else None
            more = [f"{c['saved']:.1%}", _range(c["items"]), _range(c["windows"]), f"{c['wins']} of {c['of']}"] if c else [""] * 4  # fmt: skip
            numbers = [f"{p['cost']:,.1f}", f"{p['holding']:,.1f}", f"{p['fill_rate']:.1%}", *more]
            out.append("| " + " | ".join([p["name"], *numbers]) + " |")
        out.append("")
        for c in r["compared"][len(r["policies"]) - 1 :]:
            over = f"items {_range(c['items'])}; windows {_range(c['windows'])}"
            out += [
                f"{c['first'].capitalize()} (all of the above) against {c['second']}: {c['saved']:.1%} saved ({over}), "
                f"{c['wins']} of {c['of']} windows won.",
                "",
            ]
    return out[:-1]


def _range(ends: list[float]) -> str:
    return f"{ends[0]:.1%} to {ends[1]:.1%}"
