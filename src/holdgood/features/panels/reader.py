"""From a table to a panel: rows onto the grid, columns into their roles, and a note for everything that was not as it should be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from holdgood.core.declaration import Declaration
from holdgood.core.errors import DataError, DeclarationError
from holdgood.core.panel import Future, Panel
from holdgood.core.records.panel import PanelNote
from holdgood.core.sql import columns_in, evaluate
from holdgood.core.table import Table
from holdgood.core.text import counted
from holdgood.core.zones import on_the_wall
from holdgood.features.panels import oddities
from holdgood.features.panels.ahead import future_of
from holdgood.features.panels.attributes import Attributes, attributes_of
from holdgood.features.panels.frequency import infer, seasons_of
from holdgood.features.panels.grid import DAY, WEEK, Grid, declared, named
from holdgood.features.panels.holidays import HOLIDAY_COLUMNS, holiday_columns
from holdgood.features.panels.moments import Moments, moments_of
from holdgood.features.panels.plan import PanelPlan, by_days, coded
from holdgood.features.panels.roles import check_columns, levels_for, roles_of, time_column
from holdgood.features.panels.rows import Rows, on_grid, usable
from holdgood.features.panels.series import Series, series_of

# More cells than this (8 bytes each, and as many a covariate) are no panel that a machine should hold.
_MOST_CELLS = 500_000_000


@dataclass(frozen=True)
class ReadPanel:
    """A panel with what it came from. ``keys``: the id columns, one row a series of ``panel``, as they were in the table.

    ``future``: the steps after each series' end with what is known of them; ``rows``: that were read; ``filled``: steps without a
    row. Series without any history stand in the panel with no step. ``ended``: (series,) those with no demand for long.
    """

    panel: Panel
    plan: PanelPlan
    keys: pa.Table
    future: Future
    ended: np.ndarray
    rows: int
    filled: int
    notes: tuple[PanelNote, ...]

    def take(self, which: np.ndarray) -> ReadPanel:
        """Some of the series, in that order."""
        return replace(
            self,
            panel=self.panel.take(which),
            keys=self.keys.take(pa.array(which)) if self.keys.num_columns else self.keys,
            future=self.future.take(which),
            ended=self.ended[which],
        )

    @property
    def new(self) -> np.ndarray:
        """(series,) those without any history."""
        return np.asarray(self.panel.lengths == 0)


def settle(declaration: Declaration, table: Table, items: Table | None = None) -> PanelPlan:
    """Roles, grid, seasons and levels from the declaration and the data: once, before anything is learned."""
    spec = declaration.forecast
    if spec.horizon is None:
        raise DeclarationError(
            "no horizon is declared", "steps ahead", "write for example horizon = 12 under [forecast]"
        )
    if not declaration.task.target:
        raise DeclarationError(
            "no target is declared", "the column to forecast", 'write target = "COLUMN" under [task]'
        )
    time = time_column(declaration)
    table.type_of(time)
    check_columns(spec, table)
    target = columns_in(declaration.task.target, table.names)
    if not target:
        table.type_of(declaration.task.target)
    series = series_of(table, spec.id)
    roles = roles_of(declaration, table, series.code, time, target)
    read = moments_of(table, time)
    kept, _ = usable(series.code, read.us, np.arange(table.rows))
    _some(kept, table, time)
    grid = named(_grid(spec.frequency, read, kept, series.code), spec.week)
    by_role = {r: tuple(n for n, role in roles.items() if role == r) for r in ("known", "past", "static")}
    attributes = attributes_of(items, spec.id, spec.static)
    used = [*by_role["known"], *by_role["past"], *by_role["static"]]
    seasons = tuple(spec.seasons) or _seasons(grid, series.code[kept])
    return PanelPlan(
        id=tuple(spec.id), time=time, target=declaration.task.target, grid=grid, seasons=seasons, horizon=spec.horizon,
        known=by_role["known"], past=by_role["past"],
        static=(*by_role["static"], *(n for n in attributes.columns if n not in by_role["static"])),
        in_stock=spec.in_stock, country=spec.country, fill=spec.fill, duplicates=spec.duplicates,
        ended_after=spec.ended_after, keep_ended=spec.keep_ended, zone=read.zone,
        types={**{n: table.type_of(n) for n in used}, **attributes.types},
        levels=dict(levels_for(table, used)) | dict(attributes.levels), roles=roles,
    )  # fmt: skip


def _grid(frequency: str | None, read: Moments, kept: np.ndarray, code: np.ndarray) -> Grid:
    """On the wall clock of the column's zone, if it has one; steps shorter than a day in UTC."""

    def found(us: np.ndarray) -> Grid:
        return declared(frequency, us) if frequency else infer(us, code[kept])

    us = read.us[kept]
    if read.zone is None:
        return found(us)
    try:
        grid = found(on_the_wall(us, read.zone))
    except DataError:  # hours that a clock leaps over, or shows twice, may hide a step
        return found(us)
    return grid if by_days(grid) else found(us)


