"""Moments read leniently, for a look and not for a model: dates that are text because a few cells cannot be read, and rows
without a time.

A column counts as dates where at least 95% of its cells are read as dates by formats that the audit finds; what is left is
missing for the look, and counted. The tables themselves stay as they are: the repair ``parse-dates`` mends them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pyarrow as pa

from holdgood.audit import columns
from holdgood.audit.aud012_reading import CHECK
from holdgood.audit.dates_written import dates, mostly_dates
from holdgood.audit.found import Evidence, counted, found, percent
from holdgood.audit.written import glimpse, vocabulary
from holdgood.cleaning.parse_dates import REPAIR as PARSE
from holdgood.core.errors import DataError, DeclarationError
from holdgood.core.protocols import AuditContext
from holdgood.core.records.audit import Finding
from holdgood.core.sql import columns_in, evaluate
from holdgood.core.table import Column, Table, normalise
from holdgood.workflow.rows import as_moments

READ = 0.95
"""So many of the cells that are there must be read before a text is taken for dates."""


def moments_there(expression: str, table: Table, *, purpose: str) -> tuple[np.ndarray, np.ndarray]:
    """A time expression a row as int64 microseconds since the epoch (0 where there is none), and whether each row has one.

    Texts are read leniently. Raises DeclarationError for what is no time, DataError where no row has one.
    """
    where = f"{purpose}: {expression!r}"
    values = evaluate(expression, table.data, purpose=purpose)
    one, _ = normalise(pa.table({"t": values}))
    nothing = f"{where}: no row has a time", "a time in most rows", "repair these rows, or name another time"
    if one.column(0).null_count == table.rows:
        raise DataError(*nothing)
    if pa.types.is_string(one.column(0).type):
        text = Table("t", one, (Column("t", "text"),))
        formats = formats_of(text, "t")
        if not formats:
            raise DeclarationError(
                f"{where} is a text, and less than {READ:.0%} of its cells can be read as dates",
                "a date or time",
                "mend the column (see: holdgood audit), declare its type as datetime, or cast it in the expression",
            )
        one = _read(text, "t", formats).data
    times = one.column(0)
    there = np.asarray(times.is_valid().to_numpy(), dtype=bool)
    out = np.zeros(len(times), dtype=np.int64)
    out[there] = as_moments(times.filter(pa.array(there)), where)
    return out, there


def formats_of(table: Table, column: str) -> tuple[str, ...]:
    """The formats by which at least 95% of a text's cells are read as dates, the column's own first; none where fewer are."""
    if not columns.is_text(table, column) or not mostly_dates(glimpse(table, column)):
        return ()
    words = vocabulary(table, column)
    seen = dates(words)
    return seen.formats if words.cells(seen.valid) >= READ * words.present else ()


def readable(context: AuditContext) -> tuple[AuditContext, tuple[Finding, ...]]:
    """The context of the second pass with texts that are dates read as such, and a finding for each.

    What is read as a date is decided on the tables and on the development rows alone; the holdout follows. A column that an
    expression computes with, that tables are joined by, or that the target is made of stays as it is.
    """
    told: list[Finding] = []
    main, holdout, tables = context.main, context.holdout, dict(context.tables)
    for table in [*([main] if main is not None else []), *context.tables.values()]:
        kept = _computed_with(context, table)
        read = table
        for column in table.names:
            formats = () if column in kept else formats_of(table, column)
            if not formats:
                continue
            read = _read(read, column, formats)
            told.append(_told(table, read, column))
            if main is not None and table is main and holdout is not None and column in holdout.names:
                holdout = _read(holdout, column, formats)
        if main is not None and table is main:
            main = read
        else:
            tables[table.name] = read
    return replace(context, main=main, holdout=holdout, tables=tables), tuple(told)


def _computed_with(context: AuditContext, table: Table) -> set[str]:
    names, spec = table.names, context.spec(table.name)
    is_main = context.main is not None and table.name == context.main.name
    expressions = [spec.time or "", *spec.known.values()]
    kept = set(spec.join.on.values()) if spec.join is not None else set()
    if is_main:
        expressions += [context.declaration.task.decision_time or "", context.declaration.task.target]
        kept |= set(context.target_columns)
        for other in context.declaration.tables.values():
            kept |= set(other.join.on) if other.join is not None else set()
    computed = [e for e in expressions if e and e.strip().strip('"') not in names]
    return kept | {c for e in computed for c in columns_in(e, names)}


def _read(table: Table, column: str, formats: Iterable[str]) -> Table:
    return PARSE.apply(table, (column,), {"formats": list(formats)})[0]


def _told(table: Table, read: Table, column: str) -> Finding:
    gone = read.data.column(column).is_null().to_numpy() & table.data.column(column).is_valid().to_numpy()
    rows, present = int(gone.sum()), table.rows - table.data.column(column).null_count
    message = (
        f"`{column}` is kept as text; {percent(present - rows, present)} of its cells were read as dates for this pass"
    )
    message += f", {counted(rows, 'cell')} could not be read and counted as missing here" if rows else ""
    evidence: Evidence = {"note": "unparsed", "count": rows}
    return found(CHECK, "tip", "low", table.name, [column], message, rows=rows, evidence=evidence,
                 examples=np.flatnonzero(gone))  # fmt: skip


def left_out(table: Table, there: np.ndarray, expression: str) -> Finding:
    """Says how many rows of the main table have no time and so were not looked at. ``there``: boolean, a row of the table."""
    rows = int((~there).sum())
    message = (
        f"{counted(rows, 'row')} of {table.name} ({percent(rows, table.rows)}) {'has' if rows == 1 else 'have'} no readable time "
        f"({expression}) and {'was' if rows == 1 else 'were'} left out of this pass: before or after the decision cannot be told for "
        f"{'it' if rows == 1 else 'them'}"
    )
    named = [c for c in (expression.strip('"'),) if c in table.names]
    evidence: Evidence = {"note": "no-time", "count": rows}
    return found(CHECK, "issue", "low", table.name, named, message, rows=rows, evidence=evidence,
                 examples=np.flatnonzero(~there))  # fmt: skip
