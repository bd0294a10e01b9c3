"""Table: Arrow data with a name, frozen column types and what the reader had to say. The only layer that looks at frame types."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal, TypeAlias

import narwhals as nw
import pyarrow as pa
import pyarrow.compute as pc

from holdgood.core.errors import DataError, did_you_mean

ColumnType: TypeAlias = Literal["number", "boolean", "category", "text", "datetime", "other"]
FrameKind: TypeAlias = Literal["pandas", "polars", "arrow"]


@dataclass(frozen=True)
class Column:
    """One column's name and frozen type. ``zone``: of moments that came with a time zone, which are kept in UTC."""

    name: str
    type: ColumnType
    zone: str | None = None


@dataclass(frozen=True)
class Note:
    """What a reader had to say about its source; the audit turns notes into findings.

    ``code`` is one of bad-lines, encoding, duplicate-names, mixed-types, unparsed, unsupported-type, empty-names, changed-type,
    precision, zones. ``rows``: for changed-type, positions in the table as it was read of the cells that were lost.
    """

    code: str
    message: str
    count: int = 1
    columns: tuple[str, ...] = ()
    rows: tuple[int, ...] = ()


@dataclass(frozen=True)
class Table:
    """An Arrow table in normal form, plus its name, types, source and the reader's notes.

    Normal form: int64, float64 (NaN is null), bool, string, timestamp[us] in UTC without a zone; no dictionary, decimal or
    view types; column names are unique strings. Build one with ``Table.of``; the constructor trusts its arguments.
    """

    name: str
    data: pa.Table
    columns: tuple[Column, ...]
    source: str = ""
    notes: tuple[Note, ...] = ()
    native: FrameKind = "arrow"

    @classmethod
    def of(
        cls, frame: Any, name: str = "table", *, types: dict[str, ColumnType] | None = None, source: str = ""
    ) -> Table:
        """Take a pandas, Polars or Arrow frame at the door.

        ``types`` freezes column types (others are inferred once, here).

        >>> import pyarrow as pa
        >>> t = Table.of(pa.table({"a": [1, 2, None], "b": ["x", "y", "x"]}))
        >>> [(c.name, c.type) for c in t.columns], t.rows
        ([('a', 'number'), ('b', 'category')], 3)
        """
        from_kind, arrow, notes = _to_arrow(frame)
        data, more = normalise(arrow)
        given = types or {}
        kept_only = [_is_kept_only(t) for t in arrow.schema.types]
        columns = tuple(
            Column(n, given.get(n) or ("other" if k else infer_type(data.column(n))), zone_in(t))
            for n, k, t in zip(data.column_names, kept_only, arrow.schema.types, strict=True)
        )
        return cls(name, data, columns, source, tuple(notes) + tuple(more), from_kind)

    @property
    def rows(self) -> int:
        """Number of rows."""
        return int(self.data.num_rows)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Column names in file order. Kept: thousands of columns ask for all of them, each for itself."""
        return tuple(c.name for c in self.columns)

    @cached_property
    def _types(self) -> dict[str, ColumnType]:
        return {c.name: c.type for c in self.columns}

    def type_of(self, column: str) -> ColumnType:
        """The frozen type of a column; DataError with a suggestion where it does not exist."""
        if column in self._types:
            return self._types[column]
        raise DataError(
            f"table {self.name!r} has no column {column!r}",
            "one of: " + ", ".join(self.names[:12]) + (" …" if len(self.names) > 12 else ""),
            did_you_mean(column, self.names) or "check the spelling",
        )

    def zone_of(self, column: str) -> str | None:
        """The time zone that a column's moments came in; None where they had none."""
        return next((c.zone for c in self.columns if c.name == column), None)

    def of_type(self, *types: ColumnType) -> tuple[str, ...]:
        """Names of the columns of the given types."""
        return tuple(c.name for c in self.columns if c.type in types)

    def take(self, rows: Any) -> Table:
        """The rows at the given positions (an integer array), in that order."""
        return replace(self, data=self.data.take(pa.array(rows)))

    def with_data(self, data: pa.Table, *, notes: Sequence[Note] = ()) -> Table:
        """The same table with other data in normal form; types of kept columns stay, new ones are inferred."""
        known = {c.name: c for c in self.columns}
        columns = tuple(known.get(n) or Column(n, infer_type(data.column(n))) for n in data.column_names)
        return replace(self, data=data, columns=columns, notes=self.notes + tuple(notes))

    def with_types(self, types: dict[str, ColumnType]) -> Table:
        """The same data with some types declared otherwise."""
        for name in types:
            self.type_of(name)
        return replace(self, columns=tuple(replace(c, type=types.get(c.name, c.type)) for c in self.columns))

    def drop(self, names: Iterable[str]) -> Table:
        """The table without some columns."""
        gone = set(names)
        keep = [n for n in self.names if n not in gone]
        return replace(self, data=self.data.select(keep), columns=tuple(c for c in self.columns if c.name not in gone))

    def to_native(self, kind: FrameKind | None = None) -> Any:
        """Give the frame back in kind (pandas, Polars or Arrow)."""
        return give_back(self.data, kind or self.native)

    def fingerprint(self) -> str:
        """SHA-256 of content and row order; independent of column names, chunking and what lies under nulls."""
        digest = hashlib.sha256()
        for name in self.data.column_names:
            array = self.data.column(name).combine_chunks()
            digest.update(str(array.type).encode())
            digest.update(_bytes_of(array))
        return digest.hexdigest()


