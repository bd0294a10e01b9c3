"""The tables of a forecasting task: the history, and beside it the items and the future where they are declared or given."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from holdgood.core.declaration import Declaration
from holdgood.core.errors import DeclarationError, did_you_mean
from holdgood.core.records import PanelReport
from holdgood.core.table import Table
from holdgood.features.panels.reader import ReadPanel, read_panel, settle
from holdgood.training.panels.segments import NAMES, segments


def beside(declaration: Declaration, tables: Mapping[str, Table]) -> dict[str, Table | None]:
    """The tables of items and of the future by role; DeclarationError for a name that no table has."""
    found: dict[str, Table | None] = {}
    for role in ("items", "future"):
        name = getattr(declaration.forecast, role)
        if name is not None and name not in tables:
            raise DeclarationError(
                f"forecast.{role} names the table {name!r}",
                "one of: " + ", ".join(tables),
                did_you_mean(name, tables) or f"declare it: [tables.{name}]",
            )
        found[role] = tables[name] if name else None
    return found


def panel_of(declaration: Declaration, tables: Mapping[str, Table], numbers: np.ndarray | None = None) -> ReadPanel:
    """Settle the roles of the columns and read the panel."""
    main, other = tables[declaration.main], beside(declaration, tables)
    plan = settle(declaration, main, other["items"])
    return read_panel(plan, main, items=other["items"], future=other["future"], numbers=numbers)


def alive(read: ReadPanel) -> np.ndarray:
    """Positions of the series that get a forecast: those that have not ended."""
    return np.flatnonzero(~read.ended)


def report_of(read: ReadPanel) -> PanelReport:
    """What was read, as a record."""
    panel, there = read.panel, ~read.new
    lengths = panel.lengths[there]
    kinds = np.bincount(segments(panel.take(np.flatnonzero(there))), minlength=len(NAMES))
    seen = panel.ds.astype("M8[s]")
    return PanelReport(
        series=len(panel), rows=read.rows, steps=len(panel.y), frequency=panel.frequency, seasons=panel.seasons,
        horizon=read.plan.horizon, first=str(seen.min()) if len(seen) else "", last=str(seen.max()) if len(seen) else "",
        shortest=int(lengths.min()) if len(lengths) else 0, median=float(np.median(lengths)) if len(lengths) else float("nan"),
        longest=int(lengths.max()) if len(lengths) else 0, filled=read.filled, roles=dict(read.plan.roles),
        kinds={n: int(k) for n, k in zip(NAMES, kinds, strict=True)},
        hidden=0 if panel.available is None else int((~panel.available).sum()),
        ended=tuple(str(i) for i in panel.ids[read.ended]), new=tuple(str(i) for i in panel.ids[read.new]), notes=read.notes,
    )  # fmt: skip
