"""Numbers that stand for missing: a code such as -999 that lies apart from all others, or comes far more often than its neighbours.

Honest columns have round values, caps and heavy tails. So a code is judged against its own column: by the gap to the nearest other
value, and by how much more often it comes than its neighbours, compared with the most heaped of all other values.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holdgood.audit import columns
from holdgood.audit.found import number
from holdgood.audit.profile import QUANTILES
from holdgood.audit.sample import sample
from holdgood.core.records.profile import ColumnProfile
from holdgood.core.table import Table

_NINES = [float("9" * n) for n in range(2, 13)]
_MAJOR = [
    *_NINES,
    *(float("9" * n + ".9") for n in range(1, 6)),
    *(float("9" * n + ".99") for n in range(1, 6)),
    *(float(f"1e{n}") for n in (20, 30, 36, 37, 38)),
    9.969209968386869e36,  # the fill value of netCDF
    float(np.finfo(np.float32).max),
    float(np.finfo(np.float64).max),
    *(float(m) for m in (32767, 32768, 65535, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**63)),
]
_MINOR = [
    *(float(f"1e{n}") for n in range(3, 10)),
    *(float(str(d) * n) for d in range(1, 9) for n in range(2, 7)),
    *(float(m) for m in (97, 98, 100, 997, 998, 9997, 9998, 99997, 99998, 12345, 123456)),
]
MAJOR = np.array(sorted({*_MAJOR, *(-v for v in _MAJOR), -9.0}))
CODES = np.array(sorted({*MAJOR.tolist(), *_MINOR, *(-v for v in _MINOR), -1.0, 9.0}))
LEAST = 3
NEIGHBOURS = 10
SPIKE = 10.0
SPIKE_CERTAIN = 20.0
HEAPED = 3.0
SPIKE_SHARE = 0.002


@dataclass(frozen=True)
class Code:
    """A value, how often it comes, the nearest other value, whether it is beyond doubt, and the reason in words."""

    value: float
    rows: int
    next: float
    certain: bool
    why: str


def codes_for_missing(table: Table, c: ColumnProfile) -> list[Code]:
    """The codes of one column of numbers, outermost first. Looks at the ends and the sample; counts all rows of suspects only."""
    if c.distinct < 3 or not c.quantiles or not _suspect(table, c):
        return []
    values = columns.numbers(table, c.name)
    distinct, counts = np.unique(values[np.isfinite(values)], return_counts=True)
    is_code = np.isin(distinct, CODES)
    ends = np.zeros(len(distinct), dtype=bool)
    ends[[0, -1]] = True
    rest, weights = distinct[~is_code], counts[~is_code]
    out = []
    for at in np.flatnonzero(is_code & (counts >= LEAST)):
        hit = _judge(float(distinct[at]), int(counts[at]), rest, weights)
        if hit is not None:
            out.append(hit)
    for at in np.flatnonzero(ends & ~is_code & (distinct != 0) & (counts >= max(5, 0.0005 * c.rows))):
        others = np.arange(len(distinct)) != at
        hit = _any_value(float(distinct[at]), int(counts[at]), distinct[others & ~is_code], counts[others & ~is_code])
        if hit is not None:
            out.append(hit)
    return sorted(out, key=lambda code: -abs(code.value))


def _suspect(table: Table, c: ColumnProfile) -> bool:
    """A code at an end, a repeated value far out, or a code within the sample that is frequent there."""
    if c.low in CODES or c.high in CODES:
        return True
    q = dict(zip(QUANTILES, c.quantiles, strict=True))
    middle = q[0.75] - q[0.25]
    if middle > 0 and (
        (c.high == q[0.999] and c.high - q[0.75] > 10 * middle) or (c.low == q[0.001] and q[0.25] - c.low > 10 * middle)
    ):
        return True
    seen = columns.numbers(table, c.name)[sample(table)]
    at = np.minimum(np.searchsorted(CODES, seen), len(CODES) - 1)
    hits = np.bincount(at[CODES[at] == seen], minlength=len(CODES))
    return bool(hits.max(initial=0) >= max(5, SPIKE_SHARE * len(seen)))


def _judge(value: float, k: int, rest: np.ndarray, weights: np.ndarray) -> Code | None:
    """Is a code of the list one here? ``rest``: the distinct values that are no codes, ``weights``: their rows."""
    if len(rest) < 2:
        return None
    low, high = float(rest[0]), float(rest[-1])
    major = bool(np.isin(value, MAJOR))
    if low <= value <= high:
        return _spike(value, k, rest, weights) if major else None
    below = value < low
    nearest = low if below else high
    gap = abs(value - nearest)
    reached = np.cumsum(weights) / weights.sum()
    q01, q50, q99 = (float(rest[min(len(rest) - 1, int(np.searchsorted(reached, p)))]) for p in (0.01, 0.5, 0.99))
    tail = int((weights[:20] if below else weights[-20:]).max())
    why = f"and nothing between {number(min(value, nearest))} and {number(max(value, nearest))}"
    if len(rest) <= 12:  # a scale such as 1 to 5
        wide = gap >= 2 * max(high - low, 1.0) if abs(value) >= 97 else gap >= 5 * max(high - low, 1.0)
        sure = abs(value) >= 97
        return Code(value, k, nearest, sure, why) if wide and value != -1 and k >= LEAST else None
    span = q99 - q01 if q99 > q01 else high - low
    if below and value < 0 <= low:
        return _negative(value, k, nearest, span, rest, k >= 0.005 * weights.sum(), why)
    if not major:
        apart = gap >= span and gap >= 0.5 * abs(nearest - q50) and k >= 5 and k >= 3 * tail
        return Code(value, k, nearest, True, why) if apart else None
    light = abs(nearest - q50) <= 2 * span  # with a heavy tail the next step may be a wide one: a cap such as 99,999
    if gap >= 0.5 * span and gap >= 0.25 * abs(nearest - q50):
        return Code(value, k, nearest, light or gap >= 2 * abs(nearest - q50), why)
    if gap >= 0.2 * span and k >= 5 and k >= 3 * tail:
        return Code(value, k, nearest, light, why)
    if gap >= 0.1 * span and k >= 10 and k >= 5 * tail:
        return Code(value, k, nearest, False, why)
    # a cap piles up right beside the values below it
    step = float(np.median(np.diff(rest[:20] if below else rest[-20:])))
    return _spike(value, k, rest, weights) if gap >= max(3 * step, 0.02 * span) else None


def _negative(value: float, k: int, nearest: float, span: float, rest: np.ndarray, many: bool, why: str) -> Code | None:
    """A negative code where all else is positive. -1 beside 0 may be an honest difference."""
    whole = bool((rest == np.floor(rest)).all())
    if value <= -9 and (nearest - value >= 0.05 * span or not whole or k >= 5):
        return Code(value, k, nearest, True, why)
    if value == -1 and (nearest - value >= 0.1 * span or (not whole and k >= 5)):
        return Code(value, k, nearest, True, why)
    honest = value == -1 and (len(rest) <= 20 or rest[-1] < 50 or not many)
    return None if honest or k < 5 else Code(value, k, nearest, False, why)


def _spike(value: float, k: int, rest: np.ndarray, weights: np.ndarray) -> Code | None:
    """Amid others: far more frequent than its neighbours, and much more so than any other value of the column."""
    total = int(weights.sum()) + k
    if len(rest) < 4 * NEIGHBOURS or k < max(5, SPIKE_SHARE * total):
        return None
    usual = _around(weights)
    at = int(np.searchsorted(rest, value))
    beside = weights[max(0, at - NEIGHBOURS) : at + NEIGHBOURS]
    ratio = k / max(float(beside.mean()), 1.0)
    heaped = float((weights / np.maximum(usual, 1.0)).max())
    if ratio < SPIKE or ratio < HEAPED * heaped:
        return None
    nearest = float(rest[min(at, len(rest) - 1)])
    why = f"{ratio:,.0f} times as often as the values beside it"
    return Code(value, k, nearest, ratio >= SPIKE_CERTAIN, why)


def _around(weights: np.ndarray) -> np.ndarray:
    """The mean of up to ten neighbours on either side of each."""
    total = np.concatenate([[0.0], np.cumsum(weights, dtype=np.float64)])
    at = np.arange(len(weights))
    first, end = np.maximum(at - NEIGHBOURS, 0), np.minimum(at + NEIGHBOURS + 1, len(weights))
    mean: np.ndarray = (total[end] - total[first] - weights) / np.maximum(end - first - 1, 1)
    return mean


def _any_value(value: float, k: int, rest: np.ndarray, weights: np.ndarray) -> Code | None:
    """Any repeated value that lies three times the whole range of the others beyond them."""
    if len(rest) < 20:
        return None
    low, high = float(rest[0]), float(rest[-1])
    nearest = low if value < low else high
    apart = abs(value - nearest) >= 3 * (high - low)
    tail = int((weights[:20] if value < low else weights[-20:]).max())
    if not apart or k < 5 * tail:
        return None
    why = f"and nothing between {number(min(value, nearest))} and {number(max(value, nearest))}"
    return Code(value, k, nearest, True, why)
