"""make bench-smoke: every tabular set under HOLDGOOD_DATA, `holdgood.fit(X, y, budget="60s")` against default LightGBM.

One JSON line a set; the test rows (splits/NAME.npy) are looked at by nothing but the final score. Resumable: finished sets in
benchmarks/results/smoke.jsonl are not done again (--fresh starts anew). Options: --budget 60s --only adult,credit_g --fresh.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

import holdgood

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("HOLDGOOD_DATA", ROOT.parent / "shared" / "data")) / "tabular"
RESULTS = ROOT / "benchmarks" / "results" / "smoke.jsonl"


def cpu_seconds() -> float:
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def score(kind: str, y, prediction) -> float:
    from sklearn.metrics import log_loss, roc_auc_score, root_mean_squared_error

    if kind == "binary":
        return float(roc_auc_score(y, prediction))
    if kind == "multiclass":
        return float(log_loss(y, prediction[0], labels=prediction[1]))
    return float(root_mean_squared_error(y, prediction))


def default_lightgbm(kind: str, X: pd.DataFrame, y: pd.Series, T: pd.DataFrame, positive: object):
    """LightGBM as it comes: strings as pandas categories, dates as numbers, nothing tuned."""
    import lightgbm

    both = pd.concat([X, T])
    for name in both.columns:
        if pd.api.types.is_datetime64_any_dtype(both[name]):
            both[name] = both[name].astype("int64") / 1e9
        elif not (pd.api.types.is_numeric_dtype(both[name]) or pd.api.types.is_bool_dtype(both[name])):
            both[name] = both[name].astype("string").astype("category")
    both.columns = [f"f{i}" for i in range(both.shape[1])]
    train, test = both.iloc[: len(X)], both.iloc[len(X) :]
    common = {"verbosity": -1, "n_jobs": 2, "random_state": 0}
    if kind == "regression":
        return lightgbm.LGBMRegressor(**common).fit(train, y).predict(test)
    model = lightgbm.LGBMClassifier(**common).fit(train, y)
    proba = model.predict_proba(test)
    if kind == "binary":
        return proba[:, list(model.classes_).index(positive)]
    return proba, list(model.classes_)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--budget", default="60s")
    parser.add_argument("--only", default="")
    parser.add_argument("--fresh", action="store_true")
    options = parser.parse_args()
    if not DATA.exists():
        sys.exit(f"no data at {DATA}: set HOLDGOOD_DATA")
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    if options.fresh:
        RESULTS.unlink(missing_ok=True)
    done = [json.loads(line) for line in RESULTS.read_text().splitlines()] if RESULTS.exists() else []
    finished = {r["set"] for r in done if r["budget"] == options.budget}
    manifest = json.loads((DATA.parent / "manifest.json").read_text())["tabular"]["datasets"]
    wanted = set(filter(None, options.only.split(",")))
    for entry in manifest:
        name = entry["name"]
        if name in finished or (wanted and name not in wanted) or not (DATA / f"{name}.parquet").exists():
            continue
        row = measure(entry, options.budget)
        done.append(row)
        with RESULTS.open("a") as file:
            file.write(json.dumps(row) + "\n")
        print(json.dumps(row), flush=True)
    table([r for r in done if r["budget"] == options.budget])


def measure(entry: dict, budget: str) -> dict:
    name, target, kind = entry["name"], entry["target"], entry["task"]
    frame = pd.read_parquet(DATA / f"{name}.parquet")
    test = np.zeros(len(frame), dtype=bool)
    test[np.load(DATA / "splits" / f"{name}.npy")] = True
    X, y = frame.drop(columns=[target]), frame[target]
    if kind != "regression":
        y = y.astype(str)
    positive = str(entry.get("positive")) if kind == "binary" else None
    if kind == "binary" and positive not in set(y):
        positive = sorted(set(y))[-1]
    before, begun = cpu_seconds(), time.perf_counter()
    model = holdgood.fit(X[~test], y[~test], budget=budget, task=kind)
    wall, cpu = time.perf_counter() - begun, cpu_seconds() - before
    begun = time.perf_counter()
    if kind == "regression":
        prediction = model.predict(X[test])
    else:
        proba = model.predict_proba(X[test])
        prediction = (
            proba[:, list(model.classes_).index(positive)] if kind == "binary" else (proba, list(model.classes_))
        )
    seconds = time.perf_counter() - begun
    truth = (y[test] == positive).to_numpy() if kind == "binary" else y[test].to_numpy()
    ours = score(kind, truth, prediction)
    peer = score(kind, truth, default_lightgbm(kind, X[~test], y[~test], X[test], positive))
    better = ours >= peer if kind == "binary" else ours <= peer
    return {
        "bench": "smoke",
        "set": name,
        "task": kind,
        "metric": {"binary": "roc_auc", "multiclass": "log_loss"}.get(kind, "rmse"),
        "budget": budget,
        "holdgood": round(ours, 6),
        "lightgbm_default": round(peer, 6),
        "at_least_as_good": bool(better),
        "wall_s": round(wall, 2),
        "cpu_s": round(cpu, 2),
        "rows_per_s": round(test.sum() / max(seconds, 1e-9)),
        "model_bytes": sum(t.size_bytes for t in model.leaderboard_.trials if t.name in model.leaderboard_.members),
        "chosen": model.leaderboard_.chosen,
        "members": dict(model.leaderboard_.members),
    }


def table(rows: list[dict]) -> None:
    print(f"\n{'set':<20} {'metric':<9} {'holdgood':>12} {'LightGBM':>12}  ok {'wall s':>7} {'cpu s':>7}  chosen")
    for r in rows:
        scores = f"{r['holdgood']:>12.5g} {r['lightgbm_default']:>12.5g}  {'✓' if r['at_least_as_good'] else '✗'}"
        print(f"{r['set']:<20} {r['metric']:<9} {scores} {r['wall_s']:>8.1f} {r['cpu_s']:>7.1f}  {r['chosen']}")
    good = sum(r["at_least_as_good"] for r in rows)
    slow = max((r["wall_s"] for r in rows), default=0.0)
    print(f"\nat least as good as default LightGBM on {good} of {len(rows)} sets; slowest fit {slow:.1f} s")
    print(
        json.dumps(
            {"bench": "smoke", "summary": True, "sets": len(rows), "at_least_as_good": good, "slowest_wall_s": slow}
        )
    )


if __name__ == "__main__":
    main()
