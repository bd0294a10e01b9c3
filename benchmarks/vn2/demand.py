"""The mean of demand in each of the next weeks: boosted trees with a Poisson loss over all pairs, on top of a first guess of each pair's own; two views."""

from __future__ import annotations

import lightgbm as lgb
import numpy as np
from panel import Sales

from features import features

AHEAD = (1, 2, 3)
FIRST, EVERY = 60, 2
"""Weeks of history before the first origin that is learned from, and how many origins there are to one that is: neighbours say nearly the same."""
ROUNDS = 130
ON_SALE = 8
"""A pair whose shelf was empty for so many weeks before an origin is not on sale then, and nothing is learned from it."""
HALF_LIFE = 52.0
"""Weeks after which an origin counts half."""
SPREAD = 0.15
"""Weights 1/(1 + SPREAD·guess): those of a negative binomial, so that a few large pairs do not decide everything."""
PARAMETERS = {
    "objective": "poisson",
    "learning_rate": 0.07,
    "num_leaves": 10,
    "min_data_in_leaf": 150,
    "feature_fraction": 0.4,
    "bagging_fraction": 0.6,
    "bagging_freq": 1,
    "lambda_l2": 20.0,
    "max_bin": 63,
    "verbose": -1,
    "num_threads": 1,
    "seed": 1,
    "deterministic": True,
    "force_row_wise": True,
}
Known = dict[tuple[int, bool], list[tuple[np.ndarray, np.ndarray]]]


class Demand:
    """Learned from ``sales`` alone; a week with an empty shelf is one without demand, as the challenge counts it.

    ``means`` may be asked with more weeks than were learned from. known: features by origin and view, kept between fits on longer and
    longer pasts of the same sales.
    """

    def __init__(self, sales: Sales, known: Known | None = None) -> None:
        self._known: Known = {} if known is None else known
        self._models = {by_trade: self._fitted(sales, by_trade) for by_trade in (False, True)}

    def _features(self, sales: Sales, origin: int, by_trade: bool) -> list[tuple[np.ndarray, np.ndarray]]:
        if (origin, by_trade) not in self._known:
            self._known[origin, by_trade] = features(sales.until(origin), AHEAD, by_trade)
        return self._known[origin, by_trade]

    def _fitted(self, sales: Sales, by_trade: bool) -> lgb.Booster:
        end = sales.units.shape[1]
        rows, outcomes, guesses, weights = [], [], [], []
        for origin in range(FIRST, end, EVERY):
            for h, (x, guess) in zip(AHEAD, self._features(sales, origin, by_trade), strict=True):
                if origin + h > end:
                    continue
                y = np.nan_to_num(sales.units[:, origin + h - 1])
                seen = ~np.isnan(sales.units[:, origin - ON_SALE : origin]).all(axis=1)
                rows.append(x[seen])
                outcomes.append(y[seen])
                guesses.append(guess[seen])
                weights.append(0.5 ** ((end - origin) / HALF_LIFE) / (1 + SPREAD * guess[seen]))
        data = lgb.Dataset(
            np.concatenate(rows),
            np.concatenate(outcomes),
            weight=np.concatenate(weights),
            init_score=np.log(np.concatenate(guesses)),
        )
        return lgb.train(PARAMETERS, data, ROUNDS)

    def means(self, sales: Sales) -> np.ndarray:
        """Mean demand (n, len(AHEAD)) of the weeks after the last one in ``sales``: the geometric mean of the views."""
        origin = sales.units.shape[1]
        logs = [
            np.column_stack([
                np.log(guess) + model.predict(x, raw_score=True)
                for x, guess in self._features(sales, origin, by_trade)
            ])
            for by_trade, model in self._models.items()
        ]  # fmt: skip
        return np.asarray(np.exp(np.mean(logs, axis=0)))
