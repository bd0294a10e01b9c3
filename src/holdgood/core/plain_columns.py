"""Columns of an Arrow table as JSON has their values: moments as ISO texts, decimals as numbers, nothing that is not finite."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def plain(table: pa.Table) -> pa.Table:
    """The same with moments as ISO texts, as JSON rows have them, and decimals as numbers."""
    for at, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type) or pa.types.is_date(field.type):
            table = table.set_column(at, field.name, pa.array(iso_of(table.column(at)), pa.string()))
        elif pa.types.is_decimal(field.type):
            table = table.set_column(at, field.name, table.column(at).cast(pa.float64()))
    return table


def finite(table: pa.Table) -> pa.Table:
    """The same with nothing where a number is NaN or infinite, which JSON cannot say."""
    for at, field in enumerate(table.schema):
        if pa.types.is_floating(field.type):
            column = table.column(at).cast(pa.float64())
            sound = pc.fill_null(pc.is_finite(column), False)
            table = table.set_column(at, field.name, pc.if_else(sound, column, pa.scalar(None, pa.float64())))
    return table


def iso_of(column: pa.ChunkedArray, zone: str | None = None) -> list[str | None]:
    """Moments in UTC to the microsecond, of the years 1 to 9999; ``zone`` stands behind them (None: Z where the column has a zone)."""
    kind = column.type
    aware = pa.types.is_timestamp(kind) and kind.tz is not None
    mark = zone if zone is not None else "Z" if aware else ""
    flat = column.combine_chunks().cast(pa.timestamp("us", kind.tz if aware else None)).cast(pa.int64())
    whole = np.asarray(pc.fill_null(flat, 0).to_numpy())
    said = np.datetime_as_string(whole.astype("datetime64[us]"), unit="us").tolist()
    if not flat.null_count:
        return [text + mark for text in said]
    there = np.asarray(pc.is_valid(flat).to_numpy(zero_copy_only=False)).tolist()
    return [text + mark if known else None for text, known in zip(said, there, strict=True)]
