"""How closely a column goes with others among rows of the same outcome: what tells an honest column from a noisy copy.

Columns that make the outcome, or that describe the same thing, stay tied to each other once the outcome is known. A copy of the
outcome with noise of its own goes with nothing any more.
"""

from __future__ import annotations

import math

import numpy as np

from holdgood.audit import columns
from holdgood.audit.power import Rows, bins_of
from holdgood.core.table import Table

TIED, SIGMAS, SAME = 0.10, 4.0, 0.97
TIED_AMOUNTS = 0.15  # strata of an amount are not quite equal outcomes
TELLING_AUC, TELLING_R2 = 0.58, 0.04  # what another column must tell for its silence to mean something
PARTNERS = 40
COARSE = 5
STRATA, STRATUM_ROWS = 30, 100


def strongest_tie(table: Table, name: str, others: list[str], rows: Rows) -> float | None:
    """The strongest association (Cramér's V without bias, with its margin) of a column to others, given the outcome.

    None where the rows are too few to see a tie of 0.1 at all.
    """
    if rows.classes:
        stratum = rows.y.astype(np.int64)
    else:
        parts = min(STRATA, len(rows.y) // STRATUM_ROWS)
        if parts < 2:
            return None
        stratum = np.searchsorted(np.unique(np.quantile(rows.y, np.arange(1, parts) / parts)), rows.y, side="right")
    own = _coarse(table, name, rows.positions)
    strongest = 0.0
    for other in others:
        tie, margin = _tie(own, _coarse(table, other, rows.positions), stratum)
        if SIGMAS * margin > 3.0 * TIED**2:
            return None
        if tie >= SAME**2:
            continue  # the same column in other words
        strongest = max(strongest, tie - SIGMAS * margin if tie < TIED**2 else tie)
    return math.sqrt(max(0.0, strongest))


def _tie(one: np.ndarray, two: np.ndarray, stratum: np.ndarray) -> tuple[float, float]:
    """Squared Cramér's V over strata, its bias taken off, and the standard error that it has where there is no tie."""
    k = COARSE + 1
    cells = np.bincount((stratum * k + one) * k + two, minlength=(int(stratum.max()) + 1) * k * k)
    tables = cells.reshape(-1, k, k).astype(np.float64)
    rows, cols, n = tables.sum(2), tables.sum(1), tables.sum((1, 2))
    expected = rows[:, :, None] * cols[:, None, :] / np.maximum(n, 1.0)[:, None, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        terms = np.where(expected > 0, (tables - expected) ** 2 / expected, 0.0)
    width = np.minimum((rows > 0).sum(1), (cols > 0).sum(1)) - 1
    free = np.maximum(((rows > 0).sum(1) - 1) * ((cols > 0).sum(1) - 1), 0).sum()
    scale = float((n * np.maximum(width, 1)).sum())  # a stratum in which one of the two is constant shows no tie
    if free == 0 or scale <= 0:
        return 0.0, 0.0
    return float((terms.sum() - free) / scale), math.sqrt(2.0 * float(free)) / scale


def _coarse(table: Table, column: str, positions: np.ndarray) -> np.ndarray:
    """Up to five bins or the most frequent levels, and one for what is missing or left over."""
    bins, n = bins_of(table, column, positions)
    if n <= COARSE + 1:
        return bins
    count = np.bincount(bins, minlength=n)
    if columns.is_text(table, column):
        kept = np.argsort(-count, kind="stable")[:COARSE]
        place = np.full(n, COARSE)
        place[kept] = np.arange(COARSE)
        return np.asarray(place[bins])
    middle = np.cumsum(count[:-1]) - count[:-1] / 2.0
    part = np.minimum((middle * COARSE / max(1.0, float(count[:-1].sum()))).astype(np.int64), COARSE - 1)
    return np.asarray(np.append(part, COARSE)[bins])
