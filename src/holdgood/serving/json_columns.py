"""Columns of an Arrow table as JSON texts, a text a cell: what ``orjson`` writes of each value, without an object a cell where it can be."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

_FEW = 0.5
"""Texts are written once a distinct one where these are fewer than this share of the rows."""


def texts_of(column: pa.ChunkedArray) -> list[str]:
    """Each cell as JSON; missing, NaN and infinite are null. Moments are ISO texts, decimals numbers."""
    kind = column.type
    if pa.types.is_null(kind):
        return ["null"] * len(column)
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return ["null" if said is None else f'"{said}"' for said in iso_of(column)]
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _words(column)
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return _split(np.asarray(column.cast(pa.float64()).to_numpy()))
    if column.null_count or pa.types.is_boolean(kind):
        return _split(column.to_pylist())
    return _split(np.asarray(column.to_numpy()))


def objects_of(names: Sequence[str], columns: Sequence[Sequence[str]], rows: int) -> list[str]:
    """A JSON object a row from the texts of its cells."""
    if not names:
        return ["{}"] * rows
    keys = (orjson.dumps(name).decode().replace("%", "%%") for name in names)
    form = "{" + ",".join(f"{key}:%s" for key in keys) + "}"
    return [form % cells for cells in zip(*columns, strict=True)]


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


def plain(table: pa.Table) -> pa.Table:
    """The same with moments as ISO texts, as JSON rows have them, and decimals as numbers."""
    for at, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type) or pa.types.is_date(field.type):
            table = table.set_column(at, field.name, pa.array(iso_of(table.column(at)), pa.string()))
        elif pa.types.is_decimal(field.type):
            table = table.set_column(at, field.name, table.column(at).cast(pa.float64()))
    return table


def _words(column: pa.ChunkedArray) -> list[str]:
    coded = column.combine_chunks().dictionary_encode()
    if len(coded.dictionary) < _FEW * len(column):
        levels = np.array([*(orjson.dumps(v).decode() for v in coded.dictionary.to_pylist()), "null"], dtype=object)
        places = np.asarray(pc.fill_null(coded.indices, len(coded.dictionary)).to_numpy())
        found: list[str] = levels[places].tolist()
        return found
    return [orjson.dumps(v).decode() for v in column.to_pylist()]


def _split(values: np.ndarray | list[bool | int | None]) -> list[str]:
    """Numbers and truth values: no text of one has a comma."""
    return orjson.dumps(values, option=orjson.OPT_SERIALIZE_NUMPY).decode()[1:-1].split(",")
