"""Cells set to missing and columns swapped, with the changes counted: what most repairs come down to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holdgood.core.errors import DeclarationError, did_you_mean
from holdgood.core.records.cleaning import RepairEntry
from holdgood.core.table import Table


def to_missing(table: Table, column: str, marks: pa.ChunkedArray | pa.Array | np.ndarray) -> tuple[Table, int]:
    """The table with the marked cells of one column missing, and how many of them were not missing before."""
    data = table.data.column(column)
    if isinstance(marks, np.ndarray):
        marks = pa.array(marks)
    hit = pc.and_(pc.fill_null(marks, False), pc.is_valid(data))
    cells = pc.sum(hit).as_py() or 0
    if cells == 0:
        return table, 0
    return with_column(table, column, pc.if_else(hit, pa.scalar(None, data.type), data)), int(cells)


def unlike(was: pa.ChunkedArray, now: pa.ChunkedArray) -> pa.ChunkedArray:
    """Boolean, one a cell: two columns of one type hold something else there; missing equals missing."""
    differs = pc.fill_null(pc.not_equal(was, now), False)
    return pc.or_(differs, pc.xor(pc.is_valid(was), pc.is_valid(now)))


def with_column(table: Table, column: str, values: pa.ChunkedArray) -> Table:
    """The table with one column's values replaced; its frozen type stays."""
    at = table.data.schema.get_field_index(column)
    return replace(table, data=table.data.set_column(at, table.data.schema.field(at).name, values))


def entry(
    repair: str,
    table: Table,
    columns: Sequence[str],
    parameters: Mapping[str, Any],
    cells: int,
    sentence: str,
    rows_removed: int = 0,
) -> RepairEntry:
    """The line for the clean log."""
    return RepairEntry(
        repair=repair,
        table=table.name,
        columns=tuple(columns),
        parameters=dict(parameters),
        cells_changed=cells,
        rows_removed=rows_removed,
        sentence=sentence,
    )


def only_known(repair: str, parameters: Mapping[str, Any], known: Sequence[str], *, needed: bool = False) -> None:
    """Refuse unknown parameters with a suggestion, and none at all where one is needed."""
    for name in parameters:
        if name not in known:
            raise DeclarationError(
                f"{repair}: unknown parameter {name!r}",
                "one of: " + ", ".join(known) if known else "no parameters",
                did_you_mean(name, known) or "take it out",
            )
    if needed and not any(name in parameters for name in known):
        raise DeclarationError(f"{repair} without parameters", "one of: " + ", ".join(known), "say what to look for")


def some_columns(repair: str, columns: Sequence[str]) -> None:
    """Refuse an empty list of columns."""
    if not columns:
        raise DeclarationError(
            f"{repair} without columns", "the columns to repair", 'add for example columns = ["weight"]'
        )
