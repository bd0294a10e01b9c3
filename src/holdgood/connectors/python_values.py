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
    kinds: Counter[str] = Counter()
    for t, count in counts.items():
        kinds[_kind_of(t)] += count
    if not kinds:
        return pa.nulls(len(values), pa.string()), [], False
    if len(kinds) > 1:
        ranked = sorted(kinds.items(), key=lambda k: (-k[1], k[0]))
        told = ", ".join(f"{count:,} {kind}" for kind, count in ranked)
        note = Note(
            "mixed-types",
            f"column {name!r} mixes kinds of values ({told}); kept as text",
            sum(kinds.values()) - ranked[0][1],
            (name,),
        )
        return pa.array([_text(v) for v in values], pa.string()), [note], False
    kind = next(iter(kinds))
    if kind == "number":
        return *_numbers(name, values, counts), False
    if kind == "moment":
        return pa.array([_moment(v) for v in values], _MOMENT), [], False
    if kind == "nested":
        what = "binary values" if bytes in counts else "nested values"
        note = Note("unsupported-type", f"column {name!r} holds {what}; kept as text and not used", 1, (name,))
        return pa.array([as_json(v) for v in values], pa.string()), [note], True
    if kind == "duration":
        note = Note("unsupported-type", f"column {name!r} holds durations; kept as seconds", 1, (name,))
        return pa.array([None if v is None else v.total_seconds() for v in values], pa.float64()), [note], False
    if kind in ("time of day", "other"):
        note = Note(
            "unsupported-type", f"column {name!r} holds values of another kind ({kind}); kept as text", 1, (name,)
        )
        return pa.array([_text(v) for v in values], pa.string()), [note], False
    return pa.array(values, pa.bool_() if kind == "boolean" else pa.string()), [], False


def _kind_of(t: type) -> str:
    for types, kind in _KINDS:
        if issubclass(t, types):
            return kind
    return "other"


def _numbers(name: str, values: Sequence[Any], counts: Counter[type]) -> tuple[pa.Array, list[Note]]:
    if float not in counts:
        whole = [v for v in values if v is not None]
        if min(whole) >= -_LONG and max(whole) < _LONG:
            return pa.array(values, pa.int64()), []
        message = f"column {name!r} holds whole numbers too long for 64 bits; kept as text so that no digit is lost"
        return pa.array([_text(v) for v in values], pa.string()), [Note("unparsed", message, len(whole), (name,))]
    return pa.array([None if v is None else _float(v) for v in values], pa.float64()), []


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
