"""sentinel-to-missing: declared values (-999, "?") become missing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from holdgood.cleaning.cells import entry, only_known, some_columns, to_missing
from holdgood.core.errors import DeclarationError
from holdgood.core.records.cleaning import RepairEntry
from holdgood.core.table import Table
from holdgood.core.text import counted


class SentinelToMissing:
    """Parameters: ``values``, a list of numbers or texts; texts are compared as written."""

    name: ClassVar[str] = "sentinel-to-missing"
    title: ClassVar[str] = "values that stand for 'missing' become missing"

    def apply(self, table: Table, columns: Sequence[str], parameters: Mapping[str, Any]) -> tuple[Table, RepairEntry]:
        """Set cells to missing that equal one of the values."""
        only_known(self.name, parameters, ("values",), needed=True)
        some_columns(self.name, columns)
        values = parameters["values"]
        if not isinstance(values, (list, tuple)) or not values:
            raise DeclarationError(
                f"{self.name}: values = {values!r}", "a list of numbers or texts", "write for example values = [-999]"
            )
        cells = 0
        out = table
        for column in columns:
            wanted = _of_type(values, out.data.schema.field(column).type)
            out, hit = to_missing(out, column, pc.is_in(out.data.column(column), value_set=wanted))
            cells += hit
        sentence = f"{', '.join(str(v) for v in values)} became missing in {counted(cells, 'cell')}"
        return out, entry(self.name, table, columns, parameters, cells, sentence)


def _of_type(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """The values that a column of this type can hold."""
    if pa.types.is_string(kind):
        return pa.array([str(v) for v in values], kind)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        numbers = [v for v in values if isinstance(v, (int, float)) and not isinstance(v, bool)]
        if pa.types.is_integer(kind):
            numbers = [int(v) for v in numbers if math.isfinite(v) and v == int(v) and -(2**63) <= v < 2**63]
        return pa.array(numbers, kind)
    if pa.types.is_boolean(kind):
        return pa.array([v for v in values if isinstance(v, bool)], kind)
    return pa.array([m for v in values if (m := _moment(v)) is not None], kind)


def _moment(value: Any) -> datetime | None:
    """A date, or an ISO text of one, as tables hold it (UTC without a zone); None for what is none."""
    try:
        if isinstance(value, date) and not isinstance(value, datetime):
            return datetime(value.year, value.month, value.day)
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
        aware = isinstance(moment, datetime) and moment.tzinfo is not None
        return (
            moment.astimezone(UTC).replace(tzinfo=None) if aware else moment if isinstance(moment, datetime) else None
        )
    except (ValueError, OverflowError):
        return None


REPAIR = SentinelToMissing()
