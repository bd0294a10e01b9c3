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

sys.path.insert(0, str(Path(__file__).resolve().parent))
from decide.sheet_table import sheet
from decide.table import constrained
from forecast.covariates_table import covariates
from forecast.table import forecast
from inventorybench.table import inventorybench
from live.batch_table import live_batch
from live.censored_table import live_censored
from live.drift_table import live_drift, live_estimate
from live.journal_table import live_journal
from live.probation_table import live_probation
from live.retraining_table import live_retraining
from live.serve_table import live_serve
from live.watchers_table import live_watchers
from stats.forecast_table import stats_forecasts
from stats.table import stats
from tabular.table import tabular
from vn2.table import simulator, vn2

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "benchmarks.md"
RESULTS = ROOT / "benchmarks" / "results"
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
    """The last row of each key (names joined by blanks are one key), in the order in which the keys first came."""
    newest: dict[object, Row] = {}
    names = key.split()
    for row in rows:
        if all(name in row for name in names):
            newest[tuple(row[name] for name in names)] = row
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


def asof(rows: list[Row]) -> list[str]:
    """One line for the whole, one for the comparison."""
    out = []
    for r in rows:
        if "aggregates" in r:
            out.append(
                f"{r['aggregates']} aggregates over five tables for {r['rows']:,} flights: {r['cpu_s']} CPU s (aim {r['aim_s']}), "
                f"{r['peak_mb']:,} MB."
            )
        else:
            out.append(
                f"{r['what']}: {r['values_equal']:,} of {r['values_compared']:,} values are equal; {r['ours_cpu_s']} CPU s against "
                f"{r['featuretools_cpu_s']} ({r['ratio']:,} times). Dated by its event and cut at the flight's own moment, featuretools "
                f"gives {r['rows_with_their_own_outcome_featuretools']:,} of {r['rows']:,} flights their own delay as a fact of the past; "
                + (
                    "holdgood refuses that declaration."
                    if r["ours_refuses_that_declaration"]
                    else "holdgood takes it too."
                )
            )
        out.append("")
    return out


def planted(rows: list[Row]) -> list[str]:
    """One line a kind: recall at three strengths with its interval, and what is found under another name."""
    stamp = rows[-1].get("code_stamp") if rows else None
    mine = [r for r in rows if r.get("code_stamp") == stamp]
    real = [r for r in mine if r["outcome"] not in ("n/a", "error")]
    if not real:
        return []
    out = [
        "| Kind | Code | Strong: recall (95%) | Middle | Weak | Under another name: strong, middle, weak | Runs | Tables |",
        "|---|---|---|---|---|---|---:|---:|",
    ]
    held = {"strong": [0, 0], "middle": [0, 0]}
    for kind in dict.fromkeys(str(r["kind"]) for r in real):
        its = [r for r in real if r["kind"] == kind]
        cells, others = [], []
        for strength in ("strong", "middle", "weak"):
            some = [r for r in its if r["strength"] == strength]
            k = sum(r["outcome"] == "found" for r in some)
            cells.append(_share(k, len(some)))
            others.append(f"{sum(r['outcome'] == 'other name' for r in some) / max(1, len(some)):.2f}")
            if strength in held and some:
                held[strength][0] += k >= (0.95 if strength == "strong" else 0.8) * len(some)
                held[strength][1] += 1
        codes = sorted({str(r["code"]) for r in its if r["outcome"] == "found"})
        out.append(_line(kind, " ".join(codes), *cells, ", ".join(others), len(its), len({r["table"] for r in its})))
    whole = [r for r in real if r.get("whole")]
    strays = sum(len(r["strays"]) for r in whole) / max(1, len(whole))  # type: ignore[arg-type]
    pointed = [float(str(r["pointed"])) for r in real if r["outcome"] == "found" and r.get("pointed") is not None]
    where = f" Of the rows that findings point at {sum(pointed) / len(pointed):.0%} were planted." if pointed else ""
    return [
        *out,
        "",
        f"Recall of 0.95 or more at the strong strength for {held['strong'][0]} of {held['strong'][1]} kinds, of 0.8 or more at the "
        f"middle strength for {held['middle'][0]} of {held['middle'][1]}.",
        f"{len(real):,} runs. In the {len(whole):,} with every check: new complaints that have nothing to do with what was planted, "
        f"{strays:.2f} a run.{where}",
        f"Not plantable: {sum(r['outcome'] == 'n/a' for r in mine):,}; broken off: {sum(r['outcome'] == 'error' for r in mine):,}.",
    ]


