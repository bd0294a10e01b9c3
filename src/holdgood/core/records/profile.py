"""A profile: one column's numbers, counted in one pass."""

from __future__ import annotations

from typing import ClassVar

from holdgood.core.records.envelope import Number, Part, Record


class ColumnProfile(Part):
    """Counts and moments of one column. Values of rows are not kept; levels only where a level has many rows."""

    name: str
    type: str
    rows: int
    missing: int
    distinct: int
    low: Number = float("nan")
    high: Number = float("nan")
    mean: Number = float("nan")
    sd: Number = float("nan")
    quantiles: tuple[Number, ...] = ()
    infinite: int = 0
    levels: tuple[tuple[str, int], ...] = ()


class Profile(Record):
    """The columns of one table."""

    kind: ClassVar[str] = "profile"

    table: str
    rows: int
    columns: tuple[ColumnProfile, ...]
