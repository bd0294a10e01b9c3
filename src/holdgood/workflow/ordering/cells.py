"""Columns of the tables that people hand in: numbers with what is none kept apart, words without odd blanks."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from holdgood.core.errors import DataError, did_you_mean
from holdgood.core.readings import ambiguous, points_are_decimal, readings
from holdgood.core.records import PanelNote
from holdgood.core.table import Table, as_text
from holdgood.core.text import counted


def column_of(table: Table, name: str, notes: list[PanelNote], *, needed: bool) -> np.ndarray:
    """A column as numbers; text that is none is unknown, and told."""
    if name not in table.names:
        if not needed:
            return np.full(table.rows, np.nan)
        raise DataError(
            f"{table.name!r} has no column {name!r}",
            "one of: " + ", ".join(table.names[:12]),
            did_you_mean(name, table.names) or "name it under [orders]",
        )
    column = table.data.column(name)
    if pa.types.is_floating(column.type) or pa.types.is_integer(column.type):
        # beyond 2^53 not every whole number has a float of its own: of an amount the nearest one is good enough
        numbers = np.array(column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False), float)
        endless = np.isinf(numbers)
        if endless.any():
            said = f"{name}: {counted(int(endless.sum()), 'cell')} with an infinite number, taken as unknown"
            notes.append(PanelNote(code="no-number", level="issue", message=said, count=int(endless.sum())))
        return np.where(endless, np.nan, numbers)
    texts = as_text(column).to_pylist()
    values = np.array([_number(t) for t in texts])
    double = [] if points_are_decimal(texts) else [k for k, t in enumerate(texts) if t and ambiguous(t)]
    if double:
        values[double] = np.nan
        first = texts[double[0]]
        ways = " or ".join(f"{v:.10g}" for v in readings(first))
        said = (
            f"{name}: {counted(len(double), 'cell')} that may be read in two ways, taken as unknown, for example {first!r}: write {ways}, "
            "without marks between thousands"
        )
        notes.append(PanelNote(code="two-ways", level="issue", message=said, count=len(double)))
    told = set(double)
    odd = [k for k, (t, v) in enumerate(zip(texts, values, strict=True)) if t and np.isnan(v) and k not in told]
    if odd:
        said = f"{name}: {counted(len(odd), 'cell')} without a number, taken as unknown, for example {texts[odd[0]]!r}"
        notes.append(PanelNote(code="no-number", level="issue", message=said, count=len(odd)))
    return values


def _number(text: str | None) -> float:
    try:
        value = float((text or "nan").strip() or "nan")
    except ValueError:
        return np.nan
    return value if np.isfinite(value) else np.nan


def words_of(table: Table, name: str) -> np.ndarray:
    """A column as words, "" where it is empty or there is none."""
    if name not in table.names:
        return np.array([""] * table.rows, dtype=object)
    return np.array([" ".join((w or "").split()) for w in as_text(table.data.column(name)).to_pylist()], dtype=object)
