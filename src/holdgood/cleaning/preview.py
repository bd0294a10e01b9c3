"""What a repair changed, cell by cell: some of the cells, before and after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holdgood.cleaning.cells import unlike
from holdgood.core.table import Table

SHOWN = 5


@dataclass(frozen=True)
class Change:
    """One cell: row (a position in the table before), column, what it was and what it becomes."""

    row: int
    column: str
    was: Any
    becomes: Any


def preview(before: Table, after: Table, left: np.ndarray, limit: int = SHOWN) -> list[Change]:
    """The first few cells that differ, spread over columns. ``left``: of each row of ``after`` its position in ``before``.

    In a column that changed its type a value that merely reads otherwise is none; what was lost on the way is, and what
    came to be below zero.
    """
    out: list[tuple[int, Change]] = []
    for name in before.names:
        if name not in after.names:
            continue
        was, now = before.data.column(name), after.data.column(name)
        if len(left) < before.rows:
            was = was.take(pa.array(left))
        differs = unlike(was, now) if was.type == now.type else _lost_or_turned(was, now)
        for turn, at in enumerate(pc.indices_nonzero(differs).slice(0, limit).to_pylist()):
            out.append((turn, Change(int(left[at]), name, was[at].as_py(), now[at].as_py())))
    return [c for _, c in sorted(out, key=lambda o: (o[0], o[1].row))[:limit]]


def _lost_or_turned(was: pa.ChunkedArray, now: pa.ChunkedArray) -> pa.ChunkedArray:
    lost = pc.and_(pc.is_valid(was), pc.is_null(now))
    if not pa.types.is_string(was.type) or not pa.types.is_floating(now.type):
        return lost
    turned = pc.and_not(pc.less(now, 0.0), pc.match_substring_regex(was, r"^[^0-9]*-"))
    return pc.or_(lost, pc.fill_null(turned, False))
