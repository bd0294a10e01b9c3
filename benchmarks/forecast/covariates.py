"""make bench-forecast (2): what do covariates buy? The same forecast with and without them, paired over series, on test rows.

Walmart (holidays known ahead; temperature, price of fuel, consumer prices and unemployment up to the last week) and Dominick's (price,
deal and feature known ahead; other prices and profit up to the last week). Store and brand are told to both. Same budget in work, same
families. The difference of MASE is told with a bootstrap interval over series drawn whole; Dominick's series are drawn by store, whose
weeks share shocks. One JSON line a set and kind in benchmarks/results/covariates.jsonl.

    --trials 12   --resamples 4000   --sets walmart,dominicks
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from machine import machine  # noqa: E402
from panels import DATA, KINDS, Panel, load  # noqa: E402
from record import record  # noqa: E402
from used import cpu_seconds  # noqa: E402

import holdgood  # noqa: E402
from holdgood.metrics import series  # noqa: E402

MODELS = ["window-average", "theta", "lightgbm-lags"]
CLUSTERS = {"dominicks": "store"}


def measured(
    panel: Panel, known: tuple[str, ...], past: pd.DataFrame | None, trials: int
) -> tuple[np.ndarray, dict[str, Any]]:
    """MASE a series on the test rows, and what was chosen; ``past``: further columns of the history by id and time."""
    kind = panel.kind
    train = panel.train[["unique_id", "ds", "y", *known, *kind.static]]
    if past is not None:
        train = train.merge(past, how="left", on=["unique_id", "ds"])
    cpu = cpu_seconds()
    made = holdgood.forecast(
        train, kind.horizon, target="y", id="unique_id", time="ds", frequency=kind.frequency, known=list(known),
        static=list(kind.static), future=panel.future if known else None, models=MODELS, budget=f"trials={trials}", keep_ended=True,
    )  # fmt: skip
    assert made.paths.ids.tolist() == panel.ids.tolist()
    history = [g.to_numpy(float) for _, g in panel.train.groupby("unique_id")["y"]]
    loss = series.mase(panel.y, made.paths.point, series.scales(history, kind.season))
    return loss, {"chosen": made.leaderboard.chosen, "cpu_s": round(cpu_seconds() - cpu, 1)}


def interval(difference: np.ndarray, cluster: np.ndarray, resamples: int) -> tuple[float, float]:
    """95% by the bootstrap of means over clusters drawn whole, percentiles."""
    codes, place = np.unique(cluster, return_inverse=True)
    total, count = np.bincount(place, weights=difference), np.bincount(place)
    drawn = np.random.default_rng(0).integers(0, len(codes), (resamples, len(codes)))
    means = total[drawn].sum(axis=1) / count[drawn].sum(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=12)
    parser.add_argument("--resamples", type=int, default=4000)
    parser.add_argument("--sets", default="walmart,dominicks")
    options = parser.parse_args()
    if not DATA.exists():
        sys.exit(f"no data at {DATA}: set HOLDGOOD_DATA")
    for name in options.sets.split(","):
        panel = load(name)
        own = {"unique_id", "ds", "y", "split", *panel.kind.known, *panel.kind.static}
        frame = pd.read_parquet(DATA / f"{panel.kind.file}.parquet")
        frame["unique_id"] = frame["unique_id"].astype(str)
        others = [c for c in frame.select_dtypes("number").columns if c not in own]
        past = frame[frame["split"] == "train"][["unique_id", "ds", *others]] if others else None
        plain, said = measured(panel, (), None, options.trials)
        for what, columns in (("known ahead", None), ("known ahead and past", past)):
            if what.endswith("past") and past is None:
                continue
            told, more = measured(panel, KINDS[name].known, columns, options.trials)
            there = ~np.isnan(plain) & ~np.isnan(told)
            by = (
                panel.train.groupby("unique_id")[CLUSTERS[name]].first().loc[panel.ids].to_numpy()
                if name in CLUSTERS
                else panel.ids
            )
            low, high = interval((told - plain)[there], by[there], options.resamples)
            record("covariates", {
                "set": name, "what": what, "known": list(KINDS[name].known), "past": others if columns is not None else [],
                "series": int(there.sum()), "clusters": len(set(by[there].tolist())), "without": float(plain[there].mean()),
                "with": float(told[there].mean()), "difference": float((told - plain)[there].mean()), "low": low, "high": high,
                "better": float(np.mean(told[there] < plain[there])), "chosen_without": said["chosen"], "chosen_with": more["chosen"],
                "cpu_without": said["cpu_s"], "cpu_with": more["cpu_s"], "trials": options.trials, "machine": machine(),
            })  # fmt: skip


if __name__ == "__main__":
    main()
