"""drop-duplicate-rows: of rows that are equal (in some columns, or in all) the first is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from holdgood.cleaning.cells import entry, only_known
from holdgood.core.records.cleaning import RepairEntry
from holdgood.core.sql import connect, quote
from holdgood.core.table import Table
from holdgood.core.text import counted


class DropDuplicateRows:
    """No parameters. ``columns``: compare only these; none means all."""

    name: ClassVar[str] = "drop-duplicate-rows"
    title: ClassVar[str] = "of equal rows the first is kept"

    def apply(self, table: Table, columns: Sequence[str], parameters: Mapping[str, Any]) -> tuple[Table, RepairEntry]:
        """Remove later copies; the rows kept stay in order. Missing equals missing."""
        only_known(self.name, parameters, ())
        compared = list(columns) or list(table.names)
        first = _first_of_each(table.data.select(compared)) if compared and table.rows else np.arange(table.rows)
        removed = table.rows - len(first)
        out = table if removed == 0 else replace(table, data=table.data.take(pa.array(first)))
        where = f"equal in {', '.join(columns)}" if columns else "equal in all columns"
        sentence = f"{counted(removed, 'row')} {where} to an earlier one removed"
        return out, entry(self.name, table, columns, parameters, removed * len(table.columns), sentence, removed)


def _first_of_each(data: pa.Table) -> np.ndarray:
    """Positions of the first of each group of equal rows, in order."""
    renamed = data.rename_columns([f"c{i}" for i in range(data.num_columns)])
    numbered = renamed.append_column("position_", pa.array(np.arange(data.num_rows)))
    connection = connect({"rows_": numbered}, threads=1)
    try:
        by = ", ".join(quote(n) for n in renamed.column_names)
        first = connection.execute(f"SELECT min(position_) AS first FROM rows_ GROUP BY {by}").fetchnumpy()["first"]
    finally:
        connection.close()
    return np.sort(first)


REPAIR = DropDuplicateRows()
