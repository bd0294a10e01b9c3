"""How well one column alone predicts the outcome, out of fold, from counts of bins and levels.

AUC for classes (several classes: one against the rest, weighted by rows) and R² for amounts. Folds follow a row's content,
so that equal rows share a fold and neither the names nor the order of rows matter.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holdgood.audit import columns
from holdgood.audit.memory import Memory
from holdgood.audit.rows import row_hashes
from holdgood.core.protocols import AuditContext
from holdgood.core.table import Table

FOLDS = 5
BINS = 256
BIN_ROWS = 20
ROWS = 50_000
CELLS = 20_000_000
SMOOTHING = 5.0
_HASHED_COLUMNS = 64
_LEAST_ROWS = 5_000

_powers: Memory[dict[str, float]] = Memory()
_rows: Memory[Rows] = Memory()


@dataclass(frozen=True)
class Rows:
    """The rows that a measure is taken on: positions with an outcome (about 50,000 at most), their outcome and fold."""

    positions: np.ndarray
    y: np.ndarray
    fold: np.ndarray
    classes: int  # 0 for amounts


def rows_of(context: AuditContext) -> Rows:
    """Development rows with an outcome; of many (fewer in a wide table), those with the smallest content hash; remembered."""
    assert context.main is not None and context.y is not None
    kind = context.task.kind if context.task else ""
    return _rows.get(context.main.data, (context.y.tobytes(), kind), lambda: _rows_of(context))


def _rows_of(context: AuditContext) -> Rows:
    assert context.main is not None and context.y is not None
    wanted = min(ROWS, max(_LEAST_ROWS, CELLS // max(1, len(context.main.names))))
    names = context.main.names
    if len(names) > _HASHED_COLUMNS:
        names = tuple(names[int(i)] for i in np.unique(np.linspace(0, len(names) - 1, _HASHED_COLUMNS).astype(int)))
    hashes = row_hashes(context.main, names)
    positions = np.flatnonzero(~np.isnan(context.y))
    if len(positions) > wanted:
        bar = np.partition(hashes[positions], wanted - 1)[wanted - 1]
        positions = positions[hashes[positions] <= bar]
    y = context.y[positions]
    kind = context.task.kind if context.task else "regression"
    classes = int(y.max()) + 1 if kind in ("binary", "multiclass") and len(y) else 0
    fold = ((hashes[positions] >> np.uint64(7)) % np.uint64(FOLDS)).astype(np.int64)
    return Rows(positions, y, fold, classes)


def powers(context: AuditContext) -> dict[str, float]:
    """AUC or R² of every column of the main table but texts and the target's own; remembered."""
    assert context.main is not None and context.y is not None
    main, y = context.main, context.y
    key = (context.target_columns, context.task.kind if context.task else "", y.tobytes())
    return _powers.get(main.data, key, lambda: _powers_of(context, main))


def _powers_of(context: AuditContext, main: Table) -> dict[str, float]:
    rows = rows_of(context)
    if len(rows.y) < 2 * BIN_ROWS:
        return {}
    skip = dict.fromkeys(context.target_columns)
    out = {}
    for c in main.columns:
        if c.name not in skip and c.type not in ("text", "other"):
            bins, n = bins_of(main, c.name, rows.positions)
            out[c.name] = power(bins, n, rows)
            if not rows.classes and c.type == "number" and columns.is_numeric(main, c.name):
                out[c.name] = max(out[c.name], straight(columns.numbers(main, c.name)[rows.positions], rows.y))
    return out


def straight(x: np.ndarray, y: np.ndarray) -> float:
    """R² of a straight line, of values or of ranks, whichever is less: bins blur a copy of a heavy-tailed amount, a line does not."""
    there = np.isfinite(x)
    if there.mean() < 0.5 or there.sum() < BIN_ROWS:
        return 0.0
    a, b = x[there], y[there]
    with np.errstate(all="ignore"):
        line = _squared_correlation(a, b)
        return (
            0.0 if not line >= 0.9 else float(min(line, _squared_correlation(ranks(a), ranks(b)))) * float(there.mean())
        )


