"""Which cells an audit calls wrong, one by one: what stands there, what the proposed repairs would put there, and who says so.

Every proposed repair of cells is tried in the order in which repairs make sense; repairs that take out rows or columns are
left aside. A cell counts as ``wrong`` where its value changes; as ``missing`` where it is empty in a column that a finding calls
missing, or holds a word or code for "missing". A number or day that is only written otherwise (``98%`` to 98) is not listed where
its column is written so; where only some cells are, or the column is written in many ways, these are ``wrong``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holdgood.audit.written import STRONG, WEAK
from holdgood.cleaning import installed, propose
from holdgood.cleaning.cells import unlike
from holdgood.core.errors import HoldgoodError
from holdgood.core.protocols import Repair
from holdgood.core.records import AuditReport
from holdgood.core.table import Table
from holdgood.workflow.ways import odd

SCHEMA = pa.schema(
    [
        ("table", pa.string()),
        ("row", pa.int64()),
        ("column", pa.string()),
        ("value", pa.string()),
        ("becomes", pa.string()),
        ("says", pa.string()),
        ("checks", pa.string()),
    ]
)
"""``row`` counts from 1 as rows come in the source, a header not counted."""
_SIGNS = re.compile(r"[%$€£,\s]")
_OTHERWISE = "written otherwise"
_EMPTY = ("AUD001", "AUD012")
"""Checks that speak of empty cells: missing ones, and words for missing that the reader took as such."""
_WORDS = frozenset(STRONG + WEAK)


def cells_told(tables: Mapping[str, Table], report: AuditReport) -> pa.Table:
    """One line a cell (SCHEMA), by table, column and row; none where nothing is told of single cells."""
    available = installed()
    parts = [part for name, table in tables.items() for part in _of_table(name, table, report, available)]
    return pa.concat_tables([SCHEMA.empty_table(), *parts])


def _of_table(name: str, table: Table, report: AuditReport, available: Mapping[str, Repair]) -> Iterator[pa.Table]:
    said, coded, now = _repaired(name, table, report, available)
    gone = {
        c: f.code for f in (*report.issues, *report.tips) if f.code in _EMPTY and f.table == name for c in f.columns
    }
    for column in table.names:
        was = table.data.column(column)
        codes = dict(said.get(column, {}))
        if column in gone:
            codes[gone[column]] = np.asarray(pc.is_null(was))
        if not codes:
            continue
        rows = np.flatnonzero(np.any(list(codes.values()), axis=0))
        before = _texts(was.take(pa.array(rows)))
        after = _texts(now.data.column(column).take(pa.array(rows)))
        code = coded.get(column, np.zeros(table.rows, bool))[rows]
        says = [_says(b, a, bool(c)) for b, a, c in zip(before, after, code, strict=True)]
        if pa.types.is_string(was.type) and not pa.types.is_string(now.data.schema.field(column).type):
            ways = odd(was.to_pylist(), now.data.column(column).to_pylist())
            told = (None, "", "wrong")  # by what ``odd`` says: not for it to judge, written as the column is, otherwise
            of = [told[0 if ways[r] is None else 1 + bool(ways[r])] for r in rows.tolist()]
            says = [s if o is None else o for s, o in zip(says, of, strict=True)]
        few = 2 * says.count(_OTHERWISE) < table.rows - was.null_count
        says = [("wrong" if few else "") if s == _OTHERWISE else s for s in says]
        kept = np.flatnonzero([s != "" for s in says])
        names = [",".join(sorted(c for c, hit in codes.items() if hit[rows[i]])) for i in kept]
        yield pa.table(
            [
                pa.array([name] * len(kept)),
                pa.array(rows[kept] + 1),
                pa.array([column] * len(kept)),
                pa.array([before[i] for i in kept], pa.string()),
                pa.array([after[i] for i in kept], pa.string()),
                pa.array([says[i] for i in kept], pa.string()),
                pa.array(names, pa.string()),
            ],
            schema=SCHEMA,
        )


def _repaired(
    name: str, table: Table, report: AuditReport, available: Mapping[str, Repair]
) -> tuple[dict[str, dict[str, np.ndarray]], dict[str, np.ndarray], Table]:
    """By column and check the cells that its repair changed; by column the cells that held a code for "missing"; the table after."""
    said: dict[str, dict[str, np.ndarray]] = {}
    coded: dict[str, np.ndarray] = {}
    now = table
    for spec in propose(report):
        if spec.table != name or any(c not in now.names for c in spec.columns):
            continue
        try:
            after, entry = available[spec.repair].apply(now, tuple(spec.columns), dict(spec.parameters))
        except HoldgoodError:
            continue  # an earlier repair changed what this one stands on; `clean` says so when it is asked for
        if entry.rows_removed or list(after.names) != list(now.names):
            continue
        for column in spec.columns or now.names:
            changed = _changed(now.data.column(column), after.data.column(column))
            if changed.any():
                by_check = said.setdefault(column, {})
                code = spec.why.partition(":")[0]
                by_check[code] = by_check.get(code, np.zeros(table.rows, bool)) | changed
            if spec.repair == "sentinel-to-missing":
                coded[column] = coded.get(column, np.zeros(table.rows, bool)) | changed
        now = after
    return said, coded, now


def _changed(was: pa.ChunkedArray, now: pa.ChunkedArray) -> np.ndarray:
    if was.type == now.type:
        return np.asarray(unlike(was, now))
    # every cell of another type reads otherwise; whether its value does is seen once all repairs are through
    return np.asarray(pc.is_valid(was))


def _texts(values: pa.ChunkedArray) -> list[str | None]:
    return [None if v is None else _text(v) for v in values.to_pylist()]


def _text(value: object) -> str:
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def _says(was: str | None, becomes: str | None, coded: bool) -> str:
    if was is None:
        return "missing" if becomes is None else "wrong"
    if becomes is None:
        return "missing" if coded or was.strip().casefold() in _WORDS else "wrong"
    if was == becomes:
        return ""
    return _OTHERWISE if _bare(was) == _bare(becomes) else "wrong"


def _bare(text: str) -> float | str:
    """The number that a text holds, whatever signs stand around it; else the text, with a day's midnight left away."""
    try:
        return float(_SIGNS.sub("", text))
    except ValueError:
        return text.removesuffix(" 00:00:00")
