"""The contract: names, types and rules that later rows must keep."""

from __future__ import annotations

from typing import ClassVar

from holdgood.core.records.envelope import Number, Part, Record


class ColumnRule(Part):
    """What is known of one column in the development rows. Bounds are observed, widened by nothing."""

    name: str
    type: str
    required: bool = True
    missing_share: float = 0.0
    low: Number = float("nan")
    high: Number = float("nan")
    levels: tuple[str, ...] = ()


class TableContract(Part):
    """The rules of one table."""

    name: str
    columns: tuple[ColumnRule, ...]
    key: tuple[str, ...] = ()


class Contract(Record):
    """The rules of all tables that a bundle reads."""

    kind: ClassVar[str] = "contract"

    tables: tuple[TableContract, ...] = ()
