"""Outcomes that are put together from columns: exact sums, differences and products, and flags that are parts of a class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holdgood.audit import columns
from holdgood.audit.power import rows_of
from holdgood.audit.profile import profile
from holdgood.core.protocols import AuditContext
from holdgood.core.table import Table

PAIR_COLUMNS = 60
PAIR_ROWS = 400
EXACT = 1e-9
FLAG_ROWS = 10
PURE = 0.98
COVERED = 0.9
RARE = 0.3


@dataclass(frozen=True)
class Flags:
    """Columns of which one is set in ``covered`` of the rows of a class, and that are right in ``purity`` of theirs."""

    names: tuple[str, ...]
    purity: float
    covered: float
    rows: int


def exact_relations(context: AuditContext, main: Table, names: list[str]) -> list[tuple[str, str, str]]:
    """Pairs of number columns of which an amount is exactly the difference, sum or product; the first such pair.

    Only for regression with at least 20 distinct outcomes. A pair is tried on 400 rows and confirmed on all.
    """
    rows = rows_of(context)
    if rows.classes or len(rows.y) < 50 or len(np.unique(rows.y[:5000])) < 20:
        return []
    usable = [n for n in names if columns.is_numeric(main, n)][:PAIR_COLUMNS]
    values = {n: columns.numbers(main, n)[rows.positions] for n in usable}
    complete = {n: v for n, v in values.items() if np.isfinite(v).mean() > 0.99 and np.nanstd(v) > 0}
    kept = list(complete)
    if len(kept) < 2:
        return []
    step = max(1, len(rows.y) // PAIR_ROWS)
    y = rows.y[::step]
    sample = np.stack([complete[n][::step] for n in kept])
    for i, first in enumerate(kept):
        for sign in ("-", "+", "×"):
            with np.errstate(all="ignore"):
                made = _combined(sample[i], sample, sign)
                agree = (np.abs(made - y) <= EXACT * np.maximum(1.0, np.abs(sample[i]) + np.abs(y))).mean(1)
            agree[i] = 0.0
            if agree.max() < 0.97:
                continue
            j = int(np.argmax(agree))
            whole = _combined(complete[first], complete[kept[j]], sign)
            close = np.abs(whole - rows.y) <= EXACT * np.maximum(1.0, np.abs(complete[first]) + np.abs(rows.y))
            if close.mean() >= 0.98:
                return [(first, sign, kept[j])]
    return []


def _combined(a: np.ndarray, b: np.ndarray, sign: str) -> np.ndarray:
    made: np.ndarray = a - b if sign == "-" else a + b if sign == "+" else a * b
    return made


def pure_flags(context: AuditContext, main: Table, names: list[str]) -> Flags | None:
    """Two-valued columns whose rarer value comes only with the rarer class of a binary outcome, and that together cover it.

    One flag that is always right can be honest; several that explain nine tenths of a rare outcome between them are its parts.
    """
    if context.task is None or context.task.kind != "binary" or context.y is None:
        return None
    y = context.y
    known = ~np.isnan(y)
    n = int(known.sum())
    if n == 0:
        return None
    rare_class = 1.0 if (y[known] == 1).mean() <= 0.5 else 0.0
    hit = known & (y == rare_class)
    if not 0 < hit.sum() <= RARE * n:
        return None
    picked: list[tuple[str, np.ndarray]] = []
    two_valued = {c.name for c in profile(main).columns if c.distinct == 2 and c.type != "datetime"}
    for name in names:
        if name not in two_valued:
            continue
        codes, _ = columns.codes(main, name)
        ones = (codes == 1) & known
        zeros = (codes == 0) & known
        # equally rare: the one that goes with the class, whichever comes first in the table
        rarer = min((ones, zeros), key=lambda m: (m.sum(), -(m & hit).sum()))
        if rarer.sum() >= FLAG_ROWS and (rarer & hit).sum() >= PURE * rarer.sum():
            picked.append((name, rarer))
    if len(picked) < 2:
        return None
    any_set = np.any(np.stack([mark for _, mark in picked]), axis=0)
    covered = float((any_set & hit).sum() / hit.sum())
    if covered < COVERED:
        return None
    return Flags(tuple(n for n, _ in picked), float((any_set & hit).sum() / any_set.sum()), covered, int(hit.sum()))
