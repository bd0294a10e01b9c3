"""The table of what covariates buy, for docs/benchmarks.md."""

from __future__ import annotations

from typing import Any


def covariates(rows: list[dict[str, Any]]) -> list[str]:
    """One line a set and kind of covariates."""
    if not rows:
        return []
    out = [
        "| Set | Covariates | Series | MASE without | MASE with | Difference (95%) | Series that gain | CPU s without, with |",
        "|---|---|---:|---:|---:|---|---:|---:|",
    ]
    for r in rows:
        names = ", ".join(r["known"]) + (f"; past: {', '.join(r['past'])}" if r["past"] else "")
        said = f"{r['difference']:+.4f} ({r['low']:+.4f} to {r['high']:+.4f})"
        spent = f"{r['cpu_without']:.0f}, {r['cpu_with']:.0f}"
        cells = (
            r["set"],
            names,
            r["series"],
            f"{r['without']:.4f}",
            f"{r['with']:.4f}",
            said,
            f"{r['better']:.0%}",
            spent,
        )
        out.append("| " + " | ".join(map(str, cells)) + " |")
    return out
