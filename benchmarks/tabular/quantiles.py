"""Quantiles of an amount: ranked residuals, the band that holdgood delivers, and LightGBM's quantile objective as it comes.

python benchmarks/tabular/quantiles.py [--sets concrete,…] [--splits 0,1] [--budget trials=6]: one JSON line a set and split. All three
answer for the same test rows. The first two come from one ``fit``: what the residuals of its out-of-fold predictions say is what
would be answered without learners of quantiles. LightGBM gets strings as categories, its defaults, and no calibration.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pandas as pd

sys.path[:0] = [str(Path(__file__).resolve().parent)]
from sets import Set, entries, load  # noqa: E402

from holdgood.metrics import exact_share, paired  # noqa: E402
from holdgood.metrics.series import pinball  # noqa: E402
from holdgood.workflow.estimator import HoldgoodRegressor  # noqa: E402

LEVELS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
SETS = ("concrete", "ames_housing", "california_housing", "hotel_rates")


def said(y: np.ndarray, quantiles: np.ndarray) -> dict[str, Any]:
    """Mean pinball loss over the levels, the share of outcomes at or below each with its exact interval, and of the middle 90%."""
    lost = pinball(y, quantiles, np.array(LEVELS))
    shares = [exact_share(int((y <= quantiles[:, i]).sum()), len(y)) for i in range(len(LEVELS))]
    middle = exact_share(int(((quantiles[:, 0] <= y) & (y <= quantiles[:, -1])).sum()), len(y))
    return {
        "pinball": float(lost.mean()),
        "below": {
            f"{q:g}": [round(v, 4) for v in (s.value, s.low, s.high)] for q, s in zip(LEVELS, shares, strict=True)
        },
        "held": sum(s.low <= q <= s.high for q, s in zip(LEVELS, shares, strict=True)),
        "middle_90": [round(v, 4) for v in (middle.value, middle.low, middle.high)],
        "width_90": float((quantiles[:, -1] - quantiles[:, 0]).mean()),
        "crossed": float((np.diff(quantiles, axis=1) < 0).any(axis=1).mean()),
    }


def as_it_comes(one: Set, seed: int) -> np.ndarray:
    """LightGBM a level: objective quantile, nothing tuned, nothing calibrated."""
    both = pd.concat([one.train, one.test], ignore_index=True)
    for name in both.columns:
        if not pd.api.types.is_numeric_dtype(both[name]) and not pd.api.types.is_bool_dtype(both[name]):
            moment = pd.api.types.is_datetime64_any_dtype(both[name])
            both[name] = both[name].astype("int64") / 1e9 if moment else both[name].astype("string").astype("category")
    X, new = both.iloc[: len(one.train)], both.iloc[len(one.train) :]
    return np.column_stack(
        [
            lightgbm.LGBMRegressor(objective="quantile", alpha=q, random_state=seed, n_jobs=1, verbosity=-1)
            .fit(X, one.y_train)
            .predict(new)
            for q in LEVELS
        ]
    )


def measured(one: Set, split: int, budget: str) -> dict[str, Any]:
    """All three on one split."""
    began, used = time.perf_counter(), time.process_time()
    made = HoldgoodRegressor(budget, quantiles=LEVELS, prefer="balanced", seed=split, workers=0).fit(
        one.train, one.y_train
    )
    wall, cpu = time.perf_counter() - began, time.process_time() - used
    delivered = made.predict_quantiles(one.test)
    base = getattr(made.band_, "base", made.band_)
    residual = base.at_levels(made._predicted(one.test))
    used = time.process_time()
    peer = as_it_comes(one, split)
    losses = [pinball(one.y_test, q, np.array(LEVELS)).mean(axis=1) for q in (delivered, residual, peer)]
    choice = made.leaderboard_.band
    gains = {
        name: [round(v, 6) for v in (g.difference, g.low, g.high)]
        for name, g in (
            (name, paired(losses[0], losses[i], first="delivered", second=name))
            for name, i in (("residual", 1), ("lightgbm", 2))
        )
    }
    return {
        "benchmark": "quantiles", "set": one.name, "split": split, "rows": len(one.y_train), "test_rows": len(one.y_test),
        "budget": budget, "chosen": made.leaderboard_.chosen, "band": choice.kind, "sentence": choice.sentence,
        "wall_s": round(wall, 2), "cpu_s": round(cpu, 2), "peer_cpu_s": round(time.process_time() - used, 2),
        "delivered": said(one.y_test, delivered), "residual": said(one.y_test, residual), "lightgbm": said(one.y_test, peer),
        "gain_over": gains,
    }  # fmt: skip


def main() -> None:
    """Print a line for each set and split."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--sets", default=",".join(SETS))
    asked.add_argument("--splits", default="0")
    asked.add_argument("--budget", default="trials=6")
    given = asked.parse_args()
    known = {e["name"]: e for e in entries()}
    for name in given.sets.split(","):
        for split in map(int, given.splits.split(",")):
            print(json.dumps(measured(load(known[name], split), split, given.budget)), flush=True)


if __name__ == "__main__":
    main()
