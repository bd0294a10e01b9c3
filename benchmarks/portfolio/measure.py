"""The portfolio (1): every configuration of the pool on every development set, fold by fold. Training rows only.

Rows are capped (a seeded sample of the training rows of the manifest's split), each fit has a limit of time, one thread, one process.
One JSON line a fit in benchmarks/results/portfolio.jsonl: the loss of the validation rows by the set's metric (one minus the area, log
loss, RMSE) and CPU seconds. Resumable: what is there is not done again. The test rows of the benchmark are not read.

    --cap 5000   --folds 2   --limit 30   --sets adult,…   --families lightgbm,…   --list
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from pool import Configuration, parameters_of, pool  # noqa: E402
from record import RESULTS, record  # noqa: E402
from tabular.sets import DATA, METRIC, entries, load  # noqa: E402

from holdgood.connectors import read_table  # noqa: E402
from holdgood.core import plugins  # noqa: E402
from holdgood.core.chain import Chain  # noqa: E402
from holdgood.core.declaration import Declaration, TableSpec, TaskSpec  # noqa: E402
from holdgood.core.frame import Frame  # noqa: E402
from holdgood.core.protocols import FitContext  # noqa: E402
from holdgood.core.task import Task  # noqa: E402
from holdgood.features.builders.build import build  # noqa: E402
from holdgood.features.builders.plan import make_plan  # noqa: E402
from holdgood.features.encode.for_needs import encoder_for  # noqa: E402
from holdgood.metrics import metric  # noqa: E402
from holdgood.splitting import folds  # noqa: E402

STOP_SHARE = 0.15


class Ready:
    """One set, capped and built: features, coded outcomes, folds."""

    def __init__(self, entry: dict[str, Any], cap: int, n_folds: int) -> None:
        one = load(entry, 0)
        rng = np.random.default_rng(0)
        rows = np.sort(rng.permutation(len(one.train))[:cap])
        self.name, self.kind, self.rows = one.name, one.task, len(one.train)
        table = read_table(one.train.iloc[rows].reset_index(drop=True), name="X")
        types = {"X": TableSpec(types={c.name: c.type for c in table.columns})}
        plan = make_plan(Declaration(tables=types, task=TaskSpec(target="y")), {"X": table}, exclude={})
        self.frame: Frame = build(plan, table, {}, decision_time=None)[0]
        y = one.y_train[rows]
        if one.task == "regression":
            self.task, self.y = Task(kind="regression", metric="rmse"), np.asarray(y, np.float64)
        else:
            classes = (
                one.classes if one.positive is None else [c for c in one.classes if c != one.positive] + [one.positive]
            )
            place = {c: i for i, c in enumerate(classes)}
            self.task = Task(kind=one.task, classes=tuple(classes))
            self.y = np.array([place[v] for v in y.tolist()], np.float64)
        self.folds = folds(self.task, self.y, n_folds=max(3, n_folds))[:n_folds]


def measure(ready: Ready, configuration: Configuration, fold: int, limit: float) -> dict[str, Any]:
    """Loss and seconds of one fit; a failure is told, not raised."""
    rows = len(ready.frame)
    parameters = parameters_of(configuration, ready.task, rows, len(ready.frame.features))
    if parameters is None:
        return {"loss": None, "ended": "none for this task and size"}
    family = plugins.load_all("holdgood.models")[configuration["family"]]
    train, valid = ready.folds[fold]
    rng = np.random.default_rng(fold)
    stop = np.sort(rng.permutation(len(train))[: max(1, round(STOP_SHARE * len(train)))])
    context = FitContext(ready.task, seed=fold, stop_rows=stop, seconds=limit)
    begun, cpu = time.monotonic(), time.process_time()
    try:
        chain = Chain(encoder_for(family.needs), family.make(dict(parameters)))
        chain.fit(ready.frame.take(train), ready.y[train], None, context)
        fit_s = time.process_time() - cpu
        prediction = chain.predict(ready.frame.take(valid))
        found = metric(METRIC[ready.kind], ready.task)
        score = found.score(ready.task, ready.y[valid], prediction)
    except Exception as error:  # a configuration that fails on a set is a result
        return {"loss": None, "ended": f"{type(error).__name__}: {error}"[:200]}
    loss = 1.0 - score if found.higher_is_better else score
    late = "ok" if time.monotonic() - begun <= 1.5 * limit else "over its limit"
    return {
        "loss": float(loss),
        "cpu_s": round(time.process_time() - cpu, 3),
        "fit_cpu_s": round(fit_s, 3),
        "ended": late,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cap", type=int, default=5000)
    parser.add_argument("--folds", type=int, default=2)
    parser.add_argument("--limit", type=float, default=30.0)
    parser.add_argument("--sets", default="")
    parser.add_argument("--families", default="")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    if not DATA.exists():
        sys.exit(f"no data at {DATA}: set HOLDGOOD_DATA")
    configurations = pool(list(filter(None, options.families.split(","))) or None)
    if options.list:
        for c in configurations:
            print(json.dumps(c))
        return
    path = RESULTS / "portfolio.jsonl"
    lines = [json.loads(x) for x in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
    done = {(r["set"], json.dumps(r["configuration"], sort_keys=True), r["fold"], r["cap"]) for r in lines}
    wanted = set(filter(None, options.sets.split(",")))
    for entry in entries():
        if wanted and entry["name"] not in wanted:
            continue
        ready: Ready | None = None
        for c in configurations:
            for fold in range(options.folds):
                if (entry["name"], json.dumps(c, sort_keys=True), fold, options.cap) in done:
                    continue
                ready = ready or Ready(entry, options.cap, options.folds)
                row = {"set": ready.name, "task": ready.kind, "rows": ready.rows, "cap": options.cap, "fold": fold}
                record("portfolio", row | {"configuration": c} | measure(ready, c, fold, options.limit))


if __name__ == "__main__":
    main()
