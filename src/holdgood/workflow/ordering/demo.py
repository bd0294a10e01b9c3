"""The end of the forecasting demo: a warehouse made by a stated rule, the order sheet, and what the plan would have saved."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from holdgood.connectors import write_table
from holdgood.core.declaration import FILE_NAME, OrdersSpec
from holdgood.core.declaration import read as read_declaration
from holdgood.core.errors import DataError, MissingExtra
from holdgood.core.inventory import Terms
from holdgood.core.panel import Panel
from holdgood.workflow.forecasting.in_use import ForecastModel
from holdgood.workflow.ordering.api import Planned, plan_orders
from holdgood.workflow.ordering.kept import Kept, keep_earlier
from holdgood.workflow.ordering.plan import step_of
from holdgood.workflow.ordering.policy import ForecastOrders
from holdgood.workflow.ordering.replay import RULE, Replay, orders_table, replay, state_table, warehouse

STEPS = 12
"""Months of those that the competition kept back, on which both ways of ordering are walked."""
_YEAR = 365.25 * 86_400e6


@dataclass(frozen=True, eq=False)
class DemoOrders:
    """``sheet`` is None where the extra ``excel`` is not installed. ``rule``: how the state was made. ``kept``: what people had written there."""

    planned: Planned
    replayed: Replay
    plan: Path
    sheet: Path | None
    desk: Path
    rule: str = RULE
    kept: tuple[Kept, ...] = ()


def demo_orders(folder: Path, bundle: Path, *, steps: int = STEPS, samples: int = 100) -> DemoOrders:
    """Plan the demo project's orders and write plan, sheet and desk; then walk ``steps`` months with the plan and with the usual rule.

    Only now are the months under ``data/later`` read: as what came, never as what a policy sees.
    """
    declared = read_declaration(folder / FILE_NAME)
    spec, model = declared.orders, ForecastModel.load(bundle)
    main = folder / declared.tables[declared.main].source
    forecasts = model.forecast(str(main))
    read = forecasts.read
    terms = _terms(spec, len(read.panel), step_of(read))
    held = warehouse(read, terms)
    out = folder / "orders"
    out.mkdir(exist_ok=True)
    state, coming = (
        write_table(state_table(read, held), out / "state.csv"),
        write_table(orders_table(read, held), out / "open.csv"),
    )
    planned = plan_orders(model, str(main), str(state), open_orders=str(coming), orders=spec)
    kept = keep_earlier(planned.plan, out / "plan.json", out / "orders.xlsx")
    plan, desk = planned.save(out / "plan.json"), planned.to_html(out / "orders.html")
    try:
        sheet = planned.to_excel(out / "orders.xlsx")
    except MissingExtra:
        sheet = None
    later = model.panel_of(str(folder / "data" / "later" / main.name)).panel
    came = _after(later, read.panel, steps)
    unit = np.full(len(terms), spec.unit_cost if isinstance(spec.unit_cost, float) else np.nan)
    policy = ForecastOrders(
        model.model, read, spec, samples, forecasts.seed, level=declared.forecast.service_level, unit_cost=unit
    )
    return DemoOrders(planned, replay(policy, held, terms, came), plan, sheet, desk, kept=kept)


def _terms(spec: OrdersSpec, n: int, step: float) -> Terms:
    """The demo declares numbers only: the same for every series."""
    unit, rate, shortage, lead = spec.unit_cost, spec.holding_rate, spec.shortage, spec.lead_time
    assert isinstance(unit, float) and isinstance(shortage, float) and isinstance(lead, float) and rate is not None
    return Terms.of(n, holding=unit * rate * step / _YEAR, shortage=shortage, lead=lead, lost_sales=spec.lost_sales)


def _after(later: Panel, history: Panel, steps: int) -> np.ndarray:
    """The first steps of each series that history does not have, (series, steps). DataError where one of them is not known."""
    place = {str(i): k for k, i in enumerate(later.ids.tolist())}
    found = np.full((len(history), steps), np.nan)
    for i, (name, begun) in enumerate(zip(history.ids.astype(str).tolist(), history.lengths.tolist(), strict=True)):
        if name in place:
            first, end = int(later.indptr[place[name]]) + begun, int(later.indptr[place[name] + 1])
            came = later.y[min(first, end) : min(first + steps, end)]
            found[i, : len(came)] = came
    known = np.isfinite(found).all(axis=1)
    if not known.all():
        at = int(np.flatnonzero(~known)[0])
        raise DataError(
            f"{int((~known).sum()):,} series without a value in each of the {steps} steps after history, the first is "
            f"{str(history.ids[at])!r} with {int(np.isfinite(found[at]).sum())}",
            f"{steps} steps of what came, for every series",
            "restore the table of later steps, or walk fewer of them",
        )
    return np.maximum(found, 0.0)
