"""Zeros where none can be: apart from all other values, which are positive, and explained by no other column.

An honest zero means "none" and has company: a garage of no area has no cars and no year. So zeros that go with a level, a zero or
a missing cell of another column are left alone, unless all other values lie far away from zero, as years or kelvins do.
"""

from __future__ import annotations

import numpy as np

from holdgood.audit import columns
from holdgood.audit.chance import chi2_of_table
from holdgood.audit.profile import QUANTILES, profile
from holdgood.audit.sample import sample
from holdgood.core.records.profile import ColumnProfile
from holdgood.core.table import Table

LEAST = 3
DISTINCT = 3
LARGEST_SHARE = 0.2
AWAY = 0.5
AWAY_SHARE = 0.05
TIMES = 2.5
HEAP = 5
BESIDE = 0.4
RISING = 0.02
THIN = 0.2
JUMP = 2
LEVEL = 1e-5
FEWEST = 1.0
EXPLAINERS = 200
LEVELS = 30


def impossible_zeros(table: Table) -> list[tuple[str, int]]:
    """Columns of numbers in which zeros are hard to believe, with their rows, in the table's order."""
    described = profile(table).columns
    rows = sample(table)
    suspects: dict[str, tuple[np.ndarray, bool]] = {}
    for c in described:
        if columns.is_numeric(table, c.name) and _may_be(c):
            seen = columns.numbers(table, c.name)[rows]
            verdict = _apart(seen)
            if verdict is not None:
                suspects[c.name] = (seen == 0, verdict)
    if not suspects:
        return []
    doubtful = [name for name, (_, far) in suspects.items() if not far]
    masks = _explaining(table, described, rows, suspects) if doubtful else []
    out = []
    for name, (zero, far) in suspects.items():
        if far or not _explained(zero, masks):
            count = int((columns.numbers(table, name) == 0).sum())
            if count >= LEAST:
                out.append((name, count))
    return out


def _may_be(c: ColumnProfile) -> bool:
    return c.low == 0 and c.distinct > DISTINCT and bool(c.quantiles) and c.quantiles[QUANTILES.index(0.25)] > 0


def _apart(seen: np.ndarray) -> bool | None:
    """None: zeros are honest here; True: all other values are far from zero; False: apart from others, but near them."""
    seen = seen[np.isfinite(seen)]
    zeros, rest = int((seen == 0).sum()), seen[seen > 0]
    if zeros < LEAST or len(rest) < 50 or zeros > LARGEST_SHARE * len(seen):
        return None
    tenth, middle = (float(q) for q in np.quantile(rest, [0.1, 0.5]))
    distinct, counts = np.unique(rest, return_counts=True)
    step = float(np.median(np.diff(distinct[: LEAST * 4]))) if len(distinct) > 1 else tenth
    if tenth < 8 * step and distinct[0] <= 2 * step:
        return _jump(zeros, counts)  # counts and rounded values, for which zero is the next smaller one
    away = min(float(np.quantile(rest, 0.002)), tenth) >= AWAY * middle or float(distinct[0]) >= AWAY * middle
    if away and zeros <= AWAY_SHARE * len(seen):
        return True
    near = counts[distinct < tenth / 4]
    inside = int(near.sum())
    if inside > RISING * len(rest):
        return None  # even density down to zero, as rain and waiting times have it
    spike = zeros >= LEAST + TIMES * inside or zeros >= max(4 * LEAST, BESIDE * inside, HEAP * int(near.max(initial=0)))
    return False if away or spike else None


def _jump(zeros: int, counts: np.ndarray) -> bool | None:
    """False where the smallest values thin out towards zero, and zero itself is frequent again; None: it fits in."""
    lowest = int(counts[: 2 if len(counts) > 50 else 1].max())
    return False if lowest <= THIN * int(counts.max()) and zeros >= max(2 * LEAST, JUMP * lowest) else None


def _explaining(
    table: Table, described: tuple[ColumnProfile, ...], rows: np.ndarray, suspects: dict[str, tuple[np.ndarray, bool]]
) -> list[np.ndarray]:
    """Codes a sampled row of what may explain a zero: levels, zeros and missing cells of the other columns."""
    out: list[np.ndarray] = []
    for c in described:
        if len(out) >= EXPLAINERS:
            break
        if c.name in suspects:
            continue
        gone = columns.missing(table, c.name)[rows]
        numeric = columns.is_numeric(table, c.name)
        if c.distinct <= LEVELS and not columns.is_moment(table, c.name):
            codes, _ = columns.codes(table, c.name)
            out.append(codes[rows] + 1)
        elif numeric:
            seen = columns.numbers(table, c.name)[rows]
            edges = np.unique(np.nanquantile(seen, [0.1, 0.25, 0.5, 0.75, 0.9])) if not gone.all() else np.empty(0)
            out.append(np.where(gone, 0, np.where(seen == 0, 1, 2 + np.searchsorted(edges, seen))))
        elif c.missing:
            out.append(gone.astype(np.int64))
    return out


def _explained(zero: np.ndarray, masks: list[np.ndarray]) -> bool:
    """Whether zeros depend on another column: chi-squared, at a level corrected for the columns looked at."""
    for codes in masks:
        n = int(codes.max(initial=0)) + 1
        table = np.stack([np.bincount(codes[zero], minlength=n), np.bincount(codes[~zero], minlength=n)])
        rare = table.sum(0) * zero.mean() < FEWEST  # the test's approximation needs some expected cells
        if rare.any():
            table = np.column_stack([table[:, ~rare], table[:, rare].sum(1)])
        p, _ = chi2_of_table(table)
        if p < LEVEL / len(masks):
            return True
    return False
