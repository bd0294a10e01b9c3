"""The challenge's tables as matrices: one row a store and product, one column a week."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

HOLDING, SHORTAGE, LEAD = 0.2, 1.0, 2
ROUNDS, WEEKS = 6, 8
LAST_ROUND = pd.Timestamp("2024-04-08") + pd.Timedelta(weeks=ROUNDS - 1)
"""The week at whose end the last order is placed: what it brings is sold in one week, and then the challenge is over."""
NEWSVENDOR = SHORTAGE / (SHORTAGE + HOLDING)
"""The share of paths to serve where what is left has no later use and no later cost."""


@dataclass(frozen=True, eq=False)
class Sales:
    """units (n, t): what was sold, NaN where the shelf was empty. product, store, department (n,): codes. week (t,): ISO week."""

    units: np.ndarray
    product: np.ndarray
    store: np.ndarray
    department: np.ndarray
    week: np.ndarray

    def until(self, end: int) -> Sales:
        """The first ``end`` weeks."""
        return Sales(self.units[:, :end], self.product, self.store, self.department, self.week[:end])


def sales_of(history: pd.DataFrame, state: pd.DataFrame) -> tuple[Sales, np.ndarray]:
    """Matrices in the state's order of rows, and sales as recorded, (n, t), zeros where the shelf was empty."""
    keys = ["Store", "Product"]
    order = state.sort_values("order")
    units = history.pivot(index=keys, columns="ds", values="y").reindex(pd.MultiIndex.from_frame(order[keys]))
    there = history.pivot(index=keys, columns="ds", values="in_stock").reindex(units.index)
    recorded = units.to_numpy(float)
    seen = there.fillna(False).to_numpy(bool) & ~np.isnan(recorded)
    code = {name: pd.factorize(order[name])[0] for name in ("Product", "Store", "Department")}
    week = pd.DatetimeIndex(units.columns).isocalendar().week.to_numpy(int)
    masked = np.where(seen, recorded, np.nan)
    return Sales(masked, code["Product"], code["Store"], code["Department"], week), np.nan_to_num(recorded)
