"""Score a table a piece at a time, and put the answers of all pieces together.

A row's answer depends on that row alone, so that pieces give what the whole gives; the one exception, a capacity a day, is settled
when all pieces are there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import islice
from time import monotonic
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holdgood.audit.verdicts import REFUSED, WARN
from holdgood.core.events import Event, Listener
from holdgood.core.sql import evaluate
from holdgood.core.table import Table
from holdgood.workflow.batch.acted import Acted
from holdgood.workflow.batch.kept import Kept
from holdgood.workflow.batch.loose import Loose
from holdgood.workflow.batch.pieces import Pieces, rows_of_a_piece
from holdgood.workflow.predict import Predictor

_GAIN, _DAY = "\x00gain", "\x00day"


def size_for(model: Predictor, table: Table) -> int:
    """Rows a piece. All of them where a moment is a plain number: its unit is read from the largest of a table."""
    wanted = [e for e in (model.plan.decision, model.day if limit_of(model) is not None else None) if e]
    if table.rows and any(_is_number(model, e, table) for e in wanted):
        return table.rows
    return rows_of_a_piece(len(table.names))


def _is_number(model: Predictor, expression: str, table: Table) -> bool:
    first = model.repaired(table.take(np.arange(1)))
    kind = evaluate(expression, first.data, purpose="the moment of a row").type
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def limit_of(model: Predictor) -> int | None:
    """The capacity a day; None where there is none, or nothing to act on."""
    return model.declaration.costs.capacity if model.task.kind == "binary" else None


def score(model: Predictor, table: Table, others: Mapping[str, Table], kept: Kept | Loose, tell: Listener) -> int:
    """Score the pieces that are not kept yet, and keep them. How many rows were there before."""
    pieces = Pieces(table, kept.size)
    before = min(len(kept) * kept.size, table.rows)
    began = monotonic()
    spans = pieces.spans()
    for number, piece in islice(enumerate(pieces), len(kept), None):
        start, stop = spans[number]
        kept.add(*_scored(model, piece, others, start))
        spent = monotonic() - began
        left = spent * (table.rows - stop) / max(1, stop - before)
        share = stop / table.rows if table.rows else 1.0
        tell(Event("progress", "scoring", f"{stop:,} of {table.rows:,} rows", share, seconds_left=left))
    return before


def _scored(
    model: Predictor, as_read: Table, others: Mapping[str, Table], start: int
) -> tuple[pa.Table, dict[str, Any]]:
    said, rows = model.judge(as_read), model.repaired(as_read)
    prediction, frame = model.scored(rows, others)
    output = model.output(rows, prediction, "arrow", said, start=start, frame=frame)
    if limit_of(model) is not None:
        deserve, gain, day = model.deserving(rows, prediction, ~np.asarray(said.refused))
        for name, values in ((_GAIN, gain), (_DAY, day)):
            output = output.append_column(name, pa.array(values, mask=~deserve))
    reasons = {b.reason: b.rows for b in said.broken}
    return output, {"refused": said.count(REFUSED), "warned": said.count(WARN), "reasons": reasons}


def together(model: Predictor, kept: Kept | Loose) -> pa.Table:
    """The answers of all pieces as one table, with who is acted on where there is a capacity a day."""
    tables = kept.tables()
    limit = limit_of(model)
    if limit is None:
        return pa.concat_tables(tables)
    best = Acted(limit)
    for start, piece in _with_starts(tables):
        at = np.flatnonzero(np.asarray(pc.is_valid(piece.column(_GAIN))))
        gain, day = (piece.column(c).take(pa.array(at)).to_numpy() for c in (_GAIN, _DAY))
        best.add(at + start, gain, day)
    chosen, done = best.rows(), []
    for start, piece in _with_starts(tables):
        act = np.zeros(piece.num_rows, bool)
        first, last = np.searchsorted(chosen, [start, start + piece.num_rows])
        act[chosen[first:last] - start] = True
        bare = piece.drop_columns([_GAIN, _DAY])
        where = bare.column_names.index(act_column(bare.column_names))
        said = pc.if_else(pc.is_valid(bare.column(where)), pa.array(act), pa.scalar(None, pa.bool_()))
        done.append(bare.set_column(where, bare.column_names[where], said))
    return pa.concat_tables(done)


def act_column(names: list[str]) -> str:
    """The column that says who is acted on; it has a tail where a key has the name already."""
    return next(n for n in reversed(names) if n.rstrip("_") == "act")


def _with_starts(tables: list[pa.Table]) -> Iterator[tuple[int, pa.Table]]:
    start = 0
    for piece in tables:
        yield start, piece
        start += piece.num_rows


def tally(said: list[dict[str, Any]]) -> tuple[int, int, list[tuple[str, int]]]:
    """Over all pieces: rows refused, rows warned of, and reasons with their rows, those of most rows first."""
    reasons: Counter[str] = Counter()
    for piece in said:
        reasons.update(piece["reasons"])
    ordered = sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0]))
    return sum(p["refused"] for p in said), sum(p["warned"] for p in said), ordered
