"""make bench-audit (4): two peers on the same planted tables: which kinds do they flag, told by the same rule?

ydata-profiling and deepchecks as they come, each in an environment of its own (venvs.py). A kind counts as found where an alert is new
(it did not stand on the clean table), names the planted column or, for errors of whole rows, none, and its type is one that describes the fault: ``SAYS``
below, read generously. Peers look at one table at a time, so kinds that lie between tables are told as n/a for them.
One JSON line a run in benchmarks/results/peers.jsonl; resumable. Options: --peers ydata,deepchecks --seeds 1 --kinds … --tables adult,diamonds
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import numpy as np  # noqa: E402
from case import Case, NotPlantable  # noqa: E402
from kind import Truth  # noqa: E402
from plant import KINDS, plant, seeded  # noqa: E402
from planted import ready_for, run_one  # noqa: E402
from tables import DATA, VARIANTS  # noqa: E402
from venvs import QUIET, python_of  # noqa: E402

RESULTS = HERE.parent / "results" / "peers.jsonl"
BETWEEN = {"orphans", "fan_out", "unit_between", "zone_between", "uncovered", "stale_feed", "broken_grain"}
BOTH_PARTS = {"test_in_train", "entity_across"}
TYPED = ("UNSUPPORTED", "MixedDataTypes", "StringMismatchComparison", "StringMismatch", "SpecialCharacters", "MixedNulls",
         "HIGH_CARDINALITY", "UNIFORM", "UNIQUE", "TYPE_DATE")  # fmt: skip
FAR = ("SKEWED", "OutlierSampleDetection", "FeatureFeatureCorrelation")
SAYS: dict[str, tuple[str, ...]] = {
    "missing_block": ("MISSING", "PercentOfNulls", "MixedNulls"),
    "sentinel_number": FAR,
    "sentinel_word": ("MixedNulls", "SpecialCharacters", "DIRTY_CATEGORY"),
    "sentinel_in_number": TYPED,
    "zero_impossible": ("ZEROS", *FAR),
    "mixed_types": TYPED,
    "malformed_dates": TYPED,
    "dates_out_of_range": FAR,
    "unit_thousand": FAR,
    "unit_temperature": FAR,
    "unit_inch": FAR,
    "unit_mile": FAR,
    "swapped": (*FAR, "DIRTY_CATEGORY"),
    "spellings": ("StringMismatch", "DIRTY_CATEGORY"),
    "typos": ("StringMismatch", "DIRTY_CATEGORY"),
    "whitespace": ("StringMismatch", "SpecialCharacters", "DIRTY_CATEGORY"),
    "mojibake": ("SpecialCharacters", "StringMismatch", "DIRTY_CATEGORY"),
    "broken_dependency": ("HIGH_CORRELATION", "ConflictingLabels"),
    "entry_digit": FAR,
    "entry_transposed": FAR,
    "exact_duplicates": ("DUPLICATES", "DataDuplicates"),
    "near_duplicates": ("DUPLICATES", "NEAR_DUPLICATE", "DataDuplicates"),
    "contradicting_copies": ("UNIQUE", "NEAR_DUPLICATE"),
    "constant": ("CONSTANT", "IMBALANCE", "IsSingleValue"),
    "redundant": ("HIGH_CORRELATION", "FeatureFeatureCorrelation", "REJECTED"),
    "identifier": ("UNIQUE", "UNIFORM", "HIGH_CARDINALITY", "IdentifierLabelCorrelation"),
    "gaps": ("NON_STATIONARY",),
    "irregular": ("NON_STATIONARY",),
    "zone_shift": ("NON_STATIONARY",),
    "daylight_saving": ("UNIQUE", "NON_STATIONARY"),
    "regime_break": ("NON_STATIONARY", *FAR),
    "drift_halfway": ("NON_STATIONARY", "FeatureDrift", "IMBALANCE"),
    "sensor_stuck": FAR,
    "sensor_spike": FAR,
    "sensor_saturated": FAR,
    "sensor_drift": (*FAR, "NON_STATIONARY"),
    "group_thinned": ("IMBALANCE",),
    "leak_number": ("HIGH_CORRELATION", "FeatureLabelCorrelation", "FeatureLabelCorrelationChange"),
    "leak_category": ("HIGH_CORRELATION", "FeatureLabelCorrelation", "FeatureLabelCorrelationChange"),
    "late_fact": ("HIGH_CORRELATION", "FeatureLabelCorrelation", "FeatureLabelCorrelationChange"),
    "test_in_train": ("TrainTestSamplesMix",),
    "entity_across": ("IndexTrainTestLeakage", "TrainTestSamplesMix"),
    "label_flip": ("ConflictingLabels",),
    "amount_wrong": FAR,
    "conflicting_labels": ("ConflictingLabels",),
    "telling_gaps": ("MISSING", "PercentOfNulls"),
    "imbalance": ("IMBALANCE", "ClassImbalance"),
}


def write_case(case: Case, table: str, folder: Path, parts: bool) -> dict[str, Any]:
    """The table as Parquet, and for kinds of the split both parts of it."""
    frame = case.tables[table]
    paths: dict[str, Any] = {
        "path": str(folder / "table.parquet"),
        "target": case.target if table == case.main else None,
    }
    folder.mkdir(parents=True, exist_ok=True)
    frame.to_parquet(paths["path"])
    if parts and case.part is not None:
        for name, part in (("train", 0), ("test", 1)):
            paths[name] = str(folder / f"{name}.parquet")
            frame[case.part == part].to_parquet(paths[name])
    return paths


def run_peer(peer: str, jobs: list[dict[str, Any]], folder: Path) -> dict[str, dict[str, Any]]:
    listed = folder / "jobs.json"
    listed.write_text(json.dumps(jobs), encoding="utf-8")
    done = subprocess.run(
        [str(python_of(peer)), str(HERE / "peer_runner.py"), peer, str(listed)],
        capture_output=True, text=True, env={**os.environ, **QUIET}, check=False,
    )  # fmt: skip
    lines = [json.loads(x[2:]) for x in done.stdout.splitlines() if x.startswith("@@")]
    if len(lines) < len(jobs):
        print(f"{peer}: {len(jobs) - len(lines)} runs gave no answer: {done.stderr[-400:]}")
    return {x["id"]: x for x in lines}


def judged(kind: str, truth: Truth, clean: list[list[str]], planted: list[list[str]]) -> tuple[bool, bool, list[str]]:
    """Found by the rule above; whether any new alert at all names the place; and what is new."""
    before = {tuple(a) for a in clean}
    new = [a for a in planted if tuple(a) not in before]
    here = [a for a in new if a[1] in truth.columns or (not a[1] and (not truth.columns or truth.level == "table"))]
    return any(a[0] in SAYS.get(kind, ()) for a in here), bool(here), [" ".join(a) for a in new[:8]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", default="ydata,deepchecks")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--kinds", default="")
    parser.add_argument("--tables", default="adult,diamonds,electricity", help="three by default: the peers are slow")
    parser.add_argument("--strengths", default="strong,middle")
    options = parser.parse_args()
    if not DATA.exists():
        sys.exit(f"no data at {DATA}: set HOLDGOOD_DATA")
    lines = [json.loads(x) for x in RESULTS.read_text(encoding="utf-8").splitlines()] if RESULTS.exists() else []
    done = {(r["peer"], r["kind"], r["table"], r["strength"], r["seed"]) for r in lines}
    kinds = options.kinds.split(",") if options.kinds else list(KINDS)
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    for peer in options.peers.split(","):
        for kind in kinds:
            missing = [
                (table, strength, seed)
                for table in options.tables.split(",")
                for strength in options.strengths.split(",")
                for seed in range(options.seeds)
                if (peer, kind, table, strength, seed) not in done
            ]
            rows = compare(peer, kind, missing)
            lines += rows
            with RESULTS.open("a", encoding="utf-8") as file:
                file.writelines(json.dumps(r) + "\n" for r in rows)
    show(lines)


_clean_alerts: dict[tuple[str, str, int, str, str], dict[str, Any]] = {}


def compare(peer: str, kind: str, wanted: list[tuple[str, str, int]]) -> list[dict[str, Any]]:
    """One line a run. The clean table is shown to the peer once for each preparation."""
    if kind in BETWEEN:
        return []
    prepare = KINDS[kind].prepare.__name__ if KINDS[kind].prepare else ""
    planted: dict[tuple[str, str, int], tuple[Case, Truth]] = {}
    for table, strength, seed in wanted:
        try:
            case = ready_for(kind, table, seed % VARIANTS)
            planted[table, strength, seed] = plant(kind, case, strength, seeded(kind, table, strength, seed))
        except NotPlantable:
            continue
    with tempfile.TemporaryDirectory() as place:
        folder, jobs = Path(place), []
        for number, ((table, _, seed), (case, truth)) in enumerate(planted.items()):
            key = (peer, table, seed % VARIANTS, prepare, truth.table)
            if key not in _clean_alerts:
                _clean_alerts[key] = {}
                clean = ready_for(kind, table, seed % VARIANTS)
                jobs.append(
                    {"id": json.dumps(key), **write_case(clean, truth.table, folder / f"c{number}", kind in BOTH_PARTS)}
                )
            jobs.append({"id": str(number), **write_case(case, truth.table, folder / str(number), kind in BOTH_PARTS)})
        answers = run_peer(peer, jobs, folder) if jobs else {}
    out = []
    for key in [k for k in _clean_alerts if json.dumps(k) in answers]:
        _clean_alerts[key] = answers[json.dumps(key)]
    for number, ((table, strength, seed), (_, truth)) in enumerate(planted.items()):
        answer = answers.get(str(number), {"alerts": [], "error": "no answer"})
        before = _clean_alerts[peer, table, seed % VARIANTS, prepare, truth.table]
        found, touched, new = judged(kind, truth, before.get("alerts", []), answer["alerts"])
        ours = run_one(kind, table, strength, seed)
        out.append({
            "bench": "peers", "peer": peer, "kind": kind, "table": table, "strength": strength, "seed": seed,
            "found": found, "touched": touched, "holdgood": ours["outcome"], "new": new,
            "clean_alerts": len(before.get("alerts", [])), "error": answer.get("error", ""), "cpu_s": answer.get("cpu_s"),
            "holdgood_cpu_s": ours.get("audit_s"),
        })  # fmt: skip
        print(json.dumps(out[-1]), flush=True)
    return out


def show(lines: list[dict[str, Any]]) -> None:
    cells: dict[tuple[str, str, str], list[dict[str, Any]]] = defaultdict(list)
    for r in lines:
        cells[r["kind"], r["strength"], r["peer"]].append(r)
    print(f"\n{'kind':<22} {'strength':<8} {'peer':<11} runs found any alert holdgood")
    for (kind, strength, peer), rows in sorted(cells.items()):
        print(
            f"{kind:<22} {strength:<8} {peer:<11} {len(rows):>4} {np.mean([r['found'] for r in rows]):>5.2f} "
            f"{np.mean([r['touched'] for r in rows]):>9.2f} {np.mean([r['holdgood'] == 'found' for r in rows]):>8.2f}"
        )


if __name__ == "__main__":
    main()
