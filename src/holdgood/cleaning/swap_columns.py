"""swap-columns: two columns change places in the rows that a declared condition picks out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from holdgood.cleaning.cells import entry, only_known, unlike, with_column
from holdgood.cleaning.where import rows_where
from holdgood.core.errors import DeclarationError
from holdgood.core.records.cleaning import RepairEntry
from holdgood.core.table import Table
from holdgood.core.text import counted


class SwapColumns:
    """Parameter: ``where``, an SQL condition over the columns of a row. Exactly two columns.

    Write the condition so that it no longer holds once the values are in their places (``width > length``), or a second
    application puts them back.
    """

    name: ClassVar[str] = "swap-columns"
    title: ClassVar[str] = "two columns change places where a condition holds"

    def apply(self, table: Table, columns: Sequence[str], parameters: Mapping[str, Any]) -> tuple[Table, RepairEntry]:
        """Exchange the cells of the two columns in the rows picked. DeclarationError where a value does not fit the other column."""
        only_known(self.name, parameters, ("where",), needed=True)
        pair = tuple(dict.fromkeys(columns))
        if len(pair) != 2:
            raise DeclarationError(
                f"{self.name} with {counted(len(pair), 'column')}",
                "exactly two columns",
                'write columns = ["length", "width"]',
            )
        picked = rows_where(self.name, table, parameters)
        first, second = table.data.column(pair[0]), table.data.column(pair[1])
        into_first = pc.if_else(picked, self._as(pair, second, first.type, picked), first)
        into_second = pc.if_else(picked, self._as(pair, first, second.type, picked), second)
        cells = sum(pc.sum(unlike(was, now)).as_py() or 0 for was, now in ((first, into_first), (second, into_second)))
        out = with_column(with_column(table, pair[0], into_first), pair[1], into_second) if cells else table
        told = f"{pair[0]} and {pair[1]} changed places where {parameters['where']}: {counted(cells, 'cell')}"
        return out, entry(self.name, table, pair, parameters, cells, told)

    def _as(
        self, pair: tuple[str, str], values: pa.ChunkedArray, kind: pa.DataType, picked: pa.ChunkedArray
    ) -> pa.ChunkedArray:
        if values.type == kind:
            return values
        try:
            moved = pc.if_else(picked, values, pa.scalar(None, values.type))
            return moved.cast(kind)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise DeclarationError(
                f"{self.name}: {pair[0]!r} and {pair[1]!r} hold {values.type} and {kind}, and a value does not fit",
                "two columns of one kind, or values that fit both",
                "freeze both types alike first (types = …), or choose another condition",
            ) from error


REPAIR = SwapColumns()
