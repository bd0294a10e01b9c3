"""Turn marked rows into a condition that can be written down: a bound, or a bound on the ratio to another column.

A repair may not learn. So what a check found by comparing rows is frozen into numbers that each row can be held against
by itself, and only where these single out nearly the same rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from holdgood.audit import columns
from holdgood.audit.bench import bench
from holdgood.audit.clock import Clock, clock
from holdgood.audit.expected import View
from holdgood.core.protocols import AuditContext
from holdgood.core.sql import literal, quote
from holdgood.core.table import Table

WRONG = 0.02
COVERED = 0.5


@dataclass(frozen=True)
class Condition:
    """Parameters of a repair that pick out rows, and how many cells they pick."""

    parameters: dict[str, Any]
    cells: int


def rounded(value: float, up: bool) -> float:
    """Three digits, rounded away from what must not be hit.

    >>> rounded(123.456, True), rounded(0.12345, False)
    (124.0, 0.123)
    """
    if value == 0:
        return 0.0
    size = 10.0 ** (np.floor(np.log10(abs(value))) - 2)
    near = (np.ceil if up else np.floor)(value / size) * size
    return float(f"{near:.12g}")


def bound(values: np.ndarray, marks: NDArray[np.bool_], *, covered: float = COVERED) -> Condition | None:
    """A single bound that takes most of the marked values and next to none of the others; None where there is no such bound."""
    there = np.isfinite(values)
    wrong, right = values[there & marks], values[there & ~marks]
    if not len(wrong) or not len(right):
        return None
    for side, key in ((1.0, "low"), (-1.0, "high")):
        ranked = np.sort(side * right)
        strays = int(WRONG * len(wrong))
        limit = float(ranked[len(ranked) - 1 - min(strays, len(ranked) - 1)])
        beyond = np.sort(side * wrong)[int(np.searchsorted(np.sort(side * wrong), limit, "right")) :]
        if len(beyond) < covered * len(wrong) or len(beyond) == 0:
            continue
        between = side * _between(side * limit, side * float(beyond[0]))
        at = side * between
        hits = there & ((values >= at) if side > 0 else (values <= at))
        return Condition({key: at}, int(hits.sum()))
    return None


def _between(one: float, other: float) -> float:
    """A short number between two, in the middle of their logarithms where they have one sign."""
    middle = float(np.sign(one) * np.sqrt(one * other)) if one * other > 0 else (one + other) / 2
    low, high = min(one, other), max(one, other)
    for digits in range(1, 16):
        short = float(f"{middle:.{digits}g}")
        if low < short < high:
            return short
    return middle


def ratio(context: AuditContext, table: Table, view: View, marks: NDArray[np.bool_]) -> Condition | None:
    """A bound on the ratio to the column that goes along best; both must be amounts. ``marks`` over all rows."""
    made = bench(context, table)
    if made is None or view.model is None or not view.scale.log:
        return None
    mine = columns.numbers(table, view.scale.name)
    for j in view.model.predictors:
        other = made.scales[j]
        if not other.log:
            continue
        with np.errstate(divide="ignore", invalid="ignore"):
            proportion = mine / columns.numbers(table, other.name)
        found = bound(np.where(np.isfinite(proportion), proportion, np.nan), marks, covered=0.9)
        if found is not None:
            ((side, at),) = found.parameters.items()
            sign = ">=" if side == "low" else "<="
            where = f"{quote(view.scale.name)} / nullif({quote(other.name)}, 0) {sign} {at!r}"
            return Condition({"where": where}, found.cells)
    return None


def stretches(context: AuditContext, table: Table, marks: NDArray[np.bool_]) -> Condition | None:
    """The stretches of time that the marked rows fill, each of one series; None where there is no column of moments."""
    ticking = clock(context, table)
    if ticking is None or not ticking.time or not columns.is_moment(table, ticking.time):
        return None
    at = np.flatnonzero(marks[ticking.order])
    starts, ends = at[np.flatnonzero(np.diff(at, prepend=-2) != 1)], at[np.flatnonzero(np.diff(at, append=-2) != 1)]
    parts = [
        f"({quote(ticking.time)} >= {moment(ticking, int(s))} AND {quote(ticking.time)} <= {moment(ticking, int(e))}"
        f"{of_series(table, ticking, int(s))})"
        for s, e in zip(starts, ends, strict=True)
    ]
    return Condition({"where": " OR ".join(parts)}, len(at)) if parts else None


def moment(ticking: Clock, place: int) -> str:
    """A moment of the clock's order as SQL."""
    written = str(np.datetime64(int(ticking.moments[place]), "us")).replace("T", " ")
    return f"TIMESTAMP '{written}'"


def of_series(table: Table, ticking: Clock, place: int) -> str:
    """The rest of a condition that names the series of a row in the clock's order; empty for a single series."""
    out = ""
    for column in ticking.by:
        value = table.data.column(column)[int(ticking.order[place])].as_py()
        out += f" AND {quote(column)} " + ("IS NULL" if value is None else f"= {_written(value)}")
    return out


def _written(value: Any) -> str:
    """A value of a table as SQL."""
    if isinstance(value, datetime):
        return f"TIMESTAMP '{value}'"
    return literal(value) if isinstance(value, str) else repr(value)
