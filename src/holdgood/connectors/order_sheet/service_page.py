"""The page "Service and stock": what each level of service would take, beside the plan, with a picture."""

from __future__ import annotations

import math
from typing import Any

from holdgood.connectors.order_sheet.layout import UNITS
from holdgood.core.records import OrderPlan

_HEADS = (
    "Level",
    "Units to order",
    "Worth",
    "Left when the next order can come",
    "Worth of it",
    "Demand met",
    "Expected cost",
)
_SAID = (
    "A level is the chance that an item does not run short until the next order can arrive. Every level is ordered of all items alike, budgets and "
    "minima of suppliers aside; the last line is the plan.",
    "Left: units on hand when the next order can arrive. Each step up the curve takes more stock for less: where the cost is told, it is lowest "
    "where that no longer pays.",
)


def service_page(page: Any, plan: OrderPlan, money: str) -> None:
    """Write it; ``money``: the number format of amounts."""
    from openpyxl.chart import Reference, ScatterChart, Series
    from openpyxl.styles import Alignment, Font, PatternFill

    forms = ("0%", UNITS, money, UNITS, money, "0.0%", money)
    for k, title in enumerate(_HEADS, start=1):
        cell = page.cell(1, k, title)
        cell.font, cell.fill = Font(bold=True), PatternFill("solid", fgColor="F3F5F7")
        cell.alignment = Alignment(wrap_text=True, vertical="center")
        page.column_dimensions["ABCDEFG"[k - 1]].width = 16
    last = len(plan.service) + 1
    for row, p in enumerate(plan.service, start=2):
        named = p.level if math.isfinite(p.level) else "this plan"
        for k, (value, form) in enumerate(
            zip((named, p.units, p.worth, p.left, p.left_worth, p.met, p.cost), forms, strict=True), start=1
        ):
            cell = page.cell(row, k, value if isinstance(value, str) or math.isfinite(value) else None)
            cell.number_format = form
            cell.font = Font(bold=row == last)
    for k, said in enumerate(_SAID, start=last + 2):
        page.cell(k, 1, said)
    priced = all(math.isfinite(p.left_worth) for p in plan.service)
    column = 5 if priced else 4
    chart = ScatterChart()
    chart.title, chart.style, chart.height, chart.width = "Service against stock", 13, 8, 16
    chart.x_axis.title, chart.y_axis.title = _HEADS[column - 1], "Demand met"
    chart.x_axis.delete = chart.y_axis.delete = False
    for title, first, end in (("levels", 2, last - 1), ("this plan", last, last)):
        series = Series(
            Reference(page, min_col=6, min_row=first, max_row=end),
            Reference(page, min_col=column, min_row=first, max_row=end),
            title=title,
        )
        series.marker.symbol, series.marker.size = "circle", 9 if first == last else 6
        chart.series.append(series)
    page.add_chart(chart, f"A{last + 5}")
    page.freeze_panes = "B2"
