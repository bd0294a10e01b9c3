"""The steps ahead: their moments, and what is known of them. A step that lacks a known column is told, not guessed."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from holdgood.core.errors import DataError
from holdgood.core.panel import Future, Panel
from holdgood.core.records.panel import PanelNote
from holdgood.core.table import Table
from holdgood.core.text import counted
from holdgood.features.panels.holidays import holiday_columns
from holdgood.features.panels.moments import NEVER, moments_of
from holdgood.features.panels.plan import PanelPlan, coded
from holdgood.features.panels.rows import Rows
from holdgood.features.panels.series import matched

_TOLD = 5


def future_of(
    plan: PanelPlan,
    panel: Panel,
    end: np.ndarray,
    table: Table,
    rows: Rows,
    future: Table | None,
    keys: pa.Table,
    *,
    skip: np.ndarray,
) -> tuple[Future, list[PanelNote]]:
    """``end``: (series,) the number of each series' last step. Known columns come from rows of ``table`` after it and from ``future``.

    DataError where a step of a series that is to be forecast (not in ``skip``) lacks one, with the steps concerned.
    """
    horizon = plan.horizon
    steps = end[:, None] + 1 + np.arange(horizon)[None, :]
    ds = plan.grid.stamps(steps.ravel()).reshape(steps.shape)
    known = {n: np.full(steps.shape, np.nan) for n in plan.known}
    there = np.zeros(steps.shape, bool)
    after = rows.step > end[rows.code]
    _put(known, there, plan, table, rows.place[after], rows.code[after], rows.step[after] - end[rows.code[after]] - 1)
    notes: list[PanelNote] = []
    if future is not None:
        notes += _from_table(known, there, plan, future, keys, end)
    for name in plan.known:
        # a word that is empty in a row that is there says "none": no event, no promotion
        gone = np.isnan(known[name]) & ~skip[:, None] & ~(there & (name in plan.levels))
        if gone.any():
            series, step = np.nonzero(gone)
            told = [f"{panel.ids[s]} at {_day(ds[s, k])}" for s, k in zip(series[:_TOLD], step[:_TOLD], strict=True)]
            more = f" and {int(gone.sum()) - _TOLD:,} more" if gone.sum() > _TOLD else ""
            raise DataError(
                f"{name!r} is declared as known ahead and lacks a value in {int(gone.sum()):,} of "
                f"{int((~skip).sum()) * horizon:,} steps ahead: {', '.join(told)}{more}",
                f"a row for each series and each of the {horizon} steps ahead",
                "add these rows (forecast.future, or --future), or declare the column under `past`",
            )
    if plan.country:
        found = holiday_columns(plan.country, steps.ravel(), plan.grid, plan.calendar_zone)
        known |= {n: v.reshape(steps.shape) for n, v in found.items()}
    return Future(ds, known), notes


def _from_table(
    known: dict[str, np.ndarray], there: np.ndarray, plan: PanelPlan, future: Table, keys: pa.Table, end: np.ndarray
) -> list[PanelNote]:
    lacking = [c for c in (*plan.id, plan.time, *plan.known) if c not in future.names]
    if lacking:
        raise DataError(
            f"the table of the future {future.name!r} lacks {', '.join(map(repr, lacking))}",
            "the id and time columns and those known ahead",
            "add them under the same names",
        )
    us = plan.moments(moments_of(future, plan.time))
    series = matched(keys, future.data, plan.id)
    placed = np.flatnonzero((series >= 0) & (us != NEVER))
    step = plan.grid.number(us[placed]) - end[series[placed]] - 1
    _put(known, there, plan, future, placed, series[placed], step)
    beyond = int(((step < 0) | (step >= plan.horizon)).sum())
    if beyond:
        said = f"{counted(beyond, 'row')} of {future.name!r} outside the {plan.horizon} steps ahead, not used"
        return [PanelNote(code="beyond", level="tip", message=said, count=beyond)]
    return []


def _put(
    known: dict[str, np.ndarray],
    there: np.ndarray,
    plan: PanelPlan,
    table: Table,
    place: np.ndarray,
    series: np.ndarray,
    step: np.ndarray,
) -> None:
    ahead = (step >= 0) & (step < plan.horizon)
    there[series[ahead], step[ahead]] |= all(name in table.names for name in known)
    for name, values in known.items():
        if name in table.names:
            values[series[ahead], step[ahead]] = coded(table.data.column(name), plan.levels.get(name))[place[ahead]]


def _day(moment: np.datetime64) -> str:
    return str(moment)[:19].replace("T", " ").removesuffix(" 00:00:00")
