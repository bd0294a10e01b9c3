"""drop-columns: declared columns are taken out of the table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from holdgood.cleaning.cells import entry, only_known, some_columns
from holdgood.core.errors import DeclarationError
from holdgood.core.records.cleaning import RepairEntry
from holdgood.core.table import Table
from holdgood.core.text import counted


class DropColumns:
    """No parameters."""

    name: ClassVar[str] = "drop-columns"
    title: ClassVar[str] = "columns are taken out"

    def apply(self, table: Table, columns: Sequence[str], parameters: Mapping[str, Any]) -> tuple[Table, RepairEntry]:
        """Take the columns out; the cells that held something are counted as changed."""
        only_known(self.name, parameters, ())
        some_columns(self.name, columns)
        if len(dict.fromkeys(columns)) == len(table.columns):
            raise DeclarationError(
                f"{self.name} would leave table {table.name!r} without columns", "at least one column", "keep one"
            )
        gone = list(dict.fromkeys(columns))
        cells = sum(table.rows - table.data.column(c).null_count for c in gone)
        sentence = f"{counted(len(gone), 'column')} with {counted(cells, 'value')} taken out"
        return table.drop(gone), entry(self.name, table, columns, parameters, cells, sentence)


REPAIR = DropColumns()
