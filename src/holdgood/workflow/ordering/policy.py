"""The plan as a policy: at every step it forecasts from what has been sold so far and orders as the plan would."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from holdgood.core.errors import DataError
from holdgood.core.inventory import Observation
from holdgood.core.panel import Future
from holdgood.decisions.inventory.projected_policy import ProjectedOrders
from holdgood.features.panels.reader import ReadPanel
from holdgood.training.panels.censored import CensoredDemand
from holdgood.workflow.forecasting.model import Model
from holdgood.workflow.ordering.figures import written_amount
from holdgood.workflow.ordering.plan import in_whole_units


@dataclass(frozen=True, eq=False)
class ForecastOrders:
    """``read``: the history of the items before the first step, in their order, of a model that needs no covariates known ahead.

    Only observations are looked at: what was sold since is taken from them, step by step, and where stock was out demand is more than that.
    """

    model: Model
    read: ReadPanel
    review: int = 1
    samples: int = 200
    seed: int = 0
    name: str = "forecast and least expected cost"

    def order(self, seen: Observation) -> np.ndarray:
        """Units of each item; nothing between reviews."""
        units = ProjectedOrders(self._paths, self.review).order(seen)
        return written_amount(units, seen.terms, in_whole_units(self.read.panel))

    def _paths(self, seen: Observation, steps: int) -> np.ndarray:
        """Joint paths (n, samples, steps) of the next steps, after what has been sold since the history."""
        since = seen.sales.shape[1] - seen.step - 1
        grown = longer(self.read, seen.sales[:, since:], seen.in_stock[:, since:])
        return np.maximum(self._model().paths(grown, self.samples, self.seed).y[:, :, :steps], 0.0)

    def _model(self) -> Model:
        """As declared; where no stock-outs were, those that are seen from now on are completed, for sales are less than demand there."""
        return self.model if self.read.panel.available is not None else replace(self.model, demand=CensoredDemand())


def longer(read: ReadPanel, sales: np.ndarray, in_stock: np.ndarray) -> ReadPanel:
    """The same history with the steps (series, new) behind it, and the future moved on as far; ``in_stock``: where sales were demand.

    DataError for a history with columns beside the sales, whose values in these steps nobody has.
    """
    panel, grid = read.panel, read.plan.grid
    new = sales.shape[1]
    if not new:
        return read
    beside = (*panel.known, *panel.past)
    if beside:
        raise DataError(
            f"a history with the column{'s' if len(beside) > 1 else ''} {', '.join(beside)}",
            "sales alone: a replay has nothing else to put behind them",
            "replay a model without columns that change by the step",
        )
    first = grid.number(read.future.ds[:, 0].astype("M8[us]").astype(np.int64))
    at = np.repeat(panel.indptr[1:], new)
    ahead = first[:, None] + np.arange(new + read.future.horizon)
    y = np.insert(panel.y, at, sales.ravel())
    ds = np.insert(panel.ds, at, grid.stamps(ahead[:, :new]).ravel())
    before = np.ones(len(panel.y), bool) if panel.available is None else panel.available
    available = np.insert(before, at, in_stock.ravel())
    indptr = panel.indptr + new * np.arange(len(panel) + 1)
    future = Future(grid.stamps(ahead[:, new:]))
    return replace(read, panel=replace(panel, y=y, ds=ds, indptr=indptr, available=available), future=future)
