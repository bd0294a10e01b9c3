"""A feature plan compiled for single rows: typed cells in, the values of the features out, as ``features.builders`` makes them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np

from holdgood.core import sql
from holdgood.features.builders.dates import CALENDAR, HOUR_US, calendar
from holdgood.features.builders.expressions import NEVER
from holdgood.features.builders.plan import FeaturePlan
from holdgood.features.builders.planned import InputColumn, PlannedFeature

Facts: TypeAlias = Callable[[Mapping[str, Any]], list[Any]]
"""Typed cells of a row (None: missing) to the values of the plan's features: float with NaN, or str or None."""
Moment: TypeAlias = Callable[[Mapping[str, Any]], int]
"""Typed cells to microseconds since the epoch; NEVER where missing."""

_DAY_US = 24 * HOUR_US
_DAYS_TO_2000 = 10957
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_FIRST, _LAST = (8 - _EPOCH_DAY) * _DAY_US, (date.max.toordinal() - 8 - _EPOCH_DAY) * _DAY_US
_UNITS = {"second": 10**6, "minute": 6 * 10**7, "hour": 36 * 10**8, "day": 864 * 10**8, "week": 6048 * 10**8}
_SHIFTED = re.compile(
    r'(?:"([^"]+)"|([A-Za-z_]\w*))\s*([+-])\s*INTERVAL\s+\'(\d{1,6})\s+(second|minute|hour|day|week)s?\'', re.IGNORECASE
)
_NAN, _INF = math.nan, math.inf


def compile_facts(plan: FeaturePlan, types: Mapping[str, str]) -> Facts | None:
    """None where a plan joins, aggregates or asks an expert's expression: these take the road of tables.

    ``types``: the contract's type of each column, as its cells are read.
    """
    if plan.joins or plan.expressions or any(types.get(c.name) != c.type for c in plan.inputs):
        return None
    decision: Moment | None = None
    if plan.decision is not None and (plan.needs_decision or types.get(plan.decision) == "number"):
        decision = _moment(plan.decision, plan.inputs)
        if decision is None:
            return None
    masks: list[tuple[str, Moment]] = []
    for column in plan.inputs:
        if column.known is not None:
            known = _moment(column.known, plan.inputs)
            if known is None or decision is None:
                return None
            masks.append((column.name, known))
    kinds = {c.name: c.type for c in plan.inputs}
    numbers: list[tuple[int, str]] = []
    words: list[tuple[int, str]] = []
    calendars: dict[str, list[tuple[int, int]]] = {}
    others: list[tuple[int, _Maker]] = []
    for at, feature in enumerate(plan.features):
        name, kind = feature.column, kinds.get(feature.column, "")
        if feature.builder == "column" and not feature.part and kind in ("number", "boolean"):
            numbers.append((at, name))
        elif feature.builder == "column" and not feature.part and kind in ("category", "text"):
            words.append((at, name))
        elif feature.builder == "calendar" and feature.part in CALENDAR and kind == "datetime":
            calendars.setdefault(name, []).append((at, CALENDAR.index(feature.part)))
        elif (maker := _maker(feature, kind, decision)) is not None:
            others.append((at, maker))
        else:
            return None
    empty: list[Any] = [_NAN] * len(plan.features)

    def facts(cells: Mapping[str, Any]) -> list[Any]:
        seen = cells
        if masks and decision is not None:
            moment, hidden = decision(cells), dict(cells)
            for name, known in masks:
                known_at = known(cells)
                if known_at > moment or known_at == NEVER:
                    hidden[name] = None
            seen = hidden
        found = empty.copy()
        for at, name in numbers:
            cell = seen[name]
            if cell is not None and -_INF < cell < _INF:
                found[at] = float(cell)
        for at, name in words:
            found[at] = seen[name]
        for name, places in calendars.items():
            parts = calendar_of(seen[name])
            for at, place in places:
                found[at] = parts[place]
        for at, make in others:
            found[at] = make(seen, cells)
        return found

    return facts


_Maker: TypeAlias = Callable[[Mapping[str, Any], Mapping[str, Any]], float]
"""Cells as they were known at the decision, and all cells, to the value of a feature."""


def _moment(expression: str, inputs: Sequence[InputColumn]) -> Moment | None:
    """A column, or a column and a fixed time; None for any other expression."""
    dates = {c.name for c in inputs if c.type == "datetime"}
    name, step = expression, 0
    if name not in dates:
        found = _SHIFTED.fullmatch(sql.friendly(expression).strip())
        if found is None or (name := found[1] or found[2]) not in dates:
            return None
        step = int(found[4]) * _UNITS[found[5].lower()] * (1 if found[3] == "+" else -1)

    def moment(cells: Mapping[str, Any]) -> int:
        at = cells[name]
        return NEVER if at is None else int(at) + step

    return moment


def _maker(feature: PlannedFeature, kind: str, decision: Moment | None) -> _Maker | None:
    name = feature.column
    if kind != "datetime":
        return None
    if feature.builder == "absolute time":
        return lambda seen, _: _NAN if seen[name] is None else float(seen[name]) / _DAY_US - _DAYS_TO_2000
    if feature.builder == "to decision" and decision is not None:

        def to_decision(seen: Mapping[str, Any], cells: Mapping[str, Any]) -> float:
            start, end = decision(cells), seen[name]
            return _NAN if end is None or start == NEVER else (float(end) - float(start)) / HOUR_US

        return to_decision
    return None


def calendar_of(moment: int | None) -> Sequence[float]:
    """The parts of ``CALENDAR`` of one moment, in its order.

    >>> calendar_of(1_357_021_800_000_000)  # 2013-01-01 06:30, a Tuesday
    (6.0, 390.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0)
    """
    if moment is None:
        return (_NAN,) * len(CALENDAR)
    if not _FIRST <= moment < _LAST:  # years that Python's dates do not have
        return tuple(float(v[0]) for v in calendar(np.array([moment], np.int64)).values())
    days, within = divmod(moment, _DAY_US)
    return (float(within // HOUR_US), float(within // 60_000_000), *_of_day(days))


@lru_cache(maxsize=4096)
def _of_day(days: int) -> tuple[float, ...]:
    """The parts of ``CALENDAR`` after those of the hour. Rows that come one after the other are mostly of the same days."""
    day = date.fromordinal(days + _EPOCH_DAY)
    weekday = day.weekday()
    return (
        float(weekday), float(day.day), float(day.month), float(day.timetuple().tm_yday), float(day.isocalendar()[1]),
        float(weekday >= 5),
    )  # fmt: skip
