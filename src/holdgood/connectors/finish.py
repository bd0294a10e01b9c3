"""The last step of every reader: names, types and notes become a Table."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

from holdgood.connectors import column_types as types_of
from holdgood.connectors.column_types import Reading
from holdgood.connectors.store import Store
from holdgood.core.table import Column, ColumnType, Note, Table, as_text, infer_type, normalise, zone_in
from holdgood.core.text import counted

_LONGEST = 2**31 - 1
_FEW = 1_000
_PROSE = 4.0


@dataclass(frozen=True)
class Raw:
    """Columns as a reader found them, a few at a time: ``names`` of all, and tables that hold them in that order."""

    names: Sequence[str]
    groups: Iterable[pa.Table]

    @classmethod
    def of(cls, data: pa.Table) -> Raw:
        """A table that is there already, one column at a time."""
        return cls(data.column_names, (data.select([i]) for i in range(data.num_columns)))


def finish(
    data: pa.Table | Raw,
    *,
    name: str,
    source: str,
    types: Mapping[str, ColumnType],
    reading: Reading,
    notes: Sequence[Note] = (),
    other: Sequence[int] = (),
    store: Store | None = None,
) -> Table:
    """Bring raw columns into normal form, recognise or enforce their types, and gather the notes.

    ``types`` (by column name) are enforced: what does not parse becomes missing and is counted in a note. Names that the
    table does not have are left out here: a table to predict on has no target. ``other``: positions of columns that can
    be kept but not used, such as nested ones. One column after the other is finished and put away, in a temporary file
    where the table outgrows the memory it may take. ``store``: where to, if not there.
    """
    raw = data if isinstance(data, Raw) else Raw.of(data)
    labels, naming = _labels(raw.names)
    store = Store() if store is None else store
    places: list[int] = []
    kinds: list[ColumnType] = []
    flattened: list[Note] = []
    normal: list[Note] = []
    remarks: list[Note] = []
    zones: list[str | None] = []
    commas = Commas(reading, types)
    for label, column in zip(labels, _columns(raw.groups), strict=True):
        column, is_nested, said = _flatten(label, column)
        flattened += said
        zone = zone_in(column.type)
        column, said = _normal(label, column)
        normal += said
        unusable = is_nested or len(places) in other
        before = column
        if label in types:
            column, said = enforce(label, column, types[label], reading)
        elif pa.types.is_string(column.type) and not unusable:
            column, said = types_of.recognise(label, column, reading)
        else:
            said = []
        remarks += said
        if pa.types.is_timestamp(column.type) and pa.types.is_string(before.type):
            zone, said = types_of.zone_written(label, before)
            remarks += said
        zones.append(zone)
        column = whole(column)
        kinds.append(types.get(label) or ("other" if unusable else kind_of(column)))
        commas.look(len(places), label, before, column)
        places.append(store.add(pa.table({"v": column})))
    for position, before, note in commas.settled():
        remarks.append(note)
        kinds[position] = kind_of(before)
        places[position] = store.add(pa.table({"v": whole(before)}))
    kept = store.tables()
    arrays = [kept[at].column(0) for at in places]
    columns = tuple(Column(n, k, z) for n, k, z in zip(labels, kinds, zones, strict=True))
    told = (*notes, *naming, *flattened, *normal, *remarks)
    return Table(name, pa.Table.from_arrays(arrays, names=list(labels)), columns, source, told)


def _labels(names: Sequence[str]) -> tuple[list[str], list[Note]]:
    """Names as the table will have them: trimmed, unique, none empty."""
    bare, notes = normalise(
        pa.Table.from_arrays([pa.nulls(0, pa.string()) for _ in names], names=list(map(str, names)))
    )
    return bare.column_names, notes


def _columns(groups: Iterable[pa.Table]) -> Iterator[pa.ChunkedArray]:
    for group in groups:
        yield from group.columns


def _normal(label: str, column: pa.ChunkedArray) -> tuple[pa.ChunkedArray, list[Note]]:
    if pa.types.is_float64(column.type) and not pc.any(pc.is_nan(column), min_count=0).as_py():
        return column, []  # as it should be, and not copied
    done, notes = normalise(pa.Table.from_arrays([column], names=[label]))
    return done.column(0), notes


def whole(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The column in one piece, where Arrow can hold it in one: what comes later then looks at it without a copy."""
    if column.num_chunks == 1:
        return column
    if pa.types.is_string(column.type) and column.nbytes > _LONGEST:
        return column
    return pa.chunked_array([column.combine_chunks()], column.type)