def ranks(values: np.ndarray) -> np.ndarray:
    """Mid-ranks."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    upper = np.cumsum(counts).astype(np.float64)
    return (upper - (counts - 1) / 2.0)[inverse]


def _squared_correlation(a: np.ndarray, b: np.ndarray) -> float:
    if a.std() == 0 or b.std() == 0:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1]) ** 2


def bins_of(table: Table, column: str, positions: np.ndarray) -> tuple[np.ndarray, int]:
    """Codes of levels, or of up to 256 quantile bins of at least 20 rows; missing is a bin of its own."""
    if columns.is_text(table, column):
        codes, n = columns.codes(table, column)
        picked = codes[positions]
        return np.where(picked < 0, n, picked), n + 1
    return bin_numbers(columns.numbers(table, column)[positions])


def bin_numbers(values: np.ndarray) -> tuple[np.ndarray, int]:
    """Quantile bins of numbers; equal values share a bin, NaN has its own (the last)."""
    there = values[~np.isnan(values)]
    if len(there) == 0:
        return np.zeros(len(values), dtype=np.int64), 1
    bins = int(min(BINS, max(2, len(there) // BIN_ROWS)))
    ordered = np.sort(there)
    edges = np.unique(ordered[(np.arange(1, bins) * len(ordered)) // bins])
    codes = np.searchsorted(edges, values, side="right")
    n = len(edges) + 1
    return np.where(np.isnan(values), n, codes).astype(np.int64), n + 1


def power(bins: np.ndarray, n: int, rows: Rows) -> float:
    """AUC or R² of predicting by the mean of a bin, learnt on the other folds and pulled towards the overall mean."""
    if rows.classes:
        return _auc_of_bins(bins, n, rows)
    return _r2_of_bins(bins, n, rows.fold, rows.y)


def _auc_of_bins(bins: np.ndarray, n: int, rows: Rows) -> float:
    cell = rows.fold * n + bins
    count = np.bincount(cell, minlength=FOLDS * n).reshape(FOLDS, n).astype(np.float64)
    total = weight = 0.0
    chosen = [1] if rows.classes == 2 else range(rows.classes)
    for k in chosen:
        mark = rows.y == k
        marked = float(mark.sum())
        if marked == 0 or marked == len(mark):
            continue
        hits = np.bincount(cell, weights=mark, minlength=FOLDS * n).reshape(FOLDS, n)
        train_count, train_hits = count.sum(0) - count, hits.sum(0) - hits
        prior = train_hits.sum(1, keepdims=True) / np.maximum(1.0, train_count.sum(1, keepdims=True))
        score = (train_hits + SMOOTHING * prior) / (train_count + SMOOTHING)
        total += marked * auc_of_counts(score.ravel(), hits.ravel(), (count - hits).ravel())
        weight += marked
    return total / weight if weight else 0.5


def auc_of_counts(score: np.ndarray, positives: np.ndarray, negatives: np.ndarray) -> float:
    """AUC where each score comes with how many positives and negatives have it; ties count half."""
    _, group = np.unique(score, return_inverse=True)
    pos = np.bincount(group, weights=positives)
    neg = np.bincount(group, weights=negatives)
    below = np.cumsum(neg) - neg
    return float((pos * (below + 0.5 * neg)).sum() / (pos.sum() * neg.sum()))


def explained(bins: np.ndarray, n: int, rows: Rows) -> float:
    """Share of the outcome's variance that the bins explain out of fold; for several classes of each one's indicator, weighted by variance."""
    if not rows.classes:
        return _r2_of_bins(bins, n, rows.fold, rows.y)
    chosen = [1] if rows.classes == 2 else range(rows.classes)
    marks = [(rows.y == k).astype(np.float64) for k in chosen]
    weights = [float(m.var()) for m in marks]
    if sum(weights) == 0:
        return 0.0
    return sum(w * _r2_of_bins(bins, n, rows.fold, m) for m, w in zip(marks, weights, strict=True)) / sum(weights)


def _r2_of_bins(bins: np.ndarray, n: int, fold: np.ndarray, outcome: np.ndarray) -> float:
    y = outcome - outcome.mean()
    cell = fold * n + bins
    count = np.bincount(cell, minlength=FOLDS * n).reshape(FOLDS, n).astype(np.float64)
    sums = np.bincount(cell, weights=y, minlength=FOLDS * n).reshape(FOLDS, n)
    train_count, train_sums = count.sum(0) - count, sums.sum(0) - sums
    prior = train_sums.sum(1, keepdims=True) / np.maximum(1.0, train_count.sum(1, keepdims=True))
    guess = (train_sums + prior) / (train_count + 1.0)
    # sum of (y - guess)² from sums alone: Σy² - 2 Σ guess·y + Σ guess²·count
    squares = float((y**2).sum())
    if squares <= 0:
        return 0.0
    error = squares - 2.0 * float((guess * sums).sum()) + float((guess**2 * count).sum())
    return 1.0 - error / squares
