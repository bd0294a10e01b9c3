"""Rows that a declared condition picks out: one SQL expression over the columns of a row, true or false."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from holdgood.core.errors import DeclarationError
from holdgood.core.sql import evaluate
from holdgood.core.table import Table


def rows_where(repair: str, table: Table, parameters: Mapping[str, Any]) -> pa.ChunkedArray:
    """Boolean, one a row; rows for which the condition ``where`` has no answer are not picked.

    Raises DeclarationError where it is no text, cannot be evaluated, or is no condition.
    """
    where = parameters.get("where")
    if not isinstance(where, str) or not where.strip():
        raise DeclarationError(
            f"{repair}: where = {where!r}",
            "an SQL condition over the columns of a row",
            "write for example where = \"weight > 100 AND unit = 'g'\"",
        )
    picked = evaluate(where, table.data, purpose=f"{repair}: where")
    if not pa.types.is_boolean(picked.type):
        raise DeclarationError(
            f"{repair}: {where!r} gives {picked.type}",
            "true or false for each row",
            "compare something, for example weight > 100",
        )
    return pc.fill_null(picked, False)
