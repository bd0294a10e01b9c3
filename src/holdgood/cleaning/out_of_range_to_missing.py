"""out-of-range-to-missing: numbers and dates outside declared limits become missing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from holdgood.cleaning.cells import entry, only_known, some_columns, to_missing
from holdgood.core.errors import DeclarationError
from holdgood.core.records.cleaning import RepairEntry
from holdgood.core.table import Table
from holdgood.core.text import counted


class OutOfRangeToMissing:
    """Parameters: ``low`` and ``high``, numbers or ISO dates; values equal to a limit stay."""

    name: ClassVar[str] = "out-of-range-to-missing"
    title: ClassVar[str] = "values outside limits become missing"

    def apply(self, table: Table, columns: Sequence[str], parameters: Mapping[str, Any]) -> tuple[Table, RepairEntry]:
        """Set cells below ``low`` or above ``high`` to missing."""
        only_known(self.name, parameters, ("low", "high"), needed=True)
        some_columns(self.name, columns)
        out, cells = table, 0
        for column in dict.fromkeys(columns):
            data = out.data.column(column)
            limits = {
                k: self._limit(column, data.type, k, parameters[k])
                for k in ("low", "high")
                if parameters.get(k) is not None
            }
            marks = None
            for which, limit in limits.items():
                outside = pc.less(data, limit) if which == "low" else pc.greater(data, limit)
                marks = outside if marks is None else pc.or_(marks, outside)
            if marks is not None:
                out, hit = to_missing(out, column, marks)
                cells += hit
        told = " and ".join(
            f"{'below' if k == 'low' else 'above'} {parameters[k]}"
            for k in ("low", "high")
            if parameters.get(k) is not None
        )
        return out, entry(
            self.name, table, columns, parameters, cells, f"{counted(cells, 'value')} {told} became missing"
        )

    def _limit(self, column: str, kind: pa.DataType, which: str, value: Any) -> pa.Scalar:
        try:
            if pa.types.is_timestamp(kind):
                moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
                if moment.tzinfo is not None:  # tables hold UTC without a zone
                    moment = moment.astimezone(UTC).replace(tzinfo=None)
                return pa.scalar(moment, pa.timestamp("us"))
            if pa.types.is_integer(kind) and not isinstance(value, (str, bool)):
                # whole numbers are held against whole numbers: as floats long ones would meet a limit that they do not reach
                whole = math.ceil(value) if which == "low" else math.floor(value)
                return pa.scalar(min(max(whole, -(2**63)), 2**63 - 1), pa.int64())
            if pa.types.is_floating(kind) and not isinstance(value, (str, bool)):
                return pa.scalar(float(value), pa.float64())
        except (ValueError, TypeError, OverflowError):
            pass  # told below
        raise DeclarationError(
            f"{self.name}: a limit of {value!r} for column {column!r}, which holds {kind}",
            "a number for numbers, an ISO date for dates",
            'write for example low = 0, or low = "1990-01-01"',
        )


REPAIR = OutOfRangeToMissing()
