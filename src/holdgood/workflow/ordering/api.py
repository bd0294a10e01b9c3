"""``holdgood.plan_orders``: from a bundle, a history and the state of the stock to an order plan, its sheet and its desk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from holdgood.connectors import read_table
from holdgood.core.declaration import FILE_NAME, Declaration, OrdersSpec, parse, read
from holdgood.core.errors import DeclarationError
from holdgood.core.records import OrderPlan, PanelNote
from holdgood.core.records.envelope import write as write_record
from holdgood.core.records.envelope import write_bytes
from holdgood.core.table import ColumnType, Table
from holdgood.core.text import counted
from holdgood.reports.order_desk import DeskView, render_desk
from holdgood.reports.series_view import BANDS, SeriesView
from holdgood.workflow.doubtful import doubtful, may_doubt
from holdgood.workflow.forecasting.in_use import ForecastModel
from holdgood.workflow.forecasting.result import Forecasts
from holdgood.workflow.named import check_rows
from holdgood.workflow.ordering.lead_times import LeadTimes, declared_leads, past_leads
from holdgood.workflow.ordering.plan import clock_of, decide, horizon_of, step_of, written
from holdgood.workflow.ordering.state import AMOUNTS, State, read_state

FANS = 300
"""Items that are drawn on the desk: those with the most money at stake."""
_HISTORY = 60


@dataclass(frozen=True, eq=False)
class Planned:
    """``plan``: the record. ``forecasts``: what it was made from. ``declared``: where the terms were read."""

    plan: OrderPlan
    forecasts: Forecasts
    declared: str = ""

    def save(self, path: Path | str) -> Path:
        """Write the plan as JSON: what a sheet is read back against."""
        return write_record(Path(path), self.plan)

    def to_excel(self, path: Path | str) -> Path:
        """Write the sheet that planners accept, change or reject in (extra ``excel``)."""
        from holdgood.connectors.order_sheet import write_sheet  # here: an optional library, wanted for Excel only

        return write_sheet(self.plan, Path(path))

    def to_html(self, path: Path | str) -> Path:
        """Write the order desk: one HTML file that loads nothing."""
        write_bytes(Path(path), render_desk(DeskView(self.plan, self.views())).encode())
        return Path(path)

    def views(self, most: int = FANS) -> dict[str, SeriesView]:
        """Fans of the first items of the plan, by item: history, forecast and its spread."""
        model, read_ = self.forecasts.model, self.forecasts.read
        place = {str(i): k for k, i in enumerate(read_.panel.ids.tolist())}
        rows = np.array([place[line.item] for line in self.plan.lines[:most]], np.int64)
        if not len(rows):
            return {}
        if model.coherent is None:
            paths = model.paths(read_.take(rows), self.forecasts.samples, self.forecasts.seed)
        else:
            paths = self.forecasts.paths.take(rows)
        levels = paths.quantile(np.array([v for band in BANDS for v in band]))
        found = {}
        for k, row in enumerate(rows):
            end = int(read_.panel.indptr[row + 1])
            begin = max(int(read_.panel.indptr[row]), end - max(_HISTORY, 3 * paths.horizon))
            hidden = np.zeros(end - begin, bool) if read_.panel.available is None else ~read_.panel.available[begin:end]
            name = str(read_.panel.ids[row])
            found[name] = SeriesView(
                name, "", read_.panel.ds[begin:end], read_.panel.y[begin:end], hidden, paths.ds[k], paths.point[k],
                levels[k, :, 0::2].T, levels[k, :, 1::2].T,
            )  # fmt: skip
        return found


def plan_orders(
    bundle: Path | str | ForecastModel,
    history: Any,
    state: Any = None,
    *,
    orders: Mapping[str, Any] | OrdersSpec | Path | str | None = None,
    open_orders: Any = None,
    deliveries: Any = None,
    future: Any = None,
    items: Any = None,
    samples: int | None = None,
    now: datetime | None = None,
) -> Planned:
    """What to order now, why, and what is at stake, for every item of a forecast that has a row in ``state``.

    ``bundle``: a folder, or a loaded forecaster; ``history``, ``future`` and ``items`` as for a forecast. ``state``: a frame or file, one
    row an item: on hand, on order, and whatever of supplier, prices, lead time, packs … is no number of the declaration.
    ``open_orders``: several open orders an item. ``deliveries``: past orders, from which lead times are drawn.
    ``orders``: the terms, as words of ``[orders]``, or a ``holdgood.toml``; default that of
    the project in which the bundle lies, else what the bundle was trained with. Raises DataError with the item or row it is about.
    """
    model = bundle if isinstance(bundle, ForecastModel) else ForecastModel.load(bundle)
    declared, where = _declared(model, bundle, orders)
    spec = declared.orders
    forecasts = model.forecast(history, future=future, items=items, samples=samples)
    base = Path(where).parent if where.endswith(FILE_NAME) else None
    stated = _table(state, spec.table, declared, base, "state")
    if stated is None:
        raise DeclarationError(
            "nothing says how much is on hand",
            "a table with one row an item",
            "--state FILE, or table = … under [orders]",
        )
    several = _table(open_orders, spec.open_orders, declared, base, "open_orders")
    at = horizon_of(forecasts.read)
    found = read_state(spec, stated, at, forecasts.read.plan.id, step_of(forecasts.read), several)
    currency = spec.currency or declared.costs.currency
    leads = _leads(forecasts, found, spec, _table(deliveries, spec.deliveries, declared, base, "deliveries"))
    decided, left = decide(forecasts, found, spec, declared.forecast.service_level, currency, leads)
    doubts = (
        *_doubts(stated, state, spec.table, declared, base, "state"),
        *_doubts(several, open_orders, spec.open_orders, declared, base, "open_orders"),
    )
    notes = (*doubts, *leads.notes, *(n for n in forecasts.panel.notes if n.level == "issue"))
    plan = written(
        forecasts, decided, spec, left, currency=currency, bundle=model.bundle.digest,
        notes=(*notes, *_ended(forecasts)), now=now,
    )  # fmt: skip
    return Planned(plan, forecasts, where)


def _leads(forecasts: Forecasts, state: State, spec: OrdersSpec, deliveries: Table | None) -> LeadTimes:
    if deliveries is None:
        return declared_leads(spec, state.supplier)
    if spec.lead_chances:
        raise DeclarationError(
            "past deliveries, and lead_chances under [orders]",
            "one of the two",
            "take lead_chances out, or leave the table away",
        )
    read_ = forecasts.read
    now = int(clock_of(read_).now.max())
    return past_leads(
        spec, deliveries, read_.panel.ids[state.place], state.supplier, read_.plan.id, read_.plan.grid, now
    )


def _ended(forecasts: Forecasts) -> tuple[PanelNote, ...]:
    ended = forecasts.panel.ended
    if not ended:
        return ()
    said = f"{counted(len(ended), 'item')} with no demand for long: ended, and not planned"
    return (PanelNote(code="ended", level="tip", message=said, count=len(ended), series=ended[:8]),)


def _declared(
    model: ForecastModel, bundle: Path | str | ForecastModel, orders: Mapping[str, Any] | OrdersSpec | Path | str | None
) -> tuple[Declaration, str]:
    """The declaration with the terms that count, and where they were read."""
    own = model.declaration
    if isinstance(orders, OrdersSpec):
        return own.model_copy(update={"orders": orders}), "the call"
    if isinstance(orders, Mapping):
        return own.model_copy(update={"orders": parse({"orders": dict(orders)}, where="orders").orders}), "the call"
    file = Path(orders) if orders is not None else _beside(bundle)
    if file is None:
        return own, "the bundle"
    if file.is_dir():
        file = file / FILE_NAME
    newer = read(file)
    tables = {**own.tables, **newer.tables}
    return own.model_copy(update={"orders": newer.orders, "costs": newer.costs, "tables": tables}), str(file)


def _beside(bundle: Path | str | ForecastModel) -> Path | None:
    """The project's declaration, where the bundle lies in a project: terms change more often than models."""
    if isinstance(bundle, ForecastModel):
        return None
    for folder in Path(bundle).resolve().parents:
        if folder.name == "runs" and (folder.parent / FILE_NAME).exists():
            return folder.parent / FILE_NAME
    return None


