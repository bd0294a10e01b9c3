"""The last step of every reader: names, types and notes become a Table."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from holdgood.connectors import column_types as types_of
from holdgood.connectors.column_types import Reading
from holdgood.core.table import Column, ColumnType, Note, Table, infer_type, normalise


def finish(
    data: pa.Table,
    *,
    name: str,
    source: str,
    types: Mapping[str, ColumnType],
    reading: Reading,
    notes: Sequence[Note] = (),
    other: Sequence[int] = (),
) -> Table:
    """Bring raw columns into normal form, recognise or enforce their types, and gather the notes.

    ``types`` (by column name) are enforced: what does not parse becomes missing and is counted in a note. Names that the
    table does not have are left out here: a table to predict on has no target. ``other``: positions of columns that can
    be kept but not used, such as nested ones.
    """
    flat, nested, said = _flatten(data)
    normal, more = normalise(flat)
    said = [*notes, *said, *more]
    arrays: list[pa.ChunkedArray] = []
    raw: list[pa.ChunkedArray] = []
    for column_name, column in zip(normal.column_names, normal.columns, strict=True):
        raw.append(column)
        if column_name in types:
            column, remarks = enforce(column_name, column, types[column_name], reading)
        elif pa.types.is_string(column.type) and len(arrays) not in nested and len(arrays) not in other:
            column, remarks = types_of.recognise(column_name, column, reading)
        else:
            remarks = []
        arrays.append(column)
        said.extend(remarks)
    if reading.comma is None:
        said.extend(_settle_dots(normal.column_names, arrays, raw, types))
    kinds = [
        types.get(n) or ("other" if i in nested or i in other else infer_type(a))
        for i, (n, a) in enumerate(zip(normal.column_names, arrays, strict=True))
    ]
    columns = tuple(Column(n, k) for n, k in zip(normal.column_names, kinds, strict=True))
    return Table(name, pa.Table.from_arrays(arrays, names=normal.column_names), columns, source, tuple(said))


def finish_table(table: Table, *, types: Mapping[str, ColumnType], reading: Reading) -> Table:
    """The same for a table that came as a frame; its own notes come first."""
    other = [i for i, c in enumerate(table.columns) if c.type == "other"]
    done = finish(
        table.data, name=table.name, source=table.source, types=types, reading=reading, notes=table.notes, other=other
    )
    return replace(done, native=table.native)


def _settle_dots(
    names: Sequence[str], arrays: list[pa.ChunkedArray], raw: list[pa.ChunkedArray], types: Mapping[str, ColumnType]
) -> list[Note]:
    """Beside columns with decimal commas, a column of nothing but 1.234 may mean thousands: it goes back to text."""
    commas = [
        pa.types.is_floating(a.type)
        and pa.types.is_string(r.type)
        and pc.any(pc.match_substring(r, ","), min_count=0).as_py()
        for a, r in zip(arrays, raw, strict=True)
    ]
    if not any(commas):
        return []
    notes = []
    for i, name in enumerate(names):
        if (
            commas[i]
            or name in types
            or not pa.types.is_floating(arrays[i].type)
            or not types_of.ambiguous_dots(raw[i])
        ):
            continue
        arrays[i] = raw[i]
        message = f"column {name!r} may hold thousands or decimals (1.234); kept as text: declare the option decimal"
        notes.append(Note("unparsed", message, len(raw[i]) - raw[i].null_count, (name,)))
    return notes


def _flatten(data: pa.Table) -> tuple[pa.Table, set[int], list[Note]]:
    """Nested and binary columns as JSON text, with a note; they are kept, but are no features."""
    arrays, nested, notes = [], set(), []
    for position, (name, column) in enumerate(zip(data.column_names, data.columns, strict=True)):
        t = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
        if pa.types.is_nested(t) or _is_binary(t):
            column = pa.chunked_array([pa.array([as_json(v) for v in column.to_pylist()], pa.string())])
            nested.add(position)
            notes.append(
                Note(
                    "unsupported-type", f"column {name!r} holds {t}; kept as text and not used", 1, (str(name).strip(),)
                )
            )
        arrays.append(column)
    return pa.Table.from_arrays(arrays, names=[str(n) for n in data.column_names]), nested, notes


def _is_binary(t: pa.DataType) -> bool:
    return bool(pa.types.is_binary(t) or pa.types.is_large_binary(t) or pa.types.is_fixed_size_binary(t))


def as_json(value: object) -> str | None:
    """A nested value as JSON text with keys in their order; bytes as hexadecimal; None stays None."""
    if value is None:
        return None
    if isinstance(value, bytes):
        return value.hex()
    return json.dumps(value, ensure_ascii=False, default=lambda v: v.hex() if isinstance(v, bytes) else str(v))


def enforce(
    name: str, column: pa.ChunkedArray, declared: ColumnType, reading: Reading
) -> tuple[pa.ChunkedArray, list[Note]]:
    """Make a column what it was declared to be; what does not parse becomes missing, counted in a note."""
    before = column.null_count
    is_text = pa.types.is_string(column.type)
    words = types_of.missing_words(column) if is_text and declared in ("number", "boolean", "datetime") else None
    absent = int(pc.sum(words, min_count=0).as_py()) if words is not None else 0
    made = _made(column, declared, reading)
    lost = made.null_count - before - absent
    notes = []
    if absent:
        message = (
            f"column {name!r} is declared {declared}: {absent:,} blank cells or words such as NA were taken as missing"
        )
        notes.append(Note("unparsed", message, absent, (name,)))
    if lost:
        message = f"column {name!r} is declared {declared}, but {lost:,} values are not; taken as missing"
        notes.append(Note("changed-type", message, lost, (name,)))
    return made, notes


def _made(column: pa.ChunkedArray, declared: ColumnType, reading: Reading) -> pa.ChunkedArray:
    t = column.type
    if declared == "number":
        if pa.types.is_string(t):
            return types_of.declared_numbers(column, reading)
        if pa.types.is_boolean(t):
            return column.cast(pa.int64())
        return column if pa.types.is_integer(t) or pa.types.is_floating(t) else _nothing(column, pa.int64())
    if declared == "boolean":
        if pa.types.is_string(t):
            return types_of.declared_booleans(column)
        if pa.types.is_integer(t) or pa.types.is_floating(t):
            is_bit = pc.or_(pc.equal(column, 0), pc.equal(column, 1))
            return pc.if_else(is_bit, pc.equal(column, 1), pa.scalar(None, pa.bool_()))
        return column if pa.types.is_boolean(t) else _nothing(column, pa.bool_())
    if declared == "datetime":
        if pa.types.is_string(t):
            return types_of.declared_moments(column, reading)
        return column if pa.types.is_timestamp(t) else _nothing(column, pa.timestamp("us"))
    if declared in ("category", "text"):
        return _as_text(column)
    return column


def _nothing(column: pa.ChunkedArray, t: pa.DataType) -> pa.ChunkedArray:
    return pa.chunked_array([pa.nulls(len(column), t)])


def _as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Values as text, the same whatever the source kept them as: 5 and 5.0 are both ``5``."""
    t = column.type
    if pa.types.is_floating(t):
        whole = pc.and_(pc.equal(column, pc.floor(column)), pc.less(pc.abs(column), 2.0**53))
        digits = pc.if_else(whole, column, pa.scalar(None, pa.float64())).cast(pa.int64()).cast(pa.string())
        return pc.coalesce(digits, column.cast(pa.string()))
    return column if pa.types.is_string(t) else column.cast(pa.string())
