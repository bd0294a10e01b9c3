"""The plan as a policy: at every step it forecasts from what has been sold so far and orders as the plan would, under all that was declared."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from holdgood.core.declaration import OrdersSpec
from holdgood.core.errors import DataError
from holdgood.core.inventory import Observation
from holdgood.core.panel import Future
from holdgood.features.panels.reader import ReadPanel
from holdgood.training.panels.censored import CensoredDemand
from holdgood.workflow.forecasting.model import Model
from holdgood.workflow.ordering.calendars import Clock, timing
from holdgood.workflow.ordering.lead_times import LeadTimes, declared_leads
from holdgood.workflow.ordering.limits import binding, minima
from holdgood.workflow.ordering.plan import in_whole_units
from holdgood.workflow.ordering.quantities import decided
from holdgood.workflow.ordering.terms import LEVEL, Conditions, usual_lead


@dataclass(frozen=True, eq=False)
class ForecastOrders:
    """``read``: the history of the items before the first step, in their order, of a model that needs no covariates known ahead.

    ``declared``: objective, service level, review, budget, capacity, minima, calendars and lead times that vary, as ``[orders]`` has them;
    terms of items are those of the world. ``level``: the forecast's service level. ``supplier``, ``unit_cost`` (n,): of the items, where a
    constraint needs them; ``leads``: lead times as past orders had them, default those that ``declared`` has. In units of which costs
    nothing is known (``service`` (n,) bool; default by ``declared.objective``) the service level decides, as in a plan.

    Only observations are looked at: what was sold since is taken from them, step by step, and where stock was out demand is more than that.
    """

    model: Model
    read: ReadPanel
    declared: OrdersSpec = field(default_factory=OrdersSpec)
    samples: int = 200
    seed: int = 0
    level: float | None = None
    supplier: np.ndarray | None = None
    unit_cost: np.ndarray | None = None
    leads: LeadTimes | None = None
    service: np.ndarray | None = None
    name: str = "the plan, step by step"

    def order(self, seen: Observation) -> np.ndarray:
        """Units of each item; nothing between reviews, and none of a supplier that takes no orders at the step."""
        if (seen.step + 1) % self.declared.review:
            return np.zeros(len(seen.terms))
        settled = self._conditions(seen)
        wait = int((settled.terms.lead + settled.review).max(initial=1))
        if settled.seen is not None:
            wait = max(wait, int(self.read.future.ds.shape[1]))
        paths = self._paths(seen, wait)
        supplier = self._supplier(seen)
        least = minima(self.declared, supplier.astype(str).tolist())
        bound = binding(self.declared, settled, supplier, least, self.declared.currency)
        return decided(paths, settled, in_whole_units(self.read.panel), bound, self.seed).quantity

    def _supplier(self, seen: Observation) -> np.ndarray:
        return np.full(len(seen.terms), "", dtype=object) if self.supplier is None else self.supplier

    def _conditions(self, seen: Observation) -> Conditions:
        """What a plan would settle at this step."""
        spec, n, supplier = self.declared, len(seen.terms), self._supplier(seen)
        leads = self.leads or declared_leads(spec, supplier)
        varies = leads.varies
        lead = np.array(seen.terms.lead, float)
        lead[varies] = usual_lead(leads.seen[varies])
        grid = self.read.plan.grid
        first = grid.number(self.read.future.ds[:, 0].astype("M8[us]").astype(np.int64))
        clock = Clock(grid, first + seen.step, self.read.plan.calendar_zone)
        when = timing(spec, supplier, lead, varies, clock, self.read.future.horizon)
        wrong = np.flatnonzero(when.barred != "")
        if len(wrong):
            raise DataError(
                f"item {self.read.panel.ids[wrong[0]]}: {when.barred[wrong[0]]}",
                "days of ordering and delivery to come",
                "declare them",
            )
        service = np.full(n, spec.objective == "service") if self.service is None else self.service
        samples = None
        if varies.any():
            samples = leads.seen.copy()
            samples[~varies, 0] = when.lead[~varies]
        known = seen.terms.unit if self.unit_cost is None else self.unit_cost
        return Conditions(
            replace(seen.terms, lead=when.lead), seen.stock, np.asarray(known), service, spec.service_level or self.level or LEVEL,
            np.zeros(n, bool), [[] for _ in range(n)], (), when.barred, when.review, when.closed, when.chances, samples,
        )  # fmt: skip

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