def _table(
    given: Any,
    named: str | None,
    declared: Declaration,
    base: Path | None,
    name: str,
    types: Mapping[str, ColumnType] | None = None,
) -> Table | None:
    """What was given, else the declared table; ``types``: instead of those that are found or declared."""
    if given is None and named is not None:
        if named not in declared.tables:
            raise DeclarationError(
                f"orders names the table {named!r}",
                "one of: " + ", ".join(declared.tables),
                f"declare it: [tables.{named}]",
            )
        table = declared.tables[named]
        asked = {**table.types, **(types or {})}
        return check_rows(read_table(table.source, name=named, options=table.options, types=asked, base=base))
    return None if given is None else check_rows(read_table(given, name=name, types=dict(types or {})))


def _doubts(
    table: Table | None, given: Any, named: str | None, declared: Declaration, base: Path | None, name: str
) -> tuple[PanelNote, ...]:
    """Numbers of a text file that may be others; a frame and other files have none."""
    source = given if given is not None else declared.tables[named].source if named is not None else None
    if table is None or not may_doubt(source):
        return ()

    def again(types: Mapping[str, ColumnType]) -> Table:
        found = _table(given, named, declared, base, name, types)
        assert found is not None
        return found

    spec = declared.orders
    said = [spec.on_hand, spec.on_order, *(v if isinstance(v := getattr(spec, n), str) else n for n in AMOUNTS)]
    return doubtful(table, said, again)
