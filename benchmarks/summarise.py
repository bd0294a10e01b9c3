"""Write the tables of docs/benchmarks.md from benchmarks/results/*.jsonl: what stands between the marks is replaced.

    python benchmarks/summarise.py            # rewrite the page
    python benchmarks/summarise.py --check    # exit with 1 where the page does not show the results that are here

The last line of each set (or command, or step) counts; older ones are kept in the files.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "benchmarks.md"
RESULTS = ROOT / "benchmarks" / "results"
NAMES = ("smoke", "cost", "demo")
Row = dict[str, object]


def lines(name: str, folder: Path = RESULTS) -> list[Row]:
    """All measurements of one benchmark, oldest first; a line that was cut off is passed over."""
    path = folder / f"{name}.jsonl"
    found = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found


def latest(rows: list[Row], key: str) -> list[Row]:
    """The last row of each key, in the order in which the keys first came."""
    newest: dict[object, Row] = {}
    for row in rows:
        if key in row:
            newest[row[key]] = row
    return list(newest.values())


def smoke(rows: list[Row]) -> list[str]:
    """One line a set, then how many are at least as good, and the slowest."""
    if not rows:
        return []
    out = [
        "| Set | Metric | holdgood | LightGBM, default | At least as good | Wall s | CPU s | Chosen |",
        "|---|---|---:|---:|---|---:|---:|---|",
    ]
    for r in rows:
        good = "yes" if r["at_least_as_good"] else "**no**"
        numbers = [_n(r["holdgood"], 5), _n(r["lightgbm_default"], 5), good, _n(r["wall_s"]), _n(r["cpu_s"])]
        out.append(_line(r["set"], r["metric"], *numbers, r["chosen"]))
    won, n = sum(bool(r["at_least_as_good"]) for r in rows), len(rows)
    low, high = wilson(won, n)
    slowest = max(float(str(r["wall_s"])) for r in rows)
    return [
        *out,
        "",
        f"At least as good as default LightGBM on {won} of {n} sets (95%: {low:.0%} to {high:.0%} of sets like these).",
        f"Slowest fit {slowest:.1f} s of wall clock.",
        "Higher is better for roc_auc, lower for log_loss and rmse.",
    ]


def cost(rows: list[Row]) -> list[str]:
    """One line a command."""
    if not rows:
        return []
    out = ["| Command | CPU s, median of 5 | Aim | Peak MB so far |", "|---|---:|---:|---:|"]
    return out + [_line(r["what"], _n(r["cpu_s"]), _n(r.get("aim_s")), _n(r.get("peak_mb_so_far"))) for r in rows]


def demo(rows: list[Row]) -> list[str]:
    """One line a step, then the whole."""
    if not rows:
        return []
    out = ["| Step | Wall s |", "|---|---:|"]
    out += [f"| {r['step']} | {_n(r['wall_s'])} |" for r in rows if r["step"] != "all"]
    whole = next((r for r in rows if r["step"] == "all"), None)
    if whole is None:
        return out
    return [
        *out,
        f"| **all** | **{_n(whole['wall_s'])}** |",
        "",
        f"CPU {_n(whole['cpu_s'])} s, peak {_n(whole['peak_mb'])} MB. Chosen: {whole['chosen']}.",
        f"Holdout {whole['metric']} {_n(whole['value'])} (95%: {_n(whole['low'])} to {_n(whole['high'])}).",
    ]


TABLES: dict[str, tuple[str, Callable[[list[Row]], list[str]]]] = {
    "smoke": ("set", smoke),
    "cost": ("what", cost),
    "demo": ("step", demo),
}


def summarised(page: str, folder: Path = RESULTS) -> str:
    """The page with its marked blocks replaced; a benchmark without results keeps what the page says."""
    for name, (key, table) in TABLES.items():
        said = table(latest(lines(name, folder), key))
        if said:
            block = "\n".join([f"<!-- {name}:begin -->", "", *said, "", f"<!-- {name}:end -->"])
            page = re.sub(rf"<!-- {name}:begin -->.*?<!-- {name}:end -->", lambda _, b=block: b, page, flags=re.S)
    return page


def wilson(k: int, n: int) -> tuple[float, float]:
    """Wilson's interval of a share, 95%."""
    z, p = 1.959964, k / n
    middle, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return max(0.0, (middle - half) / (1 + z * z / n)), min(1.0, (middle + half) / (1 + z * z / n))


def _line(*cells: object) -> str:
    return "| " + " | ".join(map(str, cells)) + " |"


def _n(value: object, digits: int = 3) -> str:
    if not isinstance(value, (int, float)):
        return ""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.{digits}g}"


def main() -> int:
    """Rewrite the page, or say whether it is stale."""
    before = PAGE.read_text(encoding="utf-8")
    after = summarised(before)
    if after != before and "--check" not in sys.argv[1:]:
        PAGE.write_text(after, encoding="utf-8")
    print(
        "unchanged"
        if after == before
        else "stale"
        if "--check" in sys.argv[1:]
        else f"written: {PAGE.relative_to(ROOT)}"
    )
    return 1 if after != before and "--check" in sys.argv[1:] else 0


if __name__ == "__main__":
    sys.exit(main())
