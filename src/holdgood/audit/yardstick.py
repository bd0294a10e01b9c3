"""How well the past of the outcome alone predicts it: what an honest column may reach where outcomes persist in time."""

from __future__ import annotations

import numpy as np

from holdgood.audit import columns
from holdgood.audit.power import bin_numbers, power, rows_of
from holdgood.core.protocols import AuditContext

GROUPS = 20  # groups must have at least this many rows on average


def persistence(context: AuditContext) -> float:
    """The best AUC or R² of the previous outcome in time, overall or within the levels of one column; 0 without a time."""
    if context.decision_time is None or context.main is None:
        return 0.0
    rows = rows_of(context)
    time = np.asarray(context.decision_time)[rows.positions]
    groups = [np.zeros(len(rows.y), dtype=np.int64)]
    for c in context.main.columns:
        if c.name in context.target_columns or c.type not in ("category", "number", "boolean"):
            continue
        codes, n = columns.codes(context.main, c.name)
        if 2 <= n <= len(rows.y) / GROUPS:
            groups.append(codes[rows.positions])
    best = 0.0
    for group in groups:
        order = np.lexsort((time, group))
        before = np.full(len(rows.y), np.nan)
        same = group[order][1:] == group[order][:-1]
        before[order[1:]] = np.where(same, rows.y[order][:-1], np.nan)
        bins, n = bin_numbers(before)
        best = max(best, power(bins, n, rows))
    return best
