"""Lead times that vary: declared chances, or past deliveries as samples; orders that never came included."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from holdgood.core.declaration import OrdersSpec
from holdgood.core.declared_orders import NEVER
from holdgood.core.errors import DataError, DeclarationError, did_you_mean
from holdgood.core.records import PanelNote
from holdgood.core.table import Table, as_text
from holdgood.core.text import counted
from holdgood.features.panels.grid import Grid
from holdgood.features.panels.moments import NEVER as NO_TIME
from holdgood.features.panels.moments import moments_of
from holdgood.features.panels.series import names_of
from holdgood.workflow.ordering.cells import column_of, words_of

ENOUGH = 8
"""Past orders of an item, or else of its supplier, from which its lead times are drawn."""
_DRAWN = 400
"""Samples that stand for declared chances."""


@dataclass(frozen=True, eq=False)
class LeadTimes:
    """``seen`` (m, k): lead times of each item in steps, equally likely; inf: it never came; NaN: no more were seen, none at all where the lead
    time is certain. ``notes``: what could not be used.
    """

    seen: np.ndarray
    notes: tuple[PanelNote, ...] = ()

    @property
    def varies(self) -> np.ndarray:
        """(m,) bool."""
        return np.asarray(~np.isnan(self.seen).all(axis=1))


def declared_leads(spec: OrdersSpec, supplier: np.ndarray) -> LeadTimes:
    """From ``lead_chances``, rounded to 1 in ``_DRAWN``; DeclarationError for a supplier that the state does not name."""
    n, said = len(supplier), spec.lead_chances
    seen = np.full((n, _DRAWN), np.nan)
    by_supplier = {k: v for k, v in said.items() if isinstance(v, dict)}
    if said and not by_supplier:
        seen[:] = _samples({k: v for k, v in said.items() if not isinstance(v, dict)})
    names = supplier.astype(str)
    for name, chances in by_supplier.items():
        if name not in names:
            known = sorted({s for s in names.tolist() if s})
            raise DeclarationError(
                f"orders.lead_chances names the supplier {name!r}",
                f"one of the state's column {spec.supplier!r}: {', '.join(map(repr, known[:12])) or 'it names none'}",
                did_you_mean(name, known) or "correct it, or take it out",
            )
        seen[names == name] = _samples(chances)
    return LeadTimes(seen)


def _samples(chances: dict[str, float]) -> np.ndarray:
    """(_DRAWN,) lead times as often as they are likely: at the middles of as many equal shares."""
    steps = np.array([np.inf if k == NEVER else float(k) for k in chances])
    order = np.argsort(steps)
    reach = np.cumsum(np.array(list(chances.values()))[order])
    at = np.searchsorted(reach / reach[-1], (np.arange(_DRAWN) + 0.5) / _DRAWN)
    return np.asarray(steps[order][at])


def past_leads(
    spec: OrdersSpec, table: Table, ids: np.ndarray, supplier: np.ndarray, id_columns: Sequence[str], grid: Grid, now: int
) -> LeadTimes:  # fmt: skip
    """From a table of past orders: an item's own where there are ``ENOUGH``, else its supplier's, else its lead time is certain.

    ``now``: number of the last step of history. An order without a delivery has never come where it was placed longer ago than any that came
    took; else it is still on its way and tells nothing yet. DataError for a table that names neither items nor suppliers.
    """
    notes: list[PanelNote] = []
    lead = _in_steps(spec, table, grid, now, notes)
    use = ~np.isnan(lead)
    own = _names(spec, table, id_columns)
    by = words_of(table, spec.supplier) if spec.supplier in table.names else None
    if own is None and by is None:
        raise DataError(
            f"{table.name!r} says of no delivery what it was or from whom",
            f"the item's columns ({', '.join(spec.item or id_columns)}), or {spec.supplier!r}",
            "add one of them to the table of deliveries",
        )
    mine = _grouped(own, lead, use)
    theirs = _grouped(by, lead, use)
    chosen = []
    for item, who in zip(ids.astype(str).tolist(), supplier.astype(str).tolist(), strict=True):
        one, other = mine.get(item, []), theirs.get(who, []) if who else []
        chosen.append(one if len(one) >= ENOUGH else other if len(other) >= ENOUGH else [])
    # of whom nothing came at all no lead time can be drawn
    chosen = [c if np.isfinite(c).any() else [] for c in chosen]
    without = sum(not c for c in chosen)
    if without:
        said = f"{counted(without, 'item')} with fewer than {ENOUGH} past orders, of its own or of its supplier: the lead time counts as certain"
        notes.append(PanelNote(code="few-deliveries", level="tip", message=said, count=without))
    seen = np.full((len(ids), max((len(c) for c in chosen), default=0) or 1), np.nan)
    for i, c in enumerate(chosen):
        seen[i, : len(c)] = c
    return LeadTimes(seen, tuple(notes))


def _names(spec: OrdersSpec, table: Table, id_columns: Sequence[str]) -> list[str] | None:
    columns = list(spec.item or id_columns)
    if not all(c in table.names for c in columns):
        return None
    data = table.data.select(columns)
    empty = np.any([c.is_null().to_numpy() for c in data.columns], axis=0)
    return ["" if gone else str(n) for n, gone in zip(names_of(data).tolist(), empty, strict=True)]


def _grouped(names: Sequence[str] | np.ndarray | None, lead: np.ndarray, use: np.ndarray) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for name, value, good in zip(names if names is not None else [], lead, use, strict=False):
        if good and name:
            found.setdefault(str(name), []).append(float(value))
    return found


def _in_steps(spec: OrdersSpec, table: Table, grid: Grid, now: int, notes: list[PanelNote]) -> np.ndarray:
    """Lead times (rows,) in whole steps, inf for never, NaN for nothing to learn."""
    named = spec.lead_time if isinstance(spec.lead_time, str) else "lead_time"
    if named in table.names:
        texts = as_text(table.data.column(named)).to_pylist()
        lead = column_of(table.with_data(_without(table, named, texts)), named, notes, needed=True)
        lead = np.where([str(t or "").strip().lower() in ("", NEVER) for t in texts], np.inf, np.ceil(lead - 1e-9))
        return _told(np.where(lead < 0, np.nan, lead), lead < 0, f"{named} is below zero", notes)
    for name in (spec.ordered, spec.delivered):
        if name not in table.names:
            raise DataError(
                f"{table.name!r} has no column {name!r}",
                f"{spec.ordered!r} and {spec.delivered!r} as dates, or {named!r} in steps",
                did_you_mean(name, table.names) or "name them under [orders]: ordered, delivered",
            )
    placed, came = moments_of(table, spec.ordered).us, _maybe(table, spec.delivered)
    known, there = placed != NO_TIME, came != NO_TIME
    at = np.where(known, grid.number(np.where(known, placed, 0)), 0)
    on = grid.number(np.where(there, came, 0))
    on = on + (np.where(there, came, 0) > grid.moment(on))  # what comes during a step is there for the next one
    early = known & there & (came < placed)
    lead = np.where(there, np.maximum(on - at - 1, 0).astype(float), np.nan)
    lead = np.where(known & ~early, lead, np.nan)
    longest = np.nanmax(lead) if (~np.isnan(lead)).any() else np.inf
    waited = (now - at).astype(float)
    lost = known & ~there & (waited > longest)
    out = known & ~there & ~lost
    if out.any():
        said = f"{counted(int(out.sum()), 'past order')} without a delivery that may still come: left out of the lead times"
        notes.append(PanelNote(code="still-open", level="tip", message=said, count=int(out.sum())))
    return _told(
        np.where(lost, np.inf, lead), early | ~known, f"no {spec.ordered!r}, or {spec.delivered!r} before it", notes
    )


def _told(lead: np.ndarray, bad: np.ndarray, why: str, notes: list[PanelNote]) -> np.ndarray:
    if bad.any():
        said = f"{counted(int(bad.sum()), 'past order')} left out of the lead times, the first in row {int(np.flatnonzero(bad)[0]) + 1}: {why}"
        notes.append(PanelNote(code="odd-deliveries", level="issue", message=said, count=int(bad.sum())))
    return lead


def _maybe(table: Table, name: str) -> np.ndarray:
    """Moments of a column that may be empty throughout."""
    if table.data.column(name).null_count == table.rows:
        return np.full(table.rows, NO_TIME, np.int64)
    return moments_of(table, name).us


def _without(table: Table, name: str, texts: list[str | None]) -> pa.Table:
    """The same table with ``never`` as an empty cell."""
    column = table.data.column(name)
    if pa.types.is_floating(column.type) or pa.types.is_integer(column.type):
        return table.data
    plain = [None if (t or "").strip().lower() == NEVER else t for t in texts]
    return table.data.set_column(table.data.column_names.index(name), name, pa.array(plain, pa.string()))