def _seasons(grid: Grid, code: np.ndarray) -> tuple[int, ...]:
    """By the grid; a year beside the week where most of the rows are in series of three years of days."""
    found = seasons_of(grid)
    lengths = np.bincount(code)
    long = grid.unit == "fixed" and grid.size == DAY and len(lengths) and np.median(lengths) >= 3 * 365
    return (*found, 365) if long else found


def _some(kept: np.ndarray, table: Table, time: str) -> None:
    if not len(kept):
        raise DataError(
            f"no row of table {table.name!r} has an id and a time",
            "rows with both",
            f"check the column {time!r} and the ids",
        )


def read_panel(
    plan: PanelPlan,
    table: Table,
    *,
    items: Table | None = None,
    future: Table | None = None,
    numbers: np.ndarray | None = None,
    ahead: bool = True,
) -> ReadPanel:
    """The panel of a table. ``numbers``: each row's place in its source, for telling rows; ``future``: covariates of the steps ahead.

    Rows of ``table`` after the end of a series' target count as rows of the future. Raises DataError (duplicates, no usable row, a
    step ahead without its known columns, unless ``ahead`` is False: for learning alone) with the rows that it is about.
    """
    numbers = np.arange(table.rows) if numbers is None else numbers
    series, read = series_of(table, plan.id), moments_of(table, plan.time)
    us = plan.moments(read)
    place, notes = usable(series.code, us, numbers)
    _some(place, table, plan.time)
    y, more = oddities.outcomes(_target(plan, table), numbers)
    rows, on = on_grid(place, series.code[place], us[place], y[place], plan.grid, plan.duplicates, numbers, series.ids)
    notes += [*_clock(read), *_zones(table, plan.time), *more, *on]
    attributes = attributes_of(items, plan.id, plan.static, plan.levels)
    keys, known_to_items = attributes.with_new(series.keys, plan.id, future)
    history, panel_end = _history(plan, rows, keys.num_rows if plan.id else 1)
    panel, filled = _panel(plan, table, rows, history, series, keys, attributes, known_to_items)
    told = oddities.series_notes(panel)
    late = np.where(history.length > 0, panel_end + 1 - history.begin - history.length, 0)
    ended = (
        oddities.ended(panel, plan.ended_after, plan.horizon, late)
        if not plan.keep_ended
        else np.zeros(len(panel), bool)
    )
    told += oddities.ends(panel, late, ended)
    end = np.where(history.length > 0, history.begin + history.length - 1, panel_end)
    steps, notes_ahead = future_of(
        plan, panel, end, table, rows, future, keys, skip=ended if ahead else np.ones(len(panel), bool)
    )
    return ReadPanel(
        panel, plan, keys, steps, ended, len(rows.place), filled, (*notes, *told, *_weeks(plan), *notes_ahead)
    )


def _target(plan: PanelPlan, table: Table) -> np.ndarray:
    values = (
        evaluate(plan.target, table.data, purpose="the target")
        if plan.target not in table.names
        else table.data.column(plan.target)
    )
    if not (pa.types.is_integer(values.type) or pa.types.is_floating(values.type) or pa.types.is_boolean(values.type)):
        raise DataError(
            f"the target {plan.target!r} holds {values.type}",
            "numbers",
            "declare the repair to-number, or another target",
        )
    return np.asarray(values.cast(pa.float64()).to_numpy(zero_copy_only=False), float)


def _clock(read: Moments) -> list[PanelNote]:
    notes = []
    if read.unread:
        said = f"the time cannot be read in {counted(read.unread, 'row')}, left out"
        notes.append(PanelNote(code="no-time", level="issue", message=said, count=read.unread))
    if read.zones and len(read.zones) > 1:
        told = ", ".join(f"{z} ({n:,} rows)" for z, n in sorted(read.zones.items(), key=lambda p: -p[1])[:4])
        said = f"times are written in several zones: {told}; " + (
            f"all are counted in {read.zone}" if read.zone else "all are counted in UTC, one without a zone as UTC"
        )
        notes.append(PanelNote(code="zones", level="issue", message=said, count=sum(read.zones.values())))
    return notes


def _zones(table: Table, time: str) -> list[PanelNote]:
    """What the reader of the source said of times in several zones."""
    said = [n for n in table.notes if n.code == "zones" and time in n.columns]
    return [PanelNote(code="zones", level="issue", message=n.message, count=n.count) for n in said]


def _weeks(plan: PanelPlan) -> list[PanelNote]:
    """How weeks are read where it matters and nobody can see it."""
    if not plan.country or plan.grid.unit != "fixed" or plan.grid.size % WEEK:
        return []
    which, other = ("last", "start") if plan.grid.ends else ("first", "end")
    said = f'a week is named by its {which} day ({plan.grid.frequency}); holidays are counted so; otherwise declare week = "{other}"'
    return [PanelNote(code="weeks", level="tip", message=said)]