def clean(rows: list[Row]) -> list[str]:
    """False alarms on clean tables: a rate for the bases and for the others, then every table that has one."""
    if not rows:
        return []
    out = [
        "| Tables | Number | False alarms a table | Per 20 columns, mean of tables | Per 20 columns, all columns |",
        "|---|---:|---:|---:|---:|",
    ]
    for title, of in (("the bases, four draws each", True), ("other real tables", False)):
        mine = [r for r in rows if ("#" in str(r["case"])) == of]
        if mine:
            false = [float(str(r["false_alarms"])) for r in mine]
            columns = [float(str(r["columns"])) for r in mine]
            mean = sum(20 * f / c for f, c in zip(false, columns)) / len(mine)
            out.append(
                _line(
                    title,
                    len(mine),
                    f"{sum(false) / len(mine):.2f}",
                    f"{mean:.2f}",
                    f"{20 * sum(false) / sum(columns):.2f}",
                )
            )
    said = [f"{r['case']}: " + ", ".join(" ".join(map(str, x[:3])) for x in r["listed"]) for r in rows if r["listed"]]  # type: ignore[attr-defined]
    return [*out, "", "Counted as false: " + ("; ".join(said) if said else "none") + "."]


def dirty(rows: list[Row]) -> list[str]:
    """One line a table and who looked."""
    if not rows:
        return []
    out = [
        "| Set | Who | Labels | Wrong cells | Told | Precision | Recall | F1 | F1, strict | F1, `--cells` | Corrected | Right among changed | CPU s |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for r in rows:
        figures = [
            _n(r.get(x))
            for x in (
                "wrong",
                "told",
                "precision",
                "recall",
                "f1",
                "f1_strict",
                "f1_listed",
                "correction_recall",
                "correction_precision",
                "cpu_s",
            )
        ]
        out.append(_line(r["set"], r["who"], r["labels"], *figures))
    return out


def peers(rows: list[Row]) -> list[str]:
    """One line a kind: the share found by each peer and by holdgood on the same runs (strong and middle together)."""
    if not rows:
        return []
    names = sorted({str(r["peer"]) for r in rows})
    out = [
        _line(
            "Kind", "Runs", *(f"{p}: found" for p in names), *(f"{p}: any new alert there" for p in names), "holdgood"
        ),
        "|---|" + "---:|" * (2 + 2 * len(names)),
    ]
    for kind in dict.fromkeys(str(r["kind"]) for r in rows):
        its = [r for r in rows if r["kind"] == kind]
        mine = [[r for r in its if r["peer"] == p] for p in names]
        found = [f"{sum(bool(r['found']) for r in m) / max(1, len(m)):.2f}" for m in mine]
        any_ = [f"{sum(bool(r['touched']) for r in m) / max(1, len(m)):.2f}" for m in mine]
        ours = sum(r["holdgood"] == "found" for r in its) / len(its)
        out.append(_line(kind, max(map(len, mine)), *found, *any_, f"{ours:.2f}"))
    noise = [
        f"{p} {sum(float(str(r['clean_alerts'])) for r in rows if r['peer'] == p) / max(1, sum(r['peer'] == p for r in rows)):.1f}"
        for p in names
    ]
    return [*out, "", "Alerts on the clean tables, mean of runs: " + ", ".join(noise) + "."]


def speed(rows: list[Row]) -> list[str]:
    """One line a process."""
    if not rows:
        return []
    out = [
        "| Table | Who | CPU s | Aim | Times ours | Wall s | Peak MB | Aim | Ended |",
        "|---|---|---:|---:|---:|---:|---:|---:|---|",
    ]
    for r in rows:
        out.append(
            _line(
                r["shape"],
                r["who"],
                _n(r["cpu_s"]),
                _n(r.get("aim_s")),
                _n(r.get("times_ours")),
                _n(r["wall_s"]),
                _n(r["peak_mb"]),
                _n(r.get("aim_mb")),
                r["ended"],
            )
        )
    return out


TABLES: dict[str, tuple[str, Callable[[list[Row]], list[str]]]] = {
    "smoke": ("set", smoke),
    "cost": ("what", cost),
    "demo": ("step", demo),
    "asof": ("what", asof),
    "planted": ("kind table strength seed", planted),
    "clean": ("case", clean),
    "dirty": ("set who", dirty),
    "peers": ("peer kind table strength seed", peers),
    "speed": ("what", speed),
    "tabular": ("machine budget system set split", tabular),
    "stats": ("bench part cell", stats),
    "forecast": ("machine set system budget", forecast),
    "decide-milp": ("case", constrained),
    "decide-sheet": ("set", sheet),
    "covariates": ("set what", covariates),
    "stats_forecasts": ("part cell", stats_forecasts),
    "vn2": ("window", vn2),
    "simulator": ("what", simulator),
    "live-retraining": ("case", live_retraining),
    "live-probation": ("case", live_probation),
    "live-journal": ("what", live_journal),
    "live-drift": ("cell", live_drift),
    "live-estimate": ("cell", live_estimate),
    "live-watchers": ("cell", live_watchers),
    "live-censored": ("limit worse", live_censored),
    "live-serve": ("part", live_serve),
    "live-batch": ("machine rows model way", live_batch),
    "inventorybench": ("see end_told seed", inventorybench),
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


def _share(k: int, n: int) -> str:
    if n == 0:
        return "n/a"
    low, high = wilson(k, n)
    return f"{k / n:.2f} ({low:.2f} to {high:.2f})"


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
