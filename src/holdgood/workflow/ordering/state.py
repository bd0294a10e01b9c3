"""The state of the stock, as a table has it: aligned with the forecast's series, unknown cells kept apart from zeros."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from holdgood.core.declaration import OrdersSpec
from holdgood.core.errors import DataError, DeclarationError, did_you_mean
from holdgood.core.records import LeftOut, PanelNote
from holdgood.core.table import Table
from holdgood.core.text import counted
from holdgood.features.panels.moments import NEVER, moments_of
from holdgood.features.panels.series import names_of
from holdgood.workflow.ordering.cells import column_of, words_of
from holdgood.workflow.ordering.unread import unread

AMOUNTS = (
    "price", "unit_cost", "holding", "shortage", "fixed", "waste", "lead_time", "pack", "minimum", "maximum", "shelf_life",
)  # fmt: skip
"""Fields of ``[orders]`` that are a column or a number."""
_SOME = 8


@dataclass(frozen=True, eq=False)
class Horizon:
    """What an order is planned against: ``ids`` (n,), ``cutoff`` (n,) and ``ds`` (n, steps) of the forecast, datetime64[us]."""

    ids: np.ndarray
    cutoff: np.ndarray
    ds: np.ndarray


@dataclass(frozen=True, eq=False)
class State:
    """``place`` (m,): which of the forecast's series have a row. Everything else is (m,) too; NaN where nobody knows.

    ``amounts``: by name of ``AMOUNTS``, those that a column or a number says. ``on_order``: units on the way; ``arrives``: (m, k) by
    open order the step at whose start it comes (0: the next one; NaN: nobody knows), beside ``ordered`` (m, k) its units.
    ``waited`` (m, k): steps since each was placed, NaN where nobody knows.
    ``overdue``: units that should be there already. ``counted``: steps from the count of the stock to the end of history.
    ``suppliers``: every one that the table names, those without an item here too.
    """

    place: np.ndarray
    on_hand: np.ndarray
    ordered: np.ndarray
    arrives: np.ndarray
    waited: np.ndarray
    overdue: np.ndarray
    unknown_orders: np.ndarray
    supplier: np.ndarray
    amounts: dict[str, np.ndarray]
    counted: np.ndarray
    suppliers: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[PanelNote, ...] = field(default=())


def read_state(
    spec: OrdersSpec,
    table: Table,
    horizon: Horizon,
    id_columns: Sequence[str],
    step: float,
    open_orders: Table | None = None,
) -> State:
    """Match the rows of ``table`` with the series of a forecast; ``step``: length of one in microseconds, for dates.

    An item that stands on one side only is listed in ``left_out``. DataError for a row without an item or two rows of one.
    """
    items = _items(spec, table, id_columns)
    _once(items, table.name)
    where = {item: k for k, item in enumerate(items)}
    known = [(i, where[item]) for i, item in enumerate(horizon.ids.astype(str).tolist()) if item in where]
    if not known:
        raise DataError(
            f"no item of {table.name!r} has a forecast: it has for example {', '.join(map(repr, items[:3]))}",
            f"items as in the history: {', '.join(map(repr, horizon.ids[:3].astype(str).tolist()))}",
            "name the item's columns under [orders], or check how both tables write them",
        )
    place, rows = (np.array(v, np.int64) for v in zip(*known, strict=True))
    taken = table.take(pa.array(rows))
    notes: list[PanelNote] = list(unread(spec, table, id_columns, AMOUNTS, listed=open_orders is not None))
    on_hand = column_of(taken, spec.on_hand, notes, needed=True)
    amounts = {name: v for name in AMOUNTS if (v := _amount(spec, taken, name, notes)) is not None}
    supplier = words_of(taken, spec.supplier)
    at = Horizon(horizon.ids[place], horizon.cutoff[place], horizon.ds[place])
    if open_orders is None:
        ordered, arrives, waited, unknown = _own_orders(spec, taken, at, step, notes)
    else:
        ordered, arrives, waited, unknown = _listed_orders(spec, open_orders, at, id_columns, step, notes)
    late = (arrives < 0) & (ordered > 0)
    return State(
        place, on_hand, ordered, np.where(late, 0.0, arrives), waited, np.where(late, ordered, 0.0).sum(axis=1), unknown, supplier, amounts,
        _counted(spec, taken, at, step), tuple(dict.fromkeys(words_of(table, spec.supplier).tolist())), _left_out(items, horizon),
        tuple(notes),
    )  # fmt: skip


def _items(spec: OrdersSpec, table: Table, id_columns: Sequence[str]) -> list[str]:
    columns = list(spec.item or id_columns)
    if len(columns) != len(id_columns):
        raise DeclarationError(
            f"orders.item names {counted(len(columns), 'column')}",
            f"as many as forecast.id: {', '.join(id_columns)}",
            "correct it",
        )
    for name in columns:
        if name not in table.names:
            raise DataError(
                f"{table.name!r} has no column {name!r} for the item",
                "one of: " + ", ".join(table.names[:12]),
                did_you_mean(name, table.names) or "name the item's columns: item = … under [orders]",
            )
    data = table.data.select(columns)
    empty = (
        np.flatnonzero(np.any([c.is_null().to_numpy() for c in data.columns], axis=0))
        if columns
        else np.empty(0, np.int64)
    )
    if len(empty):
        raise DataError(
            f"{len(empty):,} rows of {table.name!r} name no item, the first is row {int(empty[0]) + 1}",
            "an item in every row",
            "fill it in, or take the row out",
        )
    return [str(n) for n in names_of(data).tolist()]


def _once(items: list[str], table: str) -> None:
    seen: dict[str, int] = {}
    for row, item in enumerate(items):
        if item in seen:
            raise DataError(
                f"item {item!r} stands in rows {seen[item] + 1} and {row + 1} of {table!r}",
                "one row an item; several open orders have a table of their own",
                "add them up, or declare [orders] open_orders",
            )
        seen[item] = row


def _left_out(items: list[str], horizon: Horizon) -> tuple[LeftOut, ...]:
    forecast, stated = set(horizon.ids.astype(str).tolist()), set(items)
    lost = [LeftOut(item=i, why="no forecast: it has ended, or has no history") for i in items if i not in forecast]
    return (*lost, *(LeftOut(item=i, why="no row in the state") for i in horizon.ids.astype(str) if i not in stated))


def _amount(spec: OrdersSpec, table: Table, name: str, notes: list[PanelNote]) -> np.ndarray | None:
    said = getattr(spec, name)
    if isinstance(said, float):
        return np.full(table.rows, said)
    if said is None and name not in table.names:
        return None
    values = column_of(table, said or name, notes, needed=said is not None)
    bad = values < 0
    if bad.any():
        _tell(notes, "negative", f"{said or name} is below zero and is taken as unknown", table, spec, bad)
    return np.where(bad, np.nan, values)


def _own_orders(
    spec: OrdersSpec, table: Table, at: Horizon, step: float, notes: list[PanelNote]
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """One open order an item, from the state itself."""
    if spec.on_order not in table.names:
        unknown = np.zeros(table.rows, bool)
        said = f"the state has no column {spec.on_order!r}: nothing is taken to be on the way"
        notes.append(PanelNote(code="open-orders", level="issue", message=said, count=table.rows))
        nobody = np.full((table.rows, 1), np.nan)
        return np.zeros((table.rows, 1)), nobody, nobody.copy(), unknown
    units = column_of(table, spec.on_order, notes, needed=True)
    unknown = np.isnan(units) | (units < 0)
    units = np.where(unknown, 0.0, units)
    item = np.arange(table.rows)
    return (
        units[:, None],
        _arrivals(spec.arrives, table, at, item)[:, None],
        _waited(spec.ordered, table, at, item, step)[:, None],
        unknown,
    )


def _listed_orders(
    spec: OrdersSpec, table: Table, at: Horizon, id_columns: Sequence[str], step: float, notes: list[PanelNote]
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Any number of open orders an item, from a table of their own."""
    place = {item: k for k, item in enumerate(at.ids.astype(str).tolist())}
    found = np.array([place.get(item, -1) for item in _items(spec, table, id_columns)], np.int64)
    foreign = int((found < 0).sum())
    if foreign:
        said = f"{foreign:,} open orders are of items that are not planned"
        notes.append(PanelNote(code="foreign-orders", level="tip", message=said, count=foreign))
    mine = np.flatnonzero(found >= 0)
    table, found = table.take(pa.array(mine)), found[mine]
    units = column_of(table, spec.on_order, notes, needed=True)
    arrives = _arrivals(spec.arrives, table, at, found)
    n, count = len(at.ids), np.zeros(len(at.ids), np.int64)
    slots = np.zeros(len(found), np.int64)
    for k, i in enumerate(found):
        slots[k], count[i] = count[i], count[i] + 1
    ordered = np.zeros((n, max(int(count.max(initial=0)), 1)))
    when, since = np.full(ordered.shape, np.nan), np.full(ordered.shape, np.nan)
    bad = np.isnan(units) | (units < 0)
    ordered[found, slots], when[found, slots] = np.where(bad, 0.0, units), arrives
    since[found, slots] = _waited(spec.ordered, table, at, found, step)
    unknown = np.zeros(n, bool)
    unknown[found[bad]] = True
    return ordered, when, since, unknown


