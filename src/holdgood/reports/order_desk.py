"""The order desk: one page for a planner. What to order, ranked by money at stake, with the reason and the forecast of each item."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from holdgood.core.records import OrderLine, OrderPlan
from holdgood.reports import format as words
from holdgood.reports.fan import draw_fan
from holdgood.reports.page import render_page
from holdgood.reports.series_view import SeriesView
from holdgood.reports.service_stock import HEADS, draw_service, service_rows

CONTENTS = (
    ("orders", "What to order"),
    ("check", "What to check first"),
    ("lines", "Orders, most money first"),
    ("rest", "Nothing to order"),
    ("service", "Service and stock"),
    ("lost", "Not planned"),
    ("how", "How it was decided"),
)
MOST = 2_000
"""Items that the page shows; the sheet and the record have all."""
_CHECKS = 8


@dataclass(frozen=True)
class DeskView:
    """``views``: by item, what its fan chart is drawn from; items without one are told in words."""

    plan: OrderPlan
    views: Mapping[str, SeriesView] = field(default_factory=dict)


def render_desk(view: DeskView) -> str:
    """The desk as one HTML text; write it as UTF-8. Nothing is loaded."""
    plan = view.plan
    orders = [line for line in plan.lines if line.quantity > 0]
    rest = [line for line in plan.lines if line.quantity <= 0]
    shown = orders[:MOST]
    doubtful = [line for line in plan.lines if line.checks]
    return render_page(
        "order_desk.html",
        charts=False,
        title=f"Orders from history up to {plan.cutoff}" if plan.cutoff else "Orders",
        contents=tuple(
            c for c in CONTENTS if (c[0] != "lost" or plan.left_out) and (c[0] != "service" or plan.service)
        ),
        plan=plan,
        lead=lead(plan),
        totals=supplier_rows(plan),
        doubtful=[(line.item, "; ".join(line.checks)) for line in doubtful[:_CHECKS]],
        more_checks=max(0, len(doubtful) - _CHECKS),
        lines=[(line, facts(line, plan), _picture(view, line)) for line in shown],
        hidden=len(orders) - len(shown),
        suppliers=sorted({line.supplier for line in orders if line.supplier}),
        rest=[(line, _picture(view, line)) for line in rest[:MOST]],
        service_heads=HEADS,
        service=service_rows(plan),
        service_picture=draw_service(plan),
        rest_hidden=max(0, len(rest) - MOST),
        money=lambda value: words.money(value, plan.currency),
        chance=chance,
        units=words.number,
    )


def chance(share: float) -> str:
    """A chance as percent; samples prove neither never nor always.

    >>> chance(0.0), chance(0.234), chance(1.0), chance(float("nan"))
    ('under 1%', '23%', 'over 99%', '–')
    """
    if not math.isfinite(share):
        return words.NOTHING
    return "under 1%" if share < 0.01 else "over 99%" if share > 0.99 else words.percent(share, 0)


def lead(plan: OrderPlan) -> str:
    """The whole plan in two sentences."""
    orders = plan.orders
    if not orders:
        return f"Nothing needs to be ordered: all {len(plan.lines):,} items have enough until the next chance to order."
    worth = [line.worth for line in orders if math.isfinite(line.worth)]
    bought = f", worth {words.money(math.fsum(worth), plan.currency)}" if worth else ""
    said = f"{words.count(len(orders), 'item')} of {len(plan.lines):,} to order{bought}"
    saved = [line.money for line in orders if math.isfinite(line.money)]
    if saved:
        said += f". Against waiting until the next chance to order, this is expected to save {words.money(math.fsum(saved), plan.currency)}"
    if plan.assumed:
        said += ". Costs are ASSUMED, so no savings are told: each line says what a missing unit must cost for its order to pay"
    approved = sum(line.approved for line in orders)
    if approved:
        said += f". {approved:,} of them {'is' if approved == 1 else 'are'} approved without a look: little is at risk and there is nothing to check"
    return said + "."


def supplier_rows(plan: OrderPlan) -> list[tuple[str, ...]]:
    """By supplier: items to order, units, worth, expected savings."""
    rows: list[tuple[str, ...]] = []
    for supplier in sorted({line.supplier for line in plan.orders}):
        mine = [line for line in plan.orders if line.supplier == supplier]
        worth = [line.worth for line in mine if math.isfinite(line.worth)]
        saved = [line.money for line in mine if math.isfinite(line.money)]
        rows.append(
            (
                supplier or "no supplier named", words.count(len(mine)), words.number(math.fsum(line.quantity for line in mine)),
                words.money(math.fsum(worth), plan.currency) if worth else words.NOTHING,
                words.money(math.fsum(saved), plan.currency) if saved else words.NOTHING,
            )
        )  # fmt: skip
    return rows


def facts(line: OrderLine, plan: OrderPlan) -> list[tuple[str, str]]:
    """What stands beside a line's reason."""

    def money(value: float) -> str:
        return words.money(value, plan.currency)

    steps = line.terms.lead + plan.review_of(line)
    often = f"{words.number(line.demand_low)} to {words.number(line.demand_high)} in four of five cases"
    found = [
        ("On hand", words.number(line.on_hand)),
        ("Coming", words.number(math.fsum(line.coming))),
        (f"Demand of the next {words.count(steps, 'step')}", f"{words.number(line.demand)} ({often})"),
        ("Runs out before the order can arrive", chance(line.short_before)),
        ("Runs out afterwards, with the order", f"{chance(line.short)} (without: {chance(line.short_if_not)})"),
        ("Left over when the next one can arrive", words.number(line.left)),
    ]  # fmt: skip
    if line.terms.lead_late is not None:
        never = f"; {words.percent(line.terms.never, 0)} never come" if line.terms.never else ""
        late = f"usually {words.count(line.terms.lead, 'step')}, one in ten more than {line.terms.lead_late}{never}"
        found.insert(3, ("On its way", late))
    if math.isfinite(line.money):
        found += [
            ("Expected to save", money(line.money)),
            ("Expected loss by too much or too little", money(line.at_risk)),
        ]
    if math.isfinite(line.break_even):
        found.append(
            (
                "Pays if a missing unit costs more than",
                money(line.break_even) if not plan.assumed else words.number(line.break_even),
            )
        )
    if math.isfinite(line.worth):
        found.append(("Worth", money(line.worth)))
    return found


def _picture(view: DeskView, line: OrderLine) -> str:
    found = view.views.get(line.item)
    return "" if found is None else draw_fan(found)
