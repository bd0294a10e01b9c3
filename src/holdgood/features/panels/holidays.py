"""Public holidays of a country as columns that are known ahead: how many fall into a step, and whether one is next to it."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from holdgood.core.errors import DeclarationError, MissingExtra
from holdgood.core.zones import on_the_wall
from holdgood.features.panels.grid import DAY, Grid

HOLIDAY_COLUMNS = ("public_holidays", "day_before_holiday", "day_after_holiday")


def holiday_columns(country: str, numbers: np.ndarray, grid: Grid, zone: str | None = None) -> dict[str, np.ndarray]:
    """By name (n,) float64 for steps by number. The two neighbours only where a step is a day or less.

    ``zone``: whose days count, where steps are counted in UTC.

    >>> from holdgood.features.panels.grid import DAY
    >>> days = Grid("D", "fixed", DAY)
    >>> eve = np.array(["2024-12-24"], "M8[D]").astype(np.int64)
    >>> {k: v.tolist() for k, v in holiday_columns("DE", eve, days).items()}
    {'public_holidays': [0.0], 'day_before_holiday': [1.0], 'day_after_holiday': [0.0]}
    """
    unique, inverse = np.unique(numbers, return_inverse=True)
    begin, finish = step_days(unique, grid, zone)
    days = np.arange(begin.min() - 1, finish.max() + 2) if len(unique) else np.arange(0)
    off = np.isin(days, holidays_between(country, days))
    before = np.concatenate([[0], np.cumsum(off)])
    low = begin - days[0] if len(days) else begin
    high = np.maximum(finish - days[0], low + 1) if len(days) else finish
    out = {"public_holidays": (before[high] - before[low]).astype(float)}
    if grid.unit == "business" or (grid.unit == "fixed" and grid.size <= DAY):
        out["public_holidays"] = off[low].astype(float)
        out["day_before_holiday"] = off[low + 1].astype(float)
        out["day_after_holiday"] = off[low - 1].astype(float)
    return {k: v[inverse] for k, v in out.items()}


def step_days(numbers: np.ndarray, grid: Grid, zone: str | None = None) -> tuple[np.ndarray, np.ndarray]:
    """The first day of each step, and the one after its last (int64 since 1970); the same day twice where a step is shorter."""
    begin, finish = (np.floor_divide(e if zone is None else on_the_wall(e, zone), DAY) for e in grid.span(numbers))
    if grid.unit == "months" and grid.day != 1:  # named by a later day: count the month that holds it
        begin, finish = _months_around(begin, grid.size)
    return begin, finish


def _months_around(begin: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    month = begin.astype("M8[D]").astype("M8[M]")
    first = (month - (size - 1)).astype("M8[D]").astype(np.int64)
    return first, (month + 1).astype("M8[D]").astype(np.int64)


def holidays_between(country: str, days: np.ndarray) -> np.ndarray:
    """Public holidays among days (int64 since 1970), as days. DeclarationError for a country that is not known."""
    try:
        library: Any = importlib.import_module("holidays")
    except ModuleNotFoundError as error:
        raise MissingExtra.named("forecast", "holidays", "the calendar of a country") from error
    name, _, part = country.partition("-")
    years = sorted(set((days.astype("M8[D]").astype("M8[Y]").astype(int) + 1970).tolist()))
    try:
        found = library.country_holidays(name, subdiv=part or None, years=years)
    except NotImplementedError as error:
        raise DeclarationError(
            f"no calendar of public holidays for {country!r}",
            "a country such as DE, FR, US, or a part of one: DE-BY",
            "correct forecast.country",
        ) from error
    return np.array(sorted(found), "M8[D]").astype(np.int64)
