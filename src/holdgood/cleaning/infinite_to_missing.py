"""infinite-to-missing: infinite numbers become missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from holdgood.cleaning.cells import entry, only_known, to_missing
from holdgood.core.records.cleaning import RepairEntry
from holdgood.core.table import Table
from holdgood.core.text import counted


class InfiniteToMissing:
    """No parameters. Without columns: every column of numbers."""

    name: ClassVar[str] = "infinite-to-missing"
    title: ClassVar[str] = "infinite numbers become missing"

    def apply(self, table: Table, columns: Sequence[str], parameters: Mapping[str, Any]) -> tuple[Table, RepairEntry]:
        """Set infinities to missing."""
        only_known(self.name, parameters, ())
        out, cells = table, 0
        for column in dict.fromkeys(columns or table.names):
            if pa.types.is_floating(out.data.schema.field(column).type):
                out, hit = to_missing(out, column, pc.is_inf(out.data.column(column)))
                cells += hit
        return out, entry(
            self.name, table, columns, parameters, cells, f"{counted(cells, 'infinite value')} became missing"
        )


REPAIR = InfiniteToMissing()