def kind_of(column: pa.ChunkedArray) -> ColumnType:
    """What ``infer_type`` says, with less counting: few words in a part of the column, or a part that has distinct texts enough."""
    if pa.types.is_string(column.type) and len(some := types_of.some_of(column)) >= _FEW and _spaces(some) < 1.0:
        return "category"
    if pa.types.is_string(column.type) and _mostly_distinct(column) and _spaces(column) >= _PROSE - 1:
        return "text"
    return infer_type(column)


def _mostly_distinct(column: pa.ChunkedArray) -> bool:
    """Whether the first three tenths of a column have distinct texts enough for the whole of it to count as prose."""
    first = column.slice(0, (3 * len(column)) // 10)
    return bool(pc.count_distinct(first, mode="only_valid").as_py() > max(50, 0.2 * len(column)))


def _spaces(column: pa.ChunkedArray) -> float:
    return float(pc.mean(pc.count_substring(column, " ")).as_py() or 0.0)


def finish_table(table: Table, *, types: Mapping[str, ColumnType], reading: Reading) -> Table:
    """The same for a table that came as a frame; its own notes come first."""
    other = [i for i, c in enumerate(table.columns) if c.type == "other"]
    done = finish(
        table.data,
        name=table.name,
        source=table.source,
        types=types,
        reading=reading,
        notes=table.notes,
        other=other,
        store=Store(sys.maxsize),  # a frame is in memory already
    )
    columns = tuple(replace(c, zone=was.zone or c.zone) for c, was in zip(done.columns, table.columns, strict=True))
    return replace(done, columns=columns, native=table.native)


class Commas:
    """Beside columns with decimal commas, a column of nothing but 1.234 may mean thousands: it goes back to text."""

    def __init__(self, reading: Reading, types: Mapping[str, ColumnType]) -> None:
        self._wanted, self._types = reading.comma is None, types
        self._found = False
        self._doubtful: list[tuple[int, str, pa.ChunkedArray]] = []

    def look(self, position: int, label: str, before: pa.ChunkedArray, after: pa.ChunkedArray) -> None:
        """Remember whether a column of texts that became numbers has commas, or may mean thousands."""
        if not self._wanted or not pa.types.is_string(before.type) or not pa.types.is_floating(after.type):
            return
        if pc.any(pc.match_substring(before, ","), min_count=0).as_py():
            self._found = True
        elif label not in self._types and types_of.ambiguous_dots(before):
            self._doubtful.append((position, label, before))

    def settled(self) -> Iterator[tuple[int, pa.ChunkedArray, Note]]:
        """Columns that go back to text: position, texts and what there is to say."""
        for position, label, before in self._doubtful if self._found else []:
            message = (
                f"column {label!r} may hold thousands or decimals (1.234); kept as text: declare the option decimal"
            )
            yield position, before, Note("unparsed", message, len(before) - before.null_count, (label,))


def _flatten(label: str, column: pa.ChunkedArray) -> tuple[pa.ChunkedArray, bool, list[Note]]:
    """A nested or binary column as JSON text, with a note; it is kept, but is no feature."""
    t = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if not (pa.types.is_nested(t) or _is_binary(t)):
        return column, False, []
    texts = [pa.array([as_json(v) for v in chunk.to_pylist()], pa.string()) for chunk in column.chunks]
    note = Note("unsupported-type", f"column {label!r} holds {t}; kept as text and not used", 1, (label,))
    return pa.chunked_array(texts, pa.string()), True, [note]


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
        message = f"column {name!r} is declared {declared}: {counted(absent, 'cell')} (blank, or a word such as NA) taken as missing"
        notes.append(Note("unparsed", message, absent, (name,)))
    if lost:
        message = f"column {name!r} is declared {declared}, but {counted(lost, 'value')} {'is' if lost == 1 else 'are'} not; taken as missing"
        gone = pc.and_(pc.is_valid(column), pc.is_null(made))
        if words is not None:
            gone = pc.and_not(gone, words)
        notes.append(Note("changed-type", message, lost, (name,), tuple(pc.indices_nonzero(gone).to_pylist())))
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
        return as_text(column)
    return column


def _nothing(column: pa.ChunkedArray, t: pa.DataType) -> pa.ChunkedArray:
    return pa.chunked_array([pa.nulls(len(column), t)])