def give_back(data: pa.Table, kind: FrameKind) -> Any:
    """Turn an Arrow table into the kind of frame that the user came with."""
    if kind == "pandas":
        return data.to_pandas()
    if kind == "polars":
        return nw.from_native(data).to_polars()
    return data


def _bytes_of(array: pa.Array) -> bytes:
    """Canonical bytes of one column: nulls filled, buffers rebased by the IPC writer, validity apart."""
    valid = pc.is_valid(array)
    if pa.types.is_string(array.type):
        filled = pc.fill_null(array, "")
    elif pa.types.is_boolean(array.type):
        filled = pc.fill_null(array, False)
    elif pa.types.is_timestamp(array.type):
        filled = pc.fill_null(array.cast(pa.int64()), 0)
    elif pa.types.is_integer(array.type) or pa.types.is_floating(array.type):
        filled = pc.fill_null(array, 0)
    else:
        filled = array
    batch = pa.record_batch([_flat(filled), _flat(valid)], names=["v", "ok"])
    return bytes(batch.serialize())


def _flat(array: Any) -> Any:
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def _to_arrow(frame: Any) -> tuple[FrameKind, pa.Table, list[Note]]:
    if isinstance(frame, pa.Table):
        return "arrow", frame, []
    if isinstance(frame, pa.RecordBatch):
        return "arrow", pa.Table.from_batches([frame]), []
    if nw.dependencies.is_pandas_dataframe(frame):  # first: narwhals refuses names that come twice, and we tell of them
        arrow, notes = _pandas_to_arrow(frame)
        return "pandas", arrow, notes
    try:
        native = nw.from_native(frame, eager_only=True)
    except TypeError as error:
        raise DataError(
            f"{'None' if frame is None else f'a {type(frame).__module__}.{type(frame).__name__}'} where a table was expected",
            "a pandas, Polars or Arrow table",
            "convert it first, for example pandas.DataFrame(...)",
        ) from error
    return ("polars" if native.implementation.is_polars() else "arrow"), native.to_arrow(), []


def _pandas_to_arrow(frame: Any) -> tuple[pa.Table, list[Note]]:
    arrays, names, notes = [], [], []
    for label, series in frame.items():  # by position, also where two columns have one name
        name = str(label)
        try:
            array = pa.Array.from_pandas(series)
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
            missing = series.isna()
            array = pa.array([None if m else str(v) for v, m in zip(series, missing, strict=True)], pa.string())
            kinds = sorted({type(v).__name__ for v in series[~missing]})
            message = f"column {name!r} mixes types ({', '.join(kinds[:4])}); kept as text"
            notes.append(Note("mixed-types", message, int((~missing).sum()), (name,)))
        arrays.append(_flat(array))
        names.append(name)
    return pa.Table.from_arrays(arrays, names=names), notes


def normalise(data: pa.Table) -> tuple[pa.Table, list[Note]]:
    """Bring an Arrow table into normal form; what could not be kept exactly becomes a note."""
    notes: list[Note] = []
    names = _unique_names([str(n) for n in data.column_names], notes)
    arrays = []
    for name, column in zip(names, data.columns, strict=True):
        array, note = _normal_column(name, column)
        arrays.append(array)
        if note:
            notes.append(note)
    return pa.Table.from_arrays(arrays, names=names), notes


def _unique_names(names: list[str], notes: list[Note]) -> list[str]:
    seen: dict[str, int] = {}
    taken = set(names)
    out: list[str] = []
    for position, raw in enumerate(names):
        name = raw.strip()
        if not name:
            name = f"column_{position + 1}"
            notes.append(Note("empty-names", f"column {position + 1} has no name; called {name!r}", 1, (name,)))
        if name in seen:
            number = seen[name] + 1
            while f"{name}_{number}" in taken:
                number += 1
            seen[name] = number
            fresh = f"{name}_{number}"
            notes.append(
                Note(
                    "duplicate-names",
                    f"the name {name!r} comes twice; the later one is called {fresh!r}",
                    1,
                    (name, fresh),
                )
            )
            name = fresh
            taken.add(name)
        seen.setdefault(name, 1)
        out.append(name)
    return out


