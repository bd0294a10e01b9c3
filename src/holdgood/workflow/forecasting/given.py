"""Tables that a forecaster in use is handed: what its fit took for numbers must be numbers, and what is far apart in time must be bounded."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa

from holdgood.core.errors import DataError
from holdgood.core.sql import columns_in
from holdgood.core.table import Table
from holdgood.features.panels.moments import moments_of
from holdgood.features.panels.plan import PanelPlan
from holdgood.features.panels.rows import usable
from holdgood.features.panels.series import series_of

LARGEST = 1e100
"""Outcomes beyond it have squares that no 64-bit float holds."""


def check_numbers(plan: PanelPlan, table: Table) -> Table:
    """The table, where the columns that the plan takes as numbers, and the target's, are numbers; DataError with the column otherwise.

    What a cell says is not told: it may come from a caller over HTTP.
    """
    stock = () if plan.in_stock is None or plan.in_stock not in table.names else (plan.in_stock,)
    roles = {*plan.known, *plan.past, *plan.static, *(s for s in stock if table.type_of(s) != "boolean")}
    outcomes = {n for n in columns_in(plan.target, table.names) if table.type_of(n) == "number"}
    years = {n for n in (plan.time,) if n in table.names and table.type_of(n) == "number"}
    for name in table.names:
        if name not in (roles - plan.levels.keys()) | outcomes | years:
            continue
        try:
            values = np.asarray(table.data.column(name).cast(pa.float64()).to_numpy(zero_copy_only=False), float)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise DataError(
                f"column {name!r} of table {table.name!r} holds what is no number",
                "numbers, as in training, whole ones of at most 9,007,199,254,740,992",
                "correct the cells, or leave them empty",
            ) from error
        if name in outcomes and (np.abs(values[np.isfinite(values)]) > LARGEST).any():
            raise DataError(
                f"column {name!r} of table {table.name!r} holds a number beyond {LARGEST:g}",
                "amounts that can be squared",
                "correct the cells, or leave them empty",
            )
    return table


def check_span(plan: PanelPlan, table: Table, most: int) -> Table:
    """The table, where its series have at most ``most`` steps between their first and last rows; DataError otherwise, before they are laid out.

    Two rows, of the years 1 and 9999, are 521,722 weeks: a small request could ask for any amount of memory.
    """
    series, read = series_of(table, plan.id), moments_of(table, plan.time)
    us = plan.moments(read)
    place, _ = usable(series.code, us, np.arange(table.rows))
    if not len(place):
        return table  # the reader says so, with the rows
    code, step = series.code[place], plan.grid.number(us[place])
    count = int(code.max()) + 1
    first, last = np.full(count, np.iinfo(np.int64).max), np.full(count, np.iinfo(np.int64).min)
    np.minimum.at(first, code, step)
    np.maximum.at(last, code, step)
    there = last >= first
    # summed as floats: thousands of series over thousands of years in tiny steps are beyond 64 bits
    steps = round(
        float(((step.max() if plan.fill == "zero" else last[there]) - first[there] + 1).sum(dtype=np.float64))
    )
    if steps > most:
        raise DataError(
            f"{steps:,} steps of {plan.grid.frequency} between the first and last rows of {int(there.sum()):,} series",
            f"at most {most:,}",
            "correct moments that are far away, or send fewer series at a time",
        )
    return table


def attributes(plan: PanelPlan, items: Table) -> Table:
    """Of the table of items its ids and what the fit has seen of them: other columns may hold anything."""
    wanted = [n for n in items.names if n in (*plan.id, *plan.static)]
    columns = tuple(c for c in items.columns if c.name in wanted)
    return check_numbers(plan, replace(items, data=items.data.select(wanted), columns=columns)) if wanted else items
