"""Service against stock as people read it: a table, a picture, and which level the plan comes to."""

from __future__ import annotations

import math

from markupsafe import Markup

from holdgood.core.records import OrderPlan, ServiceStock
from holdgood.reports import format as words
from holdgood.reports.drawing import draw
from holdgood.reports.plots import Axis, Line, LinePlot

HEADS = (
    "Level",
    "Units to order",
    "Worth",
    "Left when the next order can come",
    "Worth of it",
    "Demand met",
    "Expected cost",
)
PLAN = "this plan"


def service_rows(plan: OrderPlan) -> list[tuple[str, ...]]:
    """A row a level, the plan last."""
    return [
        (
            _named(p), words.number(p.units), words.money(p.worth, plan.currency), words.number(p.left), words.money(p.left_worth, plan.currency),
            words.percent(p.met, 1), words.money(p.cost, plan.currency),
        )
        for p in plan.service
    ]  # fmt: skip


def draw_service(plan: OrderPlan) -> Markup:
    """Demand met over what is left on hand, in money where every unit cost is known; "" where there is nothing to see."""
    priced = all(math.isfinite(p.left_worth) for p in plan.service)
    across = [p.left_worth if priced else p.left for p in plan.service]
    up = [p.met for p in plan.service]
    if len(across) < 2 or max(across) <= min(across):
        return Markup("")
    style = f"money:{plan.currency}" if priced else "number"
    curve = Line("levels of service", tuple(across[:-1]), tuple(up[:-1]))
    ours = Line(PLAN, (across[-1],), (up[-1],), (up[-1],), (up[-1],), tone="bad", points=True)
    axes = (
        Axis.over("stock left" + ("" if priced else ", units"), across, style),
        Axis.over("demand met", up, "percent", (0.0, 1.0)),
    )
    return draw(LinePlot((curve, ours), *axes))


def _named(point: ServiceStock) -> str:
    return words.percent(point.level, 0) if math.isfinite(point.level) else PLAN
