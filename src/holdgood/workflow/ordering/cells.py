"""Columns of the tables that people hand in: numbers with what is none kept apart, words without odd blanks."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from holdgood.core.errors import DataError, did_you_mean
from holdgood.core.records import PanelNote
from holdgood.core.table import Table, as_text


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
        numbers = np.array(column.cast(pa.float64()).to_numpy(zero_copy_only=False), float)
        endless = np.isinf(numbers)
        if endless.any():
            said = f"{name}: {int(endless.sum()):,} cells hold an infinite number and are taken as unknown"
            notes.append(PanelNote(code="no-number", level="issue", message=said, count=int(endless.sum())))
        return np.where(endless, np.nan, numbers)
    texts = as_text(column).to_pylist()
    values = np.array([_number(t) for t in texts])
    odd = [k for k, (t, v) in enumerate(zip(texts, values, strict=True)) if t and np.isnan(v)]
    if odd:
        said = f"{name}: {len(odd):,} cells hold no number and are taken as unknown, for example {texts[odd[0]]!r}"
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
