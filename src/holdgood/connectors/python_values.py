"""Python values, as JSON, Excel and SQLite give them, to one column; where kinds are mixed they become text, with a note."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from holdgood.connectors.finish import as_json
from holdgood.core.table import Note

_KINDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (bool, "boolean"),
    ((int, float), "number"),
    (str, "text"),
    (dt.datetime, "moment"),
    (dt.date, "moment"),
    (dt.time, "time of day"),
    (dt.timedelta, "duration"),
    ((dict, list, bytes), "nested"),
)
_MOMENT = pa.timestamp("us")
_LONG = 2**63


def to_column(name: str, values: Sequence[Any]) -> tuple[pa.Array, list[Note], bool]:
    """One column, its notes, and whether it is of a kind that can be kept but not used (nested, binary)."""
    counts = Counter(map(type, values))
    counts.pop(type(None), None)
    note, unusable = verdict(name, counts)
    return _array(values, counts), note + _too_long(name, values, counts), unusable


class Growing:
    """A column that comes in parts of Python values: what it is, is known only when all of them have been seen.

    Parts are kept as Arrow arrays of what each is by itself; where parts differ, they become numbers or text, so that the
    column is what ``to_column`` would make of all values at once.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._counts: Counter[type] = Counter()
        self._long = False

    def add(self, values: Sequence[Any]) -> pa.Array:
        """The Arrow array of one part."""
        counts = Counter(map(type, values))
        counts.pop(type(None), None)
        self._counts.update(counts)
        made = _array(values, counts)
        self._long |= pa.types.is_string(made.type) and counts.keys() == {int}
        return made

    def said(self) -> tuple[list[Note], bool]:
        """What there is to say once every part has been seen, and whether the column can be kept but not used."""
        notes, unusable = verdict(self.name, self._counts)
        if self._long and self._counts.keys() == {int}:
            notes.append(_long_note(self.name, self._counts.total()))
        return notes, unusable

    def column(self, parts: Sequence[pa.Array]) -> pa.ChunkedArray:
        """All parts as one column."""
        kinds = {p.type for p in parts if p.null_count < len(p)}
        if len(kinds) <= 1:
            one = next(iter(kinds), pa.string())
        elif float in self._counts and _one_kind(self._counts):
            one = pa.float64()
        else:
            one = pa.string()
        return pa.chunked_array([_as(p, one) for p in parts], one)

    def settle(self, parts: Sequence[pa.Array]) -> tuple[pa.ChunkedArray, list[Note], bool]:
        """All parts as one column, its notes, and whether it can be used."""
        return self.column(parts), *self.said()


def _as(part: pa.Array, kind: pa.DataType) -> pa.Array:
    if part.type == kind:
        return part
    if part.null_count == len(part):
        return pa.nulls(len(part), kind)
    if kind == pa.float64() and pa.types.is_string(part.type):  # whole numbers too long for 64 bits
        return pa.array([None if v is None else _float(int(v)) for v in part.to_pylist()], kind)
    if kind == pa.float64():
        return part.cast(kind, safe=False)
    return pa.array([_text(v) for v in part.to_pylist()], pa.string())


def _one_kind(counts: Counter[type]) -> bool:
    return len({_kind_of(t) for t in counts}) == 1


def verdict(name: str, counts: Counter[type]) -> tuple[list[Note], bool]:
    """What there is to say about a column of these types of values, and whether it can be kept but not used."""
    kinds: Counter[str] = Counter()
    for t, count in counts.items():
        kinds[_kind_of(t)] += count
    if not kinds:
        return [], False
    if len(kinds) > 1:
        ranked = sorted(kinds.items(), key=lambda k: (-k[1], k[0]))
        told = ", ".join(f"{count:,} {kind}" for kind, count in ranked)
        message = f"column {name!r} mixes kinds of values ({told}); kept as text"
        return [Note("mixed-types", message, sum(kinds.values()) - ranked[0][1], (name,))], False
    kind = next(iter(kinds))
    said = {
        "nested": f"holds {'binary' if bytes in counts else 'nested'} values; kept as text and not used",
        "duration": "holds durations; kept as seconds",
        "time of day": "holds values of another kind (time of day); kept as text",
        "other": "holds values of another kind (other); kept as text",
    }
    notes = [Note("unsupported-type", f"column {name!r} {said[kind]}", 1, (name,))] if kind in said else []
    return notes, kind == "nested"


def _array(values: Sequence[Any], counts: Counter[type]) -> pa.Array:
    """Values of these types as one array; of several kinds as text."""
    kinds = {_kind_of(t) for t in counts}
    if not kinds:
        return pa.nulls(len(values), pa.string())
    kind = next(iter(kinds)) if len(kinds) == 1 else "mixed"
    if kind == "number":
        return _numbers(values, counts)
    if kind == "moment":
        return pa.array([_moment(v) for v in values], _MOMENT)
    if kind == "duration":
        return pa.array([None if v is None else v.total_seconds() for v in values], pa.float64())
    if kind in ("boolean", "text"):
        return pa.array(values, pa.bool_() if kind == "boolean" else pa.string())
    return pa.array([as_json(v) if kind == "nested" else _text(v) for v in values], pa.string())


def _kind_of(t: type) -> str:
    for types, kind in _KINDS:
        if issubclass(t, types):
            return kind
    return "other"


def _numbers(values: Sequence[Any], counts: Counter[type]) -> pa.Array:
    if float in counts:
        return pa.array([None if v is None else _float(v) for v in values], pa.float64())
    if _beyond(values):
        return pa.array([_text(v) for v in values], pa.string())
    return pa.array(values, pa.int64())


def _beyond(values: Sequence[Any]) -> bool:
    whole: list[int] = [v for v in values if v is not None]
    return min(whole) < -_LONG or max(whole) >= _LONG


def _too_long(name: str, values: Sequence[Any], counts: Counter[type]) -> list[Note]:
    if float in counts or {_kind_of(t) for t in counts} != {"number"} or not _beyond(values):
        return []
    return [_long_note(name, counts.total())]


def _long_note(name: str, cells: int) -> Note:
    message = f"column {name!r} holds whole numbers too long for 64 bits; kept as text so that no digit is lost"
    return Note("unparsed", message, cells, (name,))


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def _moment(value: dt.date | None) -> dt.datetime | None:
    if value is None:
        return None
    if not isinstance(value, dt.datetime):
        return dt.datetime(value.year, value.month, value.day)
    return value.astimezone(dt.UTC).replace(tzinfo=None) if value.tzinfo else value


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return as_json(value) if isinstance(value, (dict, list, bytes)) else str(value)