def _normal_column(name: str, column: pa.ChunkedArray) -> tuple[pa.ChunkedArray, Note | None]:
    t = column.type
    if pa.types.is_dictionary(t):
        column = column.cast(t.value_type)
        t = column.type
    if pa.types.is_boolean(t):
        return column, None
    if pa.types.is_integer(t):
        wide = pa.types.is_uint64(t) and pc.max(column).as_py() is not None and pc.max(column).as_py() > 2**63 - 1
        return column.cast(pa.float64() if wide else pa.int64(), safe=not wide), None
    if pa.types.is_floating(t):
        column = column.cast(pa.float64())
        return pc.if_else(pc.is_nan(column), pa.scalar(None, pa.float64()), column), None
    if pa.types.is_decimal(t):
        return column.cast(pa.float64()), None
    if pa.types.is_string(t) or pa.types.is_large_string(t) or pa.types.is_null(t) or str(t) == "string_view":
        return column.cast(pa.string()), None
    if pa.types.is_timestamp(t):
        return _to_utc_us(name, column)
    if pa.types.is_date(t):
        return column.cast(pa.timestamp("us")), None
    if pa.types.is_duration(t):
        seconds = pc.divide(column.cast(pa.duration("us")).cast(pa.int64()).cast(pa.float64()), 1e6)
        return seconds, Note("unsupported-type", f"column {name!r} holds durations; kept as seconds", 1, (name,))
    if pa.types.is_time(t):
        return column.cast(pa.string()), Note(
            "unsupported-type", f"column {name!r} holds times of day; kept as text", 1, (name,)
        )
    text = pa.chunked_array([pa.array([None if v is None else str(v) for v in column.to_pylist()], pa.string())])
    return text, Note(
        "unsupported-type", f"column {name!r} holds {t}; kept as text and not used as a feature", 1, (name,)
    )


def zone_in(kind: pa.DataType) -> str | None:
    """The time zone of an Arrow type, through a dictionary too; None for none."""
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return kind.tz if pa.types.is_timestamp(kind) else None


def _to_utc_us(name: str, column: pa.ChunkedArray) -> tuple[pa.ChunkedArray, Note | None]:
    zone = column.type.tz
    if zone is not None:
        column = column.cast(pa.timestamp(column.type.unit, "UTC")).cast(pa.timestamp(column.type.unit))
    try:
        return column.cast(pa.timestamp("us")), None
    except pa.ArrowInvalid:
        return column.cast(pa.timestamp("us"), safe=False), Note(
            "precision", f"column {name!r} holds times finer than a microsecond; cut to microseconds", 1, (name,)
        )


def as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Values as text, the same whatever the source kept them as: 5 and 5.0 are both ``5``."""
    t = column.type
    if pa.types.is_floating(t):
        whole = pc.and_(pc.equal(column, pc.floor(column)), pc.less(pc.abs(column), 2.0**53))
        digits = pc.if_else(whole, column, pa.scalar(None, pa.float64())).cast(pa.int64()).cast(pa.string())
        return pc.coalesce(digits, column.cast(pa.string()))
    return column if pa.types.is_string(t) else column.cast(pa.string())


def _is_kept_only(t: pa.DataType) -> bool:
    """Nested and binary columns: kept as text, of type other, never a feature."""
    return bool(
        pa.types.is_nested(t)
        or pa.types.is_binary(t)
        or pa.types.is_large_binary(t)
        or pa.types.is_fixed_size_binary(t)
    )


def infer_type(column: pa.ChunkedArray) -> ColumnType:
    """The type of one column in normal form. Text against category: by distinct values and words a value."""
    t = column.type
    if pa.types.is_boolean(t):
        return "boolean"
    if pa.types.is_integer(t) or pa.types.is_floating(t):
        return "number"
    if pa.types.is_timestamp(t):
        return "datetime"
    if not pa.types.is_string(t):
        return "other"
    present = column.drop_null()
    if len(present) == 0:
        return "category"
    distinct = pc.count_distinct(present).as_py()
    words = pc.mean(pc.count_substring(present, " ")).as_py() + 1.0
    # A vocabulary repeats; prose does not. Four words a value and mostly distinct values read as prose.
    return "text" if words >= 4.0 and distinct > max(50, 0.2 * len(present)) else "category"
