"""Dates and times of an Arrow stream, whatever their unit, as the journal and the model hold them: microseconds of the years 1 to 9999."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from holdgood.serving.exchange import refused

_FIRST, _LAST = -62_135_596_800, 253_402_300_800
"""Seconds since 1970 at which the year 1 begins and the year 9999 has ended: outside of them no ISO text says a moment."""
_IN_A_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_DAY = 86_400


def in_microseconds(table: pa.Table) -> pa.Table:
    """The table with every date or time in microseconds; what is finer is cut off. A refusal (422) for years that no ISO text has."""
    for at, field in enumerate(table.schema):
        kind = field.type
        if pa.types.is_timestamp(kind):
            wanted, whole = pa.timestamp("us", kind.tz), pa.int64()
            first, last = _FIRST * _IN_A_SECOND[kind.unit], _LAST * _IN_A_SECOND[kind.unit]
        elif pa.types.is_date32(kind):
            wanted, whole = pa.timestamp("us"), pa.int32()
            first, last = _FIRST // _DAY, _LAST // _DAY
        elif pa.types.is_date64(kind):
            wanted, whole = pa.timestamp("us"), pa.int64()
            first, last = _FIRST * 1_000, _LAST * 1_000
        else:
            continue
        column = table.column(at)
        ends = pc.min_max(column.cast(whole)).as_py()
        if ends["min"] is not None and not (first <= ends["min"] and ends["max"] < last):
            raise refused(
                422,
                f"column {field.name[:40]}: a date or time too far away",
                "moments of the years 1 to 9999",
                "leave the cell empty where no moment is known",
            )
        if kind != wanted:
            table = table.set_column(at, field.name, column.cast(wanted, safe=False))
    return table
