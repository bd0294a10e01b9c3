"""A declared repair of one table, applied in the order of its rows' times: of rows that are alike the earliest stays.

Rows come in an order of content or of a file. Were the first of that order kept, a row of the holdout could push out a row
that stands for learning.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from holdgood.cleaning import apply
from holdgood.core.declaration import RepairSpec
from holdgood.core.errors import HoldgoodError
from holdgood.core.protocols import Repair
from holdgood.core.records import RepairEntry
from holdgood.core.table import Table
from holdgood.workflow.rows import moments

_MARK = "\x00row"


def repair(
    table: Table, spec: RepairSpec, available: Mapping[str, Repair], time: str | None
) -> tuple[Table, RepairEntry, np.ndarray]:
    """The repaired table, what was done, and the positions of the rows that are left.

    ``time``: the declared time of the table's rows, or None where the order of the rows given decides.
    """
    after, entries = apply({table.name: table}, [spec], available)
    whole = np.arange(table.rows)
    if after[table.name].rows == table.rows:
        return after[table.name], entries[0], whole
    order = _by_time(table, time)
    marked = table.with_data(table.data.append_column(_MARK, pa.array(whole))).take(order)
    named = spec.model_copy(update={"columns": list(spec.columns or table.names)})
    left, _ = apply({table.name: marked}, [named], available)
    kept = left[table.name].data.column(_MARK).to_numpy()
    back = np.argsort(kept, kind="stable")
    return left[table.name].take(back).drop([_MARK]), entries[0], np.asarray(kept[back])


def _by_time(table: Table, time: str | None) -> np.ndarray:
    if time is None:
        return np.arange(table.rows)
    try:
        return np.argsort(moments(time, table, purpose=f"the time of table {table.name!r}"), kind="stable")
    except HoldgoodError:
        # a time that a later repair mends, or that some rows lack: the order of the rows given decides
        return np.arange(table.rows)
