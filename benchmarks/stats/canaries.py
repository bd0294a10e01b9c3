"""Canaries of forecasting: panels whose future nobody can know, through ``holdgood.forecast``. Who beats the naive there has looked ahead.

Three ways to look ahead are laid open: a column that is known ahead and says nothing, a column of the history that is the outcome in
another unit, and the same column in the table of the future, filled in and not declared.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from demand import World, frame, noise, shuffled

import holdgood
from holdgood.metrics import paired
from holdgood.metrics.series import naive_scale


@dataclass(frozen=True)
class Sung:
    """Loss a series (mean absolute error over the naive's in the history): ours, the naive's, and of who knows all that can be known.

    ``backtest``, ``backtest_naive``: the same as the run itself reports them from past origins. ``chosen``: what was delivered.
    """

    ours: np.ndarray
    naive: np.ndarray
    known: np.ndarray
    backtest: float
    backtest_naive: float
    chosen: str

    def ratio(self, other: np.ndarray) -> float:
        """Our loss over another's."""
        return float(self.ours.mean() / other.mean())

    def better(self) -> str:
        """The verdict of the paired test over series against the naive: on the shuffled panel "better" is an alarm."""
        return paired(self.ours, self.naive, first="the forecast", second="the naive", unit="loss").verdict


def sung(
    kind: str, series: int, horizon: int, seed: int, *, weeks: int = 104, told: bool = False, **spent: Any
) -> Sung:
    """A canary of ``kind``: "shuffled" (walks; the last value is all that can be known) or "noise" (the level is).

    ``told``: the outcome in another unit is declared as known ahead, which is the cheating that a canary must notice.
    """
    rng = np.random.default_rng([seed, 21])
    if kind == "shuffled":
        real = World.drawn(series // 2, rng, kinds=("smooth", "erratic"), weeks=weeks + horizon)
        y = shuffled(real.history, rng)
    else:
        y = noise(series, weeks + horizon, rng)
    ids = np.array([f"s{i:04d}" for i in range(len(y))])
    promo = (rng.random(y.shape) < 0.2).astype(float)
    rows = frame(y, ids, promo=promo, takings=y * 3.5)
    first = rows["ds"].unique()[weeks]
    made = holdgood.forecast(
        rows[rows["ds"] < first], horizon, target="y", id="unique_id", time="ds", known=["promo", "takings"] if told else "promo",
        future=rows[rows["ds"] >= first].drop(columns="y"), seed=seed, **spent,
    )  # fmt: skip
    assert made.paths.ids.tolist() == ids.tolist()
    scale = np.array([naive_scale(v) for v in y[:, :weeks]])
    level = y[:, weeks - 1] if kind == "shuffled" else np.median(y[:, :weeks], axis=1)
    losses = [
        np.abs(y[:, weeks:] - p).mean(axis=1) / scale
        for p in (made.paths.point, y[:, weeks - 1 : weeks], level[:, None])
    ]
    whole = made.accuracy.overall
    return Sung(*losses, whole.loss, whole.naive, made.leaderboard.chosen)
