"""Empty texts: a cell with nothing in it is missing on every road, as it is in a CSV file, unless the model learned it as a word."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from holdgood.core.records import Contract
from holdgood.core.records.contract import TableContract
from holdgood.core.table import Table

_WORDS = ("category", "text")


def learned(contract: Contract, tables: Mapping[str, Table]) -> dict[str, list[str]]:
    """By table the columns of words that held empty texts where the model learned: these are values there, and stay so.

    >>> from holdgood.core.records import ColumnRule
    >>> rules = TableContract(name="t", columns=(ColumnRule(name="a", type="category"), ColumnRule(name="b", type="category")))
    >>> table = Table.of(pa.table({"a": ["x", ""], "b": ["x", None]}), "t", types={"a": "category", "b": "category"})
    >>> learned(Contract(tables=(rules,)), {"t": table})
    {'t': ['a']}
    """
    found = {}
    for rules in contract.tables:
        table = tables.get(rules.name)
        names = [c.name for c in rules.columns if c.type in _WORDS and table is not None and c.name in table.names]
        held = [n for n in names if table is not None and _empty(table.data.column(n)) is not None]
        if held:
            found[rules.name] = held
    return found


def missing_in(rules: TableContract, known: Iterable[str]) -> frozenset[str]:
    """The columns of a table in which an empty text means missing; ``known``: those in which the model learned it as a value."""
    kept = set(known)
    return frozenset(c.name for c in rules.columns if c.type in _WORDS and c.name not in kept and "" not in c.levels)


def without(table: Table, names: Iterable[str]) -> Table:
    """The table with the empty texts of these columns missing; itself where there are none."""
    data = table.data
    for name in names:
        at = data.schema.get_field_index(name)
        empty = _empty(data.column(at)) if at >= 0 else None
        if empty is not None:
            field = data.schema.field(at)
            data = data.set_column(at, field, pc.if_else(empty, pa.scalar(None, field.type), data.column(at)))
    return table if data is table.data else replace(table, data=data)


def _empty(column: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """Which cells are empty texts; None where none is."""
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return None
    empty = pc.fill_null(pc.equal(pc.binary_length(column), 0), False)
    return empty if pc.any(empty, min_count=0).as_py() else None
