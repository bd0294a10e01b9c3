"""Cells that hold whole documents: the checks look at their beginnings, so that one cell of 100 MB cannot stop an audit.

A mark made of the whole text stands for the rest, so that texts which begin alike stay different, and no text ends in a blank
because it was cut there.
"""

from __future__ import annotations

from dataclasses import replace
from hashlib import blake2b

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holdgood.core.protocols import AuditContext
from holdgood.core.table import Note, Table

LONGEST = 100_000
"""Characters of a cell that are looked at."""


def shortened(context: AuditContext) -> AuditContext:
    """The context with long cells cut, each column told in a note of its table; the very same tables where none is long."""
    tables = {name: _shortened(t) for name, t in context.tables.items()}
    main = None if context.main is None else _shortened(context.main)
    holdout = None if context.holdout is None else _shortened(context.holdout)
    if main is context.main and holdout is context.holdout and all(t is context.tables[n] for n, t in tables.items()):
        return context
    return replace(context, tables=tables, main=main, holdout=holdout)


def _shortened(table: Table) -> Table:
    data, notes = table.data, list(table.notes)
    for position, name in enumerate(table.names):
        column = data.column(position)
        # bytes bound characters from above, and their number is known without a look at the texts
        if not pa.types.is_string(column.type) or (_longest(column) or 0) <= LONGEST:
            continue
        characters = pc.utf8_length(column)
        longest = pc.max(characters).as_py()
        if longest <= LONGEST:
            continue
        long = np.flatnonzero(pc.fill_null(pc.greater(characters, LONGEST), False).to_numpy())
        cells = len(long)
        data = data.set_column(position, name, _cut(column, long))
        message = (
            f"column {name!r} has {cells:,} {'cell' if cells == 1 else 'cells'} of more than {LONGEST:,} characters "
            f"(the longest has {longest:,}); only their beginnings were looked at"
        )
        notes.append(Note("long-text", message, cells, (name,)))
    return table if data is table.data else replace(table, data=data, notes=tuple(notes))


def _cut(column: pa.ChunkedArray, long: np.ndarray) -> pa.ChunkedArray:
    """The column with the cells at some positions cut."""
    rest = np.full(len(column), "", dtype=object)
    for row in long:
        rest[row] = "…" + blake2b(column[int(row)].as_buffer(), digest_size=8).hexdigest()
    return pc.binary_join_element_wise(pc.utf8_slice_codeunits(column, 0, LONGEST), pa.array(rest, pa.string()), "")


def _longest(column: pa.ChunkedArray) -> int | None:
    longest: int | None = pc.max(pc.binary_length(column)).as_py()
    return longest
