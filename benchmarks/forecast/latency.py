"""How long one series takes from a bundle that is loaded: read, forecast, paths and quantiles, through ``ForecastModel.forecast``.

A panel of made-up weekly demand is fitted once a family, saved and loaded; then one series at a time, the median and the 95th percentile
of --times calls. Aim: 20 ms. One JSON line a family in benchmarks/results/latency.jsonl.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "stats"), str(HERE.parent)]

from demand import World, frame  # noqa: E402
from machine import machine  # noqa: E402
from record import record  # noqa: E402

import holdgood  # noqa: E402
from holdgood.workflow.forecasting.in_use import ForecastModel  # noqa: E402

AIM_MS = 20.0
TOLD = """
[tables.history]
source = "{source}"
[task]
target = "y"
[forecast]
id = "unique_id"
time = "ds"
horizon = 8
[budget]
trials = 8
models = ["{family}"]
workers = 1
prefer = "best"
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=40)
    parser.add_argument("--families", default="naive,theta,croston,lightgbm-lags")
    options = parser.parse_args()
    world = World.drawn(15, np.random.default_rng(0))
    rows = frame(world.history, world.ids)
    one = rows[rows["unique_id"] == world.ids[0]]
    for family in options.families.split(","):
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / "history.parquet"
            rows.to_parquet(source)
            (Path(folder) / "holdgood.toml").write_text(
                TOLD.format(source=source.name, family=family), encoding="utf-8"
            )
            made = holdgood.run(project=folder)
            chosen = made.leaderboard.chosen
            begun = time.perf_counter()
            model = ForecastModel.load(made.bundle)
            loaded = time.perf_counter() - begun
        spent, cpu = [], time.process_time()
        for _ in range(options.times + 3):
            begun = time.perf_counter()
            assert len(model.forecast(one).frame) == 8
            spent.append(1e3 * (time.perf_counter() - begun))
        middle, late = np.quantile(spent[3:], [0.5, 0.95])
        record("latency", {
            "what": family, "chosen": chosen, "median_ms": round(float(middle), 1), "p95_ms": round(float(late), 1),
            "cpu_ms": round(1e3 * (time.process_time() - cpu) / len(spent), 1), "load_ms": round(1e3 * loaded, 1), "aim_ms": AIM_MS, "machine": machine(),
        })  # fmt: skip


if __name__ == "__main__":
    main()