def _arrivals(name: str, table: Table, at: Horizon, item: np.ndarray) -> np.ndarray:
    """Steps until orders arrive: 0 for the next step's start, -1 where they are overdue, NaN where nobody knows.

    A date is there for the first step whose own date is not before it; beyond the forecast it is the step after its last.
    """
    if name not in table.names:
        return np.full(table.rows, np.nan)
    column = table.data.column(name)
    if pa.types.is_floating(column.type) or pa.types.is_integer(column.type):
        steps = np.array(column.cast(pa.float64()).to_numpy(zero_copy_only=False), float)
        steps = np.where(np.isinf(steps), np.nan, steps)
        return np.where(steps < 1, np.where(np.isnan(steps), np.nan, -1.0), np.ceil(steps) - 1)
    if column.null_count == table.rows:
        return np.full(table.rows, np.nan)
    us = moments_of(table, name).us
    out = np.full(table.rows, np.nan)
    for k in np.flatnonzero(us != NEVER):
        moment, i = np.int64(us[k]).astype("M8[us]"), int(item[k])
        out[k] = -1.0 if moment <= at.cutoff[i] else float(np.searchsorted(at.ds[i], moment))
    return out


def _waited(name: str, table: Table, at: Horizon, item: np.ndarray, step: float) -> np.ndarray:
    """Whole steps since orders were placed: a number of them, or from a date; NaN where nobody knows."""
    if name not in table.names or table.data.column(name).null_count == table.rows:
        return np.full(table.rows, np.nan)
    column = table.data.column(name)
    if pa.types.is_floating(column.type) or pa.types.is_integer(column.type):
        steps = np.array(column.cast(pa.float64()).to_numpy(zero_copy_only=False), float)
    else:
        us = moments_of(table, name).us
        ago = (at.cutoff.astype("M8[us]").astype(np.int64)[item] - us) / step
        steps = np.where(us == NEVER, np.nan, ago)
    return np.where(np.isfinite(steps), np.maximum(np.floor(steps + 1e-6), 0.0), np.nan)


def _counted(spec: OrdersSpec, table: Table, at: Horizon, step: float) -> np.ndarray:
    """Steps from the end of history to the count of the stock, 0 where they fit (during the last step, or the next)."""
    if spec.as_of is None:
        return np.zeros(table.rows)
    us = moments_of(table, spec.as_of).us
    apart = (us - at.cutoff.astype("M8[us]").astype(np.int64)) / step
    apart = np.where(us == NEVER, np.nan, apart)
    return np.where((apart >= -1e-9) & (apart < 2), 0.0, np.where(apart < 0, np.floor(apart), np.floor(apart) - 1))


def _tell(notes: list[PanelNote], code: str, said: str, table: Table, spec: OrdersSpec, which: np.ndarray) -> None:
    rows = np.flatnonzero(which)
    names = [
        str(w) for w in words_of(table.take(pa.array(rows[:_SOME])), spec.item[0] if spec.item else table.names[0])
    ]
    message = f"{counted(len(rows), 'item')}: {said}"
    notes.append(PanelNote(code=code, level="issue", message=message, count=len(rows), series=tuple(names)))
