"""make bench-forecast: holdgood and its peers on the forecasting sets, one process at a time; resumable, one JSON line a run.

Peers live in environments of their own (benchmarks/venvs.py). The rows of split `test` reach only the scores. Default budget: 60 s a
set (M3: 285 s in four parts, less than ten CPU minutes); systems without a budget take what they take. A run that has not returned after three
budgets and two minutes is killed and told as such.

    --sets m3_monthly,…   --systems holdgood,…   --budget 60   --again   --list
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from machine import machine  # noqa: E402
from panels import DATA, KINDS, Panel, load, scores  # noqa: E402
from record import RESULTS, record  # noqa: E402
from systems import LEVELS, SYSTEMS, THREADS  # noqa: E402
from venvs import PINS, QUIET, python_of  # noqa: E402

REACHED = ("features/panels", "metrics", "models/forecasting", "scale", "training/panels", "workflow/forecasting")
M3_BUDGET = {"m3_monthly": 120, "m3_quarterly": 75, "m3_yearly": 60, "m3_other": 30}
"""Under ten CPU minutes for all of M3 on two cores."""


def stamp(system: str) -> str:
    """What a result stands for: the pins of a peer's environment, or a hash of the rooms that decide ours."""
    environment, digest = SYSTEMS[system][0], hashlib.sha256()
    if environment:
        digest.update("\n".join(PINS[environment]).encode())
        return digest.hexdigest()[:12]
    home = HERE.parents[1] / "src" / "holdgood"
    for path in sorted(p for part in REACHED for p in (home / part).rglob("*.py")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def measure(panel: Panel, system: str, budget: int) -> dict[str, Any]:
    """Fit in a process, score here; a failure is a result as well."""
    environment = SYSTEMS[system][0]
    python = str(python_of(environment)) if environment else sys.executable
    quiet = {**os.environ, **QUIET, "GOMP_SPINCOUNT": "0", "OMP_NUM_THREADS": str(THREADS)}
    kind = panel.kind
    with tempfile.TemporaryDirectory(prefix="bench-forecast-") as place:
        folder = Path(place)
        panel.train.to_parquet(folder / "train.parquet")
        panel.future.to_parquet(folder / "future.parquet")
        job = {
            "system": system, "folder": place, "budget": budget, "frequency": kind.frequency, "season": kind.season,
            "horizon": kind.horizon, "known": kind.known, "static": kind.static, "metric": kind.metric, "seasons": list(kind.seasons),
        }  # fmt: skip
        (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
        with (RESULTS / "forecast-last.log").open("wb") as said:
            process = subprocess.Popen(
                [python, str(HERE / "fit_one.py"), str(folder / "job.json")], cwd=folder, env=quiet | {"TMPDIR": place},
                stdout=said, stderr=said, stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
            try:
                process.wait(3 * budget + 120)
            except subprocess.TimeoutExpired:
                return {"ended": f"killed after {3 * budget + 120} s"}
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        if not (folder / "answer.json").exists():
            lines = (RESULTS / "forecast-last.log").read_text(encoding="utf-8", errors="replace").split("\n")
            return {"ended": "failed: " + next((x.strip() for x in reversed(lines) if x.strip()), "")[:300]}
        out = pd.read_parquet(folder / "out.parquet")
        answer = json.loads((folder / "answer.json").read_text(encoding="utf-8"))
    try:
        point, quantiles = aligned(panel, out)
    except ValueError as error:
        return answer | {"ended": f"failed: {error}"}
    return answer | {"ended": "ok"} | scores(panel, point, quantiles, np.array(LEVELS))


def aligned(panel: Panel, out: pd.DataFrame) -> tuple[np.ndarray, np.ndarray | None]:
    """Points (series, horizon) and quantiles in the order of the panel's ids."""
    out = out.assign(unique_id=out["unique_id"].astype(str))
    step = out.groupby("unique_id").cumcount()
    place = pd.Index(panel.ids).get_indexer(out["unique_id"])
    point = np.full(panel.y.shape, np.nan)
    point[place, step] = out["point"].to_numpy(float)
    if np.isnan(point).any():
        raise ValueError(f"{int(np.isnan(point).any(axis=1).sum())} series without a forecast")
    columns = [str(v) for v in LEVELS]
    if not set(columns) <= set(out.columns):
        return point, None
    quantiles = np.full((*panel.y.shape, len(LEVELS)), np.nan)
    quantiles[place, step] = out[columns].to_numpy(float)
    return point, quantiles


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", default="")
    parser.add_argument("--systems", default="")
    parser.add_argument("--budget", type=int, default=60)
    parser.add_argument("--again", action="store_true", help="do failed runs once more")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    if not DATA.exists():
        sys.exit(f"no data at {DATA}: set HOLDGOOD_DATA")
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / "forecast.jsonl"
    rows = [json.loads(x) for x in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
    keys = ("machine", "stamp", "system", "set", "budget")
    done = {tuple(r[k] for k in keys) for r in rows if not (options.again and r["ended"] != "ok")}
    for name in filter(None, options.sets.split(",")) if options.sets else KINDS:
        panel: Panel | None = None
        for system in filter(None, options.systems.split(",")) if options.systems else SYSTEMS:
            budget = M3_BUDGET.get(name, options.budget) if options.budget == 60 else options.budget
            key = (machine(), stamp(system), system, name, budget)
            if key in done:
                continue
            if options.list:
                print(f"{budget:>4} s  {name:<18} {system}")
                continue
            panel = panel or load(name)
            row = dict(zip(keys, key, strict=True)) | {
                "series": len(panel.ids),
                "points": int((~np.isnan(panel.y)).sum()),
            }
            record("forecast", row | measure(panel, system, budget))


if __name__ == "__main__":
    main()
