"""The distinct texts of a column with their rows, looked up once and shared by the checks of spelling, typos and formats."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holdgood.audit import columns
from holdgood.audit.memory import Memory
from holdgood.audit.profile import profile
from holdgood.core.table import Table

LEVELS = 20_000
"""A column of more distinct texts than this has no vocabulary."""

_vocabularies: Memory[Vocabulary | None] = Memory()


@dataclass(frozen=True)
class Vocabulary:
    """``texts``: distinct texts that are not empty, most frequent first, ties by content; ``rows``: how many rows each has."""

    texts: tuple[str, ...]
    rows: np.ndarray

    @cached_property
    def rows_of(self) -> dict[str, int]:
        """Rows by text."""
        return dict(zip(self.texts, self.rows.tolist(), strict=True))

    @cached_property
    def present(self) -> int:
        """Rows that hold a text."""
        return int(self.rows.sum())


def vocabulary(table: Table, column: str) -> Vocabulary | None:
    """The vocabulary of a column kept as text; None where it is none, or has more than 20,000 texts."""
    return _vocabularies.get(table.data, column, lambda: _vocabulary(table, column))


def _vocabulary(table: Table, column: str) -> Vocabulary | None:
    if not columns.is_text(table, column) or distinct(table, column) > LEVELS:
        return None
    counted = pc.value_counts(table.data.column(column).drop_null())
    texts, rows = counted.field("values").to_pylist(), counted.field("counts").to_pylist()
    pairs = sorted(((t, r) for t, r in zip(texts, rows, strict=True) if t.strip()), key=lambda p: (-p[1], p[0]))
    return Vocabulary(tuple(t for t, _ in pairs), np.array([r for _, r in pairs], dtype=np.int64))


def where(table: Table, column: str, texts: Iterable[str], limit: int = 20) -> list[int]:
    """Positions of the first rows that hold one of the texts."""
    hit = pc.is_in(table.data.column(column), value_set=pa.array(sorted(set(texts)), pa.string()))
    return [int(i) for i in pc.indices_nonzero(hit).slice(0, limit).to_pylist()]


def distinct(table: Table, column: str) -> int:
    """How many different values a column has, by its profile."""
    at = table.names.index(column)
    return profile(table).columns[at].distinct
