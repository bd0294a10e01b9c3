"""where-to-missing: cells become missing in the rows that a declared condition picks out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from holdgood.cleaning.cells import entry, only_known, some_columns, to_missing
from holdgood.cleaning.where import rows_where
from holdgood.core.records.cleaning import RepairEntry
from holdgood.core.table import Table
from holdgood.core.text import counted


class WhereToMissing:
    """Parameter: ``where``, an SQL condition over the columns of a row, for example the hours in which a sensor was stuck."""

    name: ClassVar[str] = "where-to-missing"
    title: ClassVar[str] = "cells become missing where a condition holds"

    def apply(self, table: Table, columns: Sequence[str], parameters: Mapping[str, Any]) -> tuple[Table, RepairEntry]:
        """Set the cells of the columns to missing in the rows picked; the condition is asked once, of the table as it came."""
        only_known(self.name, parameters, ("where",), needed=True)
        some_columns(self.name, columns)
        picked = rows_where(self.name, table, parameters)
        out, cells = table, 0
        for column in dict.fromkeys(columns):
            out, hit = to_missing(out, column, picked)
            cells += hit
        told = f"{counted(cells, 'cell')} became missing where {parameters['where']}"
        return out, entry(self.name, table, columns, parameters, cells, told)


REPAIR = WhereToMissing()
