"""Numbers of a text file that were read with a decimal point and may have been written with one between thousands: told, with what was taken."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa

from holdgood.connectors.csv_files import CsvFiles
from holdgood.core.readings import ambiguous, points_are_decimal, readings
from holdgood.core.records import PanelNote
from holdgood.core.table import ColumnType, Table, as_text
from holdgood.core.text import counted


def may_doubt(source: object) -> bool:
    """Whether a source is a text file, in which a point may stand for either; frames and other files say what their numbers are."""
    return isinstance(source, (str, Path)) and str(source).partition("?")[0].lower().endswith(CsvFiles.suffixes)


def doubtful(
    table: Table, columns: Iterable[str], again: Callable[[Mapping[str, ColumnType]], Table]
) -> tuple[PanelNote, ...]:
    """A note on each of ``columns`` whose points may all stand between thousands. ``again`` reads the same text file with types of ours."""
    some = [c for c in dict.fromkeys(columns) if c in table.names and _in_thousandths(table.data.column(c))]
    if not some:
        return ()
    texts, notes = again(dict.fromkeys(some, "text")), []
    for name in some:
        cells = as_text(texts.data.column(name)).to_pylist()
        odd = [t for t in cells if t and ambiguous(t)]
        if odd and not points_are_decimal(cells):
            taken, other = readings(odd[0])
            more = f" ({counted(len(odd), 'cell')} like it)" if len(odd) > 1 else ""
            said = f"{name}: {odd[0]!r} is read as {taken:.10g}{more}; if the point stands between thousands, write {other:.10g}"
            notes.append(PanelNote(code="two-ways", level="issue", message=said, count=len(odd)))
    return tuple(notes)


def _in_thousandths(column: pa.ChunkedArray) -> bool:
    """Whether no value settles what a point is: numbers with decimals, none of them below a thousandth."""
    if not pa.types.is_floating(column.type):
        return False
    values = np.array(column.cast(pa.float64()).to_numpy(zero_copy_only=False), float)
    values = values[np.isfinite(values)]
    return bool(len(values)) and bool(
        np.all(np.abs(1e3 * values - np.round(1e3 * values)) < 1e-6 * (1 + np.abs(values)))
    )
