"""make bench-audit (2): false alarms on clean tables, a rate per table of 20 columns.

Clean means: nothing was planted. Real tables have faults of their own; those that are TRUE are listed in true_of_bases.toml, each
with its reason and a query that this script runs (it must find at least one row). Every other issue or tip counts as a false alarm.
One JSON line a table in benchmarks/results/clean.jsonl. Options: --only NAME,… --rows 20000 --found (print every finding)
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import tomllib
from collections import Counter
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import duckdb  # noqa: E402
from case import Case, Known  # noqa: E402
from look import BROKEN, look  # noqa: E402
from tables import BASES, CLOCKED, DATA, VARIANTS, _read  # noqa: E402

from holdgood.core.records.audit import Finding  # noqa: E402
from holdgood.core.sql import quote  # noqa: E402

RESULTS = HERE.parent / "results" / "clean.jsonl"
TRUE = tomllib.loads((HERE / "true_of_bases.toml").read_text(encoding="utf-8")).get("true", [])
KEPT_OUT = {"forecast/inventorybench_dev", "forecast/m5_store_dept", "quality/dirty_clean/*"}
"""Panels of series that belong together only in part, tables too large for this, and tables that are dirty by design."""


def cases(rows: int) -> Iterator[tuple[str, Case, bool]]:
    """Name, case, and whether it has a target: the bases in every variant, then every other table of the shared data."""
    for name, make in {**BASES, **CLOCKED}.items():
        for variant in range(VARIANTS):
            yield f"{name}#{variant}", make(variant), True
    manifest = json.loads((DATA / "manifest.json").read_text(encoding="utf-8"))
    targets = {e["name"]: e["target"] for e in manifest["tabular"]["datasets"]}
    for path in sorted(DATA.glob("*/*.parquet")):
        name = f"{path.parent.name}/{path.stem}"
        if any(fnmatchcase(name, k) for k in KEPT_OUT) or path.parent.name == "quality":
            continue
        frame = _read(name)
        if len(frame) > rows:
            # whole stretches of a panel or a log stay together: every k-th row would make gaps of its own
            frame = frame.iloc[:rows].reset_index(drop=True)
        target = targets.get(path.stem) if path.parent.name == "tabular" else None
        declared: dict[str, Any] = {"tables": {path.stem: {}}, "task": {"target": target or ""}}
        yield name, Case(path.stem, path.stem, {path.stem: frame}, declared, Known()), target is not None


def entries_for(case: str, code: str, table: str, column: str) -> list[dict[str, Any]]:
    """The entries of the list that speak of this."""
    return [
        e
        for e in TRUE
        if code in e["codes"]
        and any(fnmatchcase(case, c) for c in ([e["case"]] if isinstance(e["case"], str) else e["case"]))
        and fnmatchcase(table, e.get("table", "*"))
        and (not e.get("columns") or column in e["columns"])
    ]


def verified(entry: dict[str, Any], case: Case, finding: Finding, column: str) -> bool:
    """Whether the entry's query finds a row in this case (DuckDB, the tables by name); {other} is tried with every other column."""
    connection = duckdb.connect(":memory:")
    for name, one in case.as_tables().items():
        connection.register(name, one.data)
    query = entry["query"].replace("{table}", quote(finding.table)).replace("{column}", quote(column))
    others = [c for c in finding.columns if c != column] if "{other}" in query else [""]
    try:
        for other in others:
            found = connection.execute(query.replace("{other}", quote(other))).fetchone()
            if found and (found[0] or 0) > 0:
                return True
    finally:
        connection.close()
    return False


def measure(name: str, case: Case, target: bool, show: bool) -> dict[str, Any]:
    """Audit one clean table and part what is true from what is a false alarm."""
    begun = time.process_time()
    looked = look(case, declared="#" in name, target=target)
    spent = time.process_time() - begun
    false, true = [], []
    refuted: list[str] = []
    for f in looked.findings:
        said = [_holds(name, case, f, c, refuted) for c in f.columns or ("",)]
        (true if all(said) else false).append(f)
        if show:
            print(
                f"  {'true ' if all(said) else 'FALSE'} {f.code} {f.level} {f.sure} {f.table} {f.columns[:6]} {f.rows}: {f.message}"
            )
    columns = sum(len(f.columns) for f in case.tables.values())
    return {
        "bench": "clean",
        "case": name,
        "rows": len(case.tables[case.main]),
        "columns": columns,
        "false_alarms": len(false),
        "issues": sum(f.level == "issue" for f in false),
        "true": len(true),
        "listed": [[f.code, f.table, *f.columns[:6]] for f in false],
        "refuted": refuted,
        "skipped": looked.skipped,
        "refused": looked.refused,
        "audit_s": round(spent, 2),
    }


def _holds(name: str, case: Case, finding: Finding, column: str, refuted: list[str]) -> bool:
    """Whether an entry says that this is true, and its query agrees."""
    code, table = finding.code, finding.table
    entries = entries_for(name, code, table, column)
    for entry in entries:
        try:
            if verified(entry, case, finding, column):
                return True
        except duckdb.Error as error:
            refuted.append(f"{code} {table} {column}: the query fails: {str(error).splitlines()[0]}")
    refuted += [f"{code} {table} {column}: not so: {e['why']}" for e in entries]
    return False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="")
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--found", action="store_true")
    options = parser.parse_args()
    if not DATA.exists():
        sys.exit(f"no data at {DATA}: set HOLDGOOD_DATA")
    for code, said in BROKEN.items():
        print(f"NOT LOADED {code}: {said}")
    wanted = [w for w in options.only.split(",") if w]
    lines = []
    for name, case, target in cases(options.rows):
        if wanted and not any(fnmatchcase(name, w) for w in wanted):
            continue
        lines.append(measure(name, case, target, options.found))
        row = lines[-1]
        said = "; ".join(" ".join(x) for x in row["listed"])
        print(
            f"{name:<34} {row['columns']:>4} columns  {row['false_alarms']:>3} false  {row['true']:>3} true  {said}",
            flush=True,
        )
        for problem in (*row["refuted"][:4], *row["skipped"], row["refused"]):
            if problem:
                print(f"    ! {problem}")
    if not wanted:
        RESULTS.parent.mkdir(parents=True, exist_ok=True)
        RESULTS.write_text("".join(json.dumps(r) + "\n" for r in lines), encoding="utf-8")
    summary(lines)


def summary(lines: list[dict[str, Any]]) -> None:
    for title, mine in (
        ("five bases and clocked ones", [r for r in lines if "#" in r["case"]]),
        ("other tables", [r for r in lines if "#" not in r["case"]]),
    ):
        if not mine:
            continue
        rates = [20.0 * r["false_alarms"] / r["columns"] for r in mine]
        per_table = np.mean([r["false_alarms"] for r in mine])
        print(f"\n{title}: {len(mine)} tables, {per_table:.2f} false alarms a table, {np.mean(rates):.2f} per 20 columns (mean of tables), "
              f"{20 * sum(r['false_alarms'] for r in mine) / sum(r['columns'] for r in mine):.2f} over all columns")  # fmt: skip
        codes = Counter(x[0] for r in mine for x in r["listed"])
        print("  by code: " + ", ".join(f"{c} {n}" for c, n in sorted(codes.items())))


if __name__ == "__main__":
    main()
