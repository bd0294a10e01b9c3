"""How well the past of the outcome alone predicts it: what an honest column may reach where outcomes persist in time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from holdgood.audit import columns
from holdgood.audit.power import Rows, bin_numbers, bins_of, power, ranks, rows_of
from holdgood.core.protocols import AuditContext

CLOCK = 0.95
GROUPS = 20  # groups must have at least this many rows on average


def persistence(context: AuditContext, without: str | None = None) -> float:
    """The best AUC or R² of the previous outcome in time, overall or within the levels of one column; 0 without a time.

    ``without``: a column under suspicion, within whose levels outcomes would persist if it were made from them.
    """
    rows = rows_of(context)
    return max((power(*bin_numbers(before), rows) for before in _befores(context, rows, without)), default=0.0)


def follows_the_past(context: AuditContext, column: str) -> bool:
    """Whether a column tells the previous outcome at least as well as this one, as honest lags and running means do."""
    if context.main is None:
        return False
    rows = rows_of(context)
    bins, n = bins_of(context.main, column, rows.positions)
    for before in _befores(context, rows, column):
        there = ~np.isnan(before)
        if there.sum() < GROUPS:
            continue
        positions, fold = rows.positions[there], rows.fold[there]
        now = power(bins[there], n, Rows(positions, rows.y[there], fold, rows.classes))
        past = power(bins[there], n, Rows(positions, before[there], fold, rows.classes))
        if past >= now:
            return True
    return False


def runs_with_time(context: AuditContext, column: str) -> bool:
    """Whether a column's ranks run with the moment of decision: it tells the outcome only as far as time does."""
    if context.decision_time is None or context.main is None or columns.is_text(context.main, column):
        return False
    rows = rows_of(context)
    values = columns.numbers(context.main, column)[rows.positions]
    there = np.isfinite(values)
    if there.sum() < GROUPS:
        return False
    a, b = ranks(values[there]), ranks(np.asarray(context.decision_time, dtype=np.float64)[rows.positions][there])
    return bool(a.std() > 0 and b.std() > 0 and abs(np.corrcoef(a, b)[0, 1]) >= CLOCK)


def _befores(context: AuditContext, rows: Rows, without: str | None) -> Iterator[np.ndarray]:
    """The outcome before, a row: overall in time, then within the levels of each column that has few enough; NaN for none."""
    if context.decision_time is None or context.main is None:
        return
    time = np.asarray(context.decision_time)[rows.positions]
    groups = [np.zeros(len(rows.y), dtype=np.int64)]
    for c in context.main.columns:
        if c.name in (*context.target_columns, without) or c.type not in ("category", "number", "boolean"):
            continue
        codes, n = columns.codes(context.main, c.name)
        if 2 <= n <= len(rows.y) / GROUPS:
            groups.append(codes[rows.positions])
    for group in groups:
        order = np.lexsort((time, group))
        before = np.full(len(rows.y), np.nan)
        same = group[order][1:] == group[order][:-1]
        before[order[1:]] = np.where(same, rows.y[order][:-1], np.nan)
        yield before
