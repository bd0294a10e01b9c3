"""Columns of the lag matrix as a planner would name them: what was sold lately, the season, the calendar, prices by their own names."""

from __future__ import annotations

from collections.abc import Sequence

from holdgood.models.forecasting import calendar
from holdgood.models.forecasting.drivers import SEASON
from holdgood.models.forecasting.lag_features import LagPlan

RECENT, CALENDAR, USUAL = "recent values", "calendar", "usual correction"


def group_of(plan: LagPlan, column: str) -> str:
    """The driver that a column belongs to: covariates and attributes by their own names."""
    for name in (*plan.known, *plan.past, *plan.static):
        if column == name or column.startswith(f"{name}, "):
            return name
    if column in calendar.names(plan.frequency):
        return CALENDAR
    if column in ("usual", "step"):
        return USUAL
    season = column in ("profile", "mean of seasons", "to their level", "level as then")
    return SEASON if season or column.endswith(" ago") or " ago, " in column else RECENT


def groups(plan: LagPlan, columns: Sequence[str]) -> tuple[tuple[str, ...], list[int]]:
    """Names of the drivers, and of each column its place among them."""
    each = [group_of(plan, c) for c in columns]
    names = tuple(dict.fromkeys(each))
    return names, [names.index(g) for g in each]