@dataclass(frozen=True)
class _History:
    """By series its first step and how many steps it has; ``inside``: which rows lie in it."""

    begin: np.ndarray
    length: np.ndarray
    inside: np.ndarray


def _history(plan: PanelPlan, rows: Rows, count: int) -> tuple[_History, int]:
    """Each series from its first row to its last outcome (or, where steps without a row are zero, the last of the table)."""
    seen = ~np.isnan(rows.y)
    if not seen.any():
        raise DataError(f"the target {plan.target!r} has no value in any row", "outcomes", "check the column")
    lowest = np.iinfo(np.int64).min
    last, first = np.full(count, lowest), np.full(count, np.iinfo(np.int64).max)
    np.maximum.at(last, rows.code[seen], rows.step[seen])
    np.minimum.at(first, rows.code[seen], rows.step[seen])
    there, panel_end = last > lowest, int(rows.step[seen].max())
    if plan.fill == "zero":
        last = np.where(there, panel_end, last)
    length = np.where(there, last - np.where(there, first, 0) + 1, 0)
    if length.sum() > _MOST_CELLS:
        raise DataError(
            f"{int(length.sum()):,} steps of {plan.grid.frequency} between the first and last rows of {count:,} series",
            f"at most {_MOST_CELLS:,}",
            "declare a longer step: frequency under [forecast]",
        )
    inside = there[rows.code] & (rows.step >= first[rows.code]) & (rows.step <= last[rows.code])
    return _History(np.where(there, first, 0), length, inside), panel_end


def _panel(
    plan: PanelPlan,
    table: Table,
    rows: Rows,
    history: _History,
    series: Series,
    keys: pa.Table,
    attributes: Attributes,
    of_items: np.ndarray,
) -> tuple[Panel, int]:
    indptr = np.concatenate([[0], np.cumsum(history.length)]).astype(np.int64)
    total = int(indptr[-1])
    code, step = rows.code[history.inside], rows.step[history.inside]
    at, source = indptr[code] + step - history.begin[code], rows.place[history.inside]
    numbers = np.repeat(history.begin - indptr[:-1], history.length) + np.arange(total)
    there = np.zeros(total, bool)
    there[at] = True
    y = np.full(total, np.nan if plan.fill == "missing" else 0.0)
    y[at] = rows.y[history.inside]

    def spread(name: str) -> np.ndarray:
        out = np.full(total, np.nan)
        out[at] = coded(table.data.column(name), plan.levels.get(name))[source]
        return out

    present = [n for n in (*plan.known, *plan.past) if n in table.names]
    columns: Mapping[str, np.ndarray] = {n: spread(n) for n in present}
    empty = np.full(total, np.nan)
    ds = plan.grid.stamps(numbers)
    known = {n: columns.get(n, empty) for n in plan.known}
    if plan.country:
        known |= holiday_columns(plan.country, numbers, plan.grid, plan.calendar_zone)
    available = None
    if plan.in_stock and plan.in_stock in table.names:
        flag = coded(
            table.data.column(plan.in_stock), ("false", "true") if table.type_of(plan.in_stock) == "boolean" else None
        )
        available = np.ones(total, bool)
        available[at] = flag[source] != 0
    static = {n: _static(n, plan, table, rows, keys, attributes, of_items) for n in plan.static}
    categories = frozenset(n for n in (*plan.known, *plan.past, *plan.static) if n in plan.levels)
    panel = Panel(
        ids=Series(series.code, keys).ids, indptr=indptr, ds=ds, y=y, frequency=plan.grid.frequency, seasons=plan.seasons,
        known=known, past={n: columns.get(n, empty) for n in plan.past}, static=static, categories=categories, available=available,
    )  # fmt: skip
    return panel, total - int(there.sum())


def _static(
    name: str, plan: PanelPlan, table: Table, rows: Rows, keys: pa.Table, attributes: Attributes, of_items: np.ndarray
) -> np.ndarray:
    """(series,) from the table of items, else the first value that the series' own rows have."""
    out = np.full(max(keys.num_rows, 1), np.nan)
    if name in table.names:
        values = coded(table.data.column(name), plan.levels.get(name))[rows.place]
        seen = np.flatnonzero(~np.isnan(values))[::-1]
        out[rows.code[seen]] = values[seen]
    if name in attributes.columns:
        own = attributes.columns[name]
        found = np.where(of_items >= 0, own[np.maximum(of_items, 0)] if len(own) else np.nan, np.nan)
        out = np.where(np.isnan(found), out, found)
    return out


KNOWN_BY_CALENDAR = HOLIDAY_COLUMNS
"""Columns that a country's calendar adds to those known ahead."""
