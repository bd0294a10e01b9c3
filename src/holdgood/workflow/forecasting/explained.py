"""Why a forecast is what it is: parts in the target's units that add up to it, and as a table in the user's columns."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from holdgood.features.panels.reader import ReadPanel
from holdgood.workflow.forecasting.drivers import Drivers, drivers
from holdgood.workflow.forecasting.model import Model

ADDING_UP, ALIKE = "adding up with other levels", "items like it"


def explained(model: Model, read: ReadPanel, point: np.ndarray) -> Drivers:
    """Drivers of the forecasts ``point`` (series, horizon) that the model gives for ``read``.

    What a hierarchy moves stands apart; an item without history is as items like it were.
    """
    panel, future = model.demand.completed(read.panel), read.future
    if not len(panel.y):
        return Drivers((ALIKE,), point[:, :, None])
    nodes = model.hierarchy(read)
    if model.coherent is None or nodes is None:
        found = drivers(model.forecaster, panel, future)
    else:
        whole = model.coherent.panel(panel, nodes)
        found = drivers(model.forecaster, whole, model.coherent.future(future, nodes))
        found = found.take(np.arange(nodes.sums.shape[0], len(nodes)))
    alone = ~np.isfinite(found.values).all(axis=(1, 2))
    values = np.where(alone[:, None, None], 0.0, found.values)
    told = Drivers(found.names, values)
    rest = point - values.sum(axis=2)
    if model.coherent is not None:
        told = told.plus(ADDING_UP, np.where(alone[:, None], 0.0, rest))
    return told.plus(ALIKE, np.where(alone[:, None], rest, 0.0))


def drivers_table(found: Drivers, steps: pa.Table, lead: int) -> pa.Table:
    """A row a series, step and driver: the first ``lead`` columns of ``steps`` (ids and time), ``driver``, ``value``."""
    names = len(found.names)
    rows = np.repeat(np.arange(steps.num_rows), names)
    table = steps.select(steps.column_names[:lead]).take(pa.array(rows))
    free = {n: _free(n, table.column_names) for n in ("driver", "value")}
    table = table.append_column(free["driver"], pa.array(list(found.names) * steps.num_rows))
    return table.append_column(free["value"], pa.array(found.values.ravel(), from_pandas=True))


def _free(name: str, taken: list[str]) -> str:
    while name in taken:
        name += "_"
    return name
