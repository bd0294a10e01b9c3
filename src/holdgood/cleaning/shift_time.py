"""shift-time: moments of the rows for which a declared condition holds move by declared hours."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from holdgood.cleaning.cells import entry, only_known, some_columns, with_column
from holdgood.cleaning.where import rows_where
from holdgood.core.errors import DeclarationError
from holdgood.core.records.cleaning import RepairEntry
from holdgood.core.table import Table

MOST_HOURS = 26  # between the outermost time zones


class ShiftTime:
    """Parameters: ``hours`` (number, negative: earlier) and ``where`` (SQL condition over the row; default all rows).

    The condition should no longer hold once a row has been moved (compare with another column, not with a fixed moment), so that
    a second application changes nothing.
    """

    name: ClassVar[str] = "shift-time"
    title: ClassVar[str] = "moments in another time zone are moved by hours"

    def apply(self, table: Table, columns: Sequence[str], parameters: Mapping[str, Any]) -> tuple[Table, RepairEntry]:
        """Add the hours to the moments of the rows for which the condition holds, as the table stands before the repair."""
        only_known(self.name, parameters, ("hours", "where"))
        some_columns(self.name, columns)
        hours, where = self._hours(parameters), parameters.get("where")
        everywhere = pa.array([True] * table.rows, pa.bool_())
        marks = everywhere if where is None else rows_where(self.name, table, parameters)
        out, cells = table, 0
        for column in dict.fromkeys(columns):
            data = table.data.column(column)
            if not pa.types.is_timestamp(data.type):
                raise DeclarationError(
                    f"{self.name}: column {column!r} holds {data.type}",
                    "a column of moments",
                    "parse it into dates first",
                )
            hit = pc.and_(marks, pc.is_valid(data))
            n = int(pc.sum(hit).as_py() or 0)
            if n:
                moved = pc.add(data, pa.scalar(timedelta(hours=hours), pa.duration("us")))
                out = with_column(out, column, pc.if_else(hit, moved, data))
                cells += n
        told = f" where {where}" if where else ""
        return out, entry(
            self.name, table, columns, parameters, cells, f"{cells:,} moments moved by {hours:g} hours{told}"
        )

    def _hours(self, parameters: Mapping[str, Any]) -> float:
        hours = parameters.get("hours")
        good = isinstance(hours, (int, float)) and not isinstance(hours, bool) and math.isfinite(hours)
        if not good or hours == 0 or abs(float(hours or 0)) > MOST_HOURS:
            raise DeclarationError(
                f"{self.name}: hours = {hours!r}",
                f"a number of hours from -{MOST_HOURS} to {MOST_HOURS}, not 0",
                "write for example hours = -5",
            )
        return float(hours or 0)


REPAIR = ShiftTime()
