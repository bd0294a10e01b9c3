"""One fit in a process of its own: python fit_one.py JOB.json. Writes predictions of the test rows and what it measured.

Runs in the environment of the system that is measured; imports nothing of ours but systems.py. The folder of the job holds
train.parquet, test.parquet (without the outcome) and outcome.npy; test outcomes are not there.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
from systems import SYSTEMS, Data  # noqa: E402
from used import cpu_seconds  # noqa: E402

PACKAGES = ("holdgood", "autogluon.tabular", "flaml", "mljar-supervised", "lightgbm", "catboost", "xgboost", "xgboost-cpu",
            "torch", "scikit-learn", "numpy", "pandas", "jax")  # fmt: skip
BATCH_ROWS = 5_000
PATIENCE_S = 10.0


def per_second(predict: Callable[[pd.DataFrame], Any], test: pd.DataFrame) -> float:
    """Rows a second, median of up to five calls on at least 5,000 rows (the test rows, repeated)."""
    many = pd.concat([test] * -(-BATCH_ROWS // len(test)), ignore_index=True)
    predict(many)
    taken: list[float] = []
    while len(taken) < 5 and sum(taken) < PATIENCE_S:
        begun = time.perf_counter()
        predict(many)
        taken.append(time.perf_counter() - begun)
    return len(many) / float(np.median(taken))


def p50_ms(calls: list[Callable[[], Any]]) -> float:
    """Median of one call each, after one that is not counted."""
    calls[0]()
    taken: list[float] = []
    for call in calls:
        begun = time.perf_counter()
        call()
        taken.append(time.perf_counter() - begun)
        if sum(taken) > PATIENCE_S:
            break
    return 1e3 * float(np.median(taken))


def versions() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def main() -> None:
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    folder = Path(job["folder"])
    marks = folder / "marks.txt"
    train, test = pd.read_parquet(folder / "train.parquet"), pd.read_parquet(folder / "test.parquet")
    y = pd.Series(np.load(folder / "outcome.npy", allow_pickle=False), index=train.index)
    if job["task"] != "regression":
        y = y.astype(object)
    data = Data(train, y, job["task"], job["classes"], job["positive"])
    fit = SYSTEMS[job["system"]][1]
    marks.write_text(f"{time.time()}\n", encoding="utf-8")
    cpu, begun = cpu_seconds(), time.perf_counter()
    fitted = fit(data, job)
    wall, cpu = time.perf_counter() - begun, cpu_seconds() - cpu
    with marks.open("a", encoding="utf-8") as file:
        file.write(f"{time.time()}\n")
    np.save(folder / "prediction.npy", np.asarray(fitted.predict(test), np.float64))
    answer = {"wall_s": round(wall, 3), "cpu_s": round(cpu, 3), "versions": versions(), "said": fitted.said}
    answer["python"] = ".".join(map(str, sys.version_info[:3]))
    answer["rows_per_s"] = round(per_second(fitted.predict, test), 1)
    some = [test.iloc[[i]] for i in np.linspace(0, len(test) - 1, 60).astype(int)]
    answer["row_ms"] = round(p50_ms([lambda r=r: fitted.predict(r) for r in some]), 4)
    if fitted.model is not None:
        answer["row_ms_model"] = round(p50_ms([fitted.model(r) for r in some]), 4)
    answer["model_bytes"] = fitted.bytes()
    (folder / "answer.json").write_text(json.dumps(answer), encoding="utf-8")
    sys.stdout.flush()
    os._exit(0)  # some libraries hang on their own threads at exit; everything is written


if __name__ == "__main__":
    main()
