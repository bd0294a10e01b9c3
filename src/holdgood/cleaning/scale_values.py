"""scale-values: numbers are multiplied (and moved) within declared bounds, or where a declared condition holds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from holdgood.cleaning.cells import entry, only_known, some_columns
from holdgood.cleaning.where import rows_where
from holdgood.core.errors import DeclarationError
from holdgood.core.records.cleaning import RepairEntry
from holdgood.core.table import Table
from holdgood.core.text import counted

DIGITS = 12


class ScaleValues:
    """Parameters: ``factor`` and ``offset`` (new = factor * old + offset), and which cells: ``low``, ``high`` (bounds
    included), ``where`` (an SQL condition over the columns of a row), or several of these.

    Choose bounds that a corrected value no longer meets, or a second application scales it again. Results are rounded to
    twelve digits, so that 25.4 times an inch is the number that was meant; a column of whole numbers becomes one of
    decimals where a result is not whole.
    """

    name: ClassVar[str] = "scale-values"
    title: ClassVar[str] = "numbers in another unit are scaled"

    def apply(self, table: Table, columns: Sequence[str], parameters: Mapping[str, Any]) -> tuple[Table, RepairEntry]:
        """Scale the cells picked; missing and infinite ones stay."""
        only_known(self.name, parameters, ("factor", "offset", "low", "high", "where"), needed=True)
        some_columns(self.name, columns)
        factor, offset = self._number(parameters, "factor", 1.0), self._number(parameters, "offset", 0.0)
        bounds = {k: self._number(parameters, k, math.nan) for k in ("low", "high") if parameters.get(k) is not None}
        if factor == 0 or (factor == 1.0 and offset == 0.0):
            raise DeclarationError(
                f"{self.name}: factor = {factor:g} and offset = {offset:g}",
                "a factor other than 0 and 1, or an offset",
                "write for example factor = 0.001",
            )
        if not bounds and "where" not in parameters:
            raise DeclarationError(
                f"{self.name} without bounds", "low, high or where", "say which cells are in the other unit"
            )
        picked = rows_where(self.name, table, parameters) if "where" in parameters else None
        out, cells, scaled = table, 0, 0
        for column in dict.fromkeys(columns):
            out, hit, changed = self._scaled(out, column, factor, offset, bounds, picked)
            cells, scaled = cells + changed, scaled + hit
        told = f"{counted(scaled, 'cell')} multiplied by {factor:g}" + (f" plus {offset:g}" if offset else "")
        if cells != scaled:
            told += f"; {counted(cells, 'cell')} are numbers with decimals now"
        return out, entry(self.name, table, columns, parameters, cells, told)

    def _scaled(
        self,
        table: Table,
        column: str,
        factor: float,
        offset: float,
        bounds: Mapping[str, float],
        picked: pa.ChunkedArray | None,
    ) -> tuple[Table, int, int]:
        """The table, how many cells were scaled, and how many changed: all of them where the column becomes one of decimals."""
        data = table.data.column(column)
        whole = pa.types.is_integer(data.type)
        if not whole and not pa.types.is_floating(data.type):
            raise DeclarationError(
                f"{self.name}: column {column!r} holds {data.type}",
                "a column of numbers",
                "parse it first with to-number",
            )
        numbers = data.cast(pa.float64(), safe=False)
        marks = pc.fill_null(pc.is_finite(numbers), False)
        if "low" in bounds:
            marks = pc.and_(marks, pc.fill_null(pc.greater_equal(numbers, bounds["low"]), False))
        if "high" in bounds:
            marks = pc.and_(marks, pc.fill_null(pc.less_equal(numbers, bounds["high"]), False))
        if picked is not None:
            marks = pc.and_(marks, picked)
        if not pc.any(marks).as_py():
            return table, 0, 0
        scaled = [float(f"{v * factor + offset:.{DIGITS}g}") for v in numbers.filter(marks).to_pylist()]
        if whole and all(v.is_integer() and abs(v) < 2.0**63 for v in scaled):
            values = pc.replace_with_mask(_flat(data), _flat(marks), pa.array([int(v) for v in scaled], data.type))
            hit = pc.not_equal(values, _flat(data))
        else:
            values = pc.replace_with_mask(_flat(numbers), _flat(marks), pa.array(scaled, pa.float64()))
            hit = pc.not_equal(values, _flat(numbers))
        at = table.data.schema.get_field_index(column)
        chunked = pa.chunked_array([values])
        scaled_cells = int(pc.sum(hit).as_py() or 0)
        changed = scaled_cells if values.type == data.type else len(values) - values.null_count
        return replace(table, data=table.data.set_column(at, column, chunked)), scaled_cells, changed

    def _number(self, parameters: Mapping[str, Any], key: str, default: float) -> float:
        value = parameters.get(key, default)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or math.isinf(value):
            raise DeclarationError(f"{self.name}: {key} = {value!r}", "a number", f"write for example {key} = 25.4")
        return float(value)


def _flat(array: pa.ChunkedArray | pa.Array) -> pa.Array:
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


REPAIR = ScaleValues()
