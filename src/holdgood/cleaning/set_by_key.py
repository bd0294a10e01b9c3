"""set-by-key: cells take the value that a frozen list gives for their row's key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from holdgood.cleaning.cells import entry, only_known, some_columns, with_column
from holdgood.core.errors import DeclarationError, did_you_mean
from holdgood.core.records.cleaning import RepairEntry
from holdgood.core.table import Table
from holdgood.core.text import counted

ONLY = ("all", "differing", "empty")
_KEY = "key"
_AT = "at"


class SetByKey:
    """Parameters: ``key`` (one or two columns), ``values`` (by column a list of [key …, value]) and ``only``.

    ``only``: "all" (default) sets cells that differ and cells that are empty, "differing" or "empty" one kind of them.
    Rows of other keys stay as they are. Empty is missing, or text of nothing but spaces.
    """

    name: ClassVar[str] = "set-by-key"
    title: ClassVar[str] = "cells take the value of their key"

    def apply(self, table: Table, columns: Sequence[str], parameters: Mapping[str, Any]) -> tuple[Table, RepairEntry]:
        """Set cells; DeclarationError for lists that do not fit the columns."""
        only_known(self.name, parameters, ("key", "values", "only"), needed=True)
        some_columns(self.name, columns)
        key, values, only = self._given(table, columns, parameters)
        out, cells = table, 0
        for column in dict.fromkeys(columns):
            out, changed = self._set(out, key, column, values[column], only)
            cells += changed
        listed = sum(len(values[c]) for c in dict.fromkeys(columns))
        sentence = f"{counted(listed, 'value')} by {' and '.join(key)}: {counted(cells, 'cell')} set"
        return out, entry(self.name, table, columns, parameters, cells, sentence)

    def _given(
        self, table: Table, columns: Sequence[str], parameters: Mapping[str, Any]
    ) -> tuple[list[str], Mapping[str, list[list[Any]]], str]:
        key, values, only = parameters.get("key"), parameters.get("values"), parameters.get("only", "all")
        key = [key] if isinstance(key, str) else key
        if not isinstance(key, (list, tuple)) or not key or not all(isinstance(k, str) for k in key):
            raise DeclarationError(f"{self.name}: key = {key!r}", "one or more columns", 'write key = ["zip"]')
        for k in key:
            if k not in table.names:
                raise DeclarationError(
                    f"{self.name}: table {table.name!r} has no column {k!r}",
                    "one of: " + ", ".join(table.names[:12]) + (" …" if len(table.names) > 12 else ""),
                    did_you_mean(k, table.names) or "check the name",
                )
        if only not in ONLY:
            raise DeclarationError(
                f"{self.name}: only = {only!r}",
                "one of: " + ", ".join(ONLY),
                did_you_mean(str(only), ONLY) or "take it out",
            )
        wide = len(key) + 1
        for column in columns:
            rows = values.get(column) if isinstance(values, Mapping) else None
            fits = isinstance(rows, (list, tuple)) and all(
                isinstance(r, (list, tuple)) and len(r) == wide for r in rows
            )
            if column in key or not fits:
                raise DeclarationError(
                    f"{self.name}: no list of values that fits column {column!r}",
                    f"for each column that is not the key a list of lists of {wide}: the key, then the value",
                    'write values = { city = [["10115", "Berlin"]] }',
                )
        assert isinstance(values, Mapping)
        return list(key), values, str(only)

    def _set(self, table: Table, key: list[str], column: str, rows: list[list[Any]], only: str) -> tuple[Table, int]:
        if not rows or table.rows == 0:
            return table, 0
        names = [f"{_KEY}{i}" for i in range(len(key))]
        kinds = [table.data.schema.field(k).type for k in key]
        data = table.data.column(column)
        try:
            given = [pa.array([_typed(r[i], kind) for r in rows], kind) for i, kind in enumerate(kinds)]
            becomes = pa.array([_typed(r[-1], data.type) for r in rows], data.type)
        except (pa.ArrowInvalid, pa.ArrowTypeError, ValueError, TypeError, OverflowError) as error:
            raise DeclarationError(
                f"{self.name}: a value listed for column {column!r} is of another type than the column",
                f"keys of {', '.join(str(k) for k in kinds)} and values of {data.type}",
                "write numbers as numbers and texts in quotes",
            ) from error
        listed = pa.table([*given, becomes], names=[*names, "value"])
        if listed.select(names).group_by(names).aggregate([]).num_rows != listed.num_rows:
            raise DeclarationError(
                f"{self.name}: a key is listed twice for column {column!r}", "one value a key", "take one of them out"
            )
        asked = pa.table(
            [*(table.data.column(k) for k in key), pa.array(range(table.rows), pa.int64())], names=[*names, _AT]
        )
        # a join by key, brought back into the order of the rows
        met = asked.join(listed, keys=names, join_type="inner").sort_by(_AT)
        at, value = met.column(_AT), met.column("value").combine_chunks()
        place = pc.index_in(pa.array(range(table.rows), pa.int64()), value_set=at.combine_chunks())
        new = value.take(place) if len(value) else pa.nulls(table.rows, data.type)
        blank = pc.is_null(data)
        if pa.types.is_string(data.type):
            blank = pc.or_(blank, pc.equal(pc.fill_null(pc.utf8_trim_whitespace(data), ""), ""))
        differs = pc.and_(pc.invert(blank), pc.fill_null(pc.not_equal(data, new), False))
        wanted = {"all": pc.or_(blank, differs), "differing": differs, "empty": blank}[only]
        hit = pc.and_(wanted, pc.is_valid(new))
        cells = int(pc.sum(hit).as_py() or 0)
        return (with_column(table, column, pc.if_else(hit, new, data)), cells) if cells else (table, 0)


def _typed(value: Any, kind: pa.DataType) -> Any:
    if pa.types.is_timestamp(kind) and isinstance(value, str):
        return datetime.fromisoformat(value)
    if isinstance(value, bool) != pa.types.is_boolean(kind) and not isinstance(value, str):
        raise TypeError("a truth value and a number are two things")
    return value


REPAIR = SetByKey()
"""The repair that is registered."""
