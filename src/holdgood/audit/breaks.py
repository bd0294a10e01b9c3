"""Breaks in traces: one place at which the level (or the spread) moves for good, far beyond how it moves elsewhere.

The difference between the windows after and before each bin is compared with the same difference at all other bins: slow
trends, seasons and autocorrelation are in both, whatever their shape. A break is also sharp and lasts. Columns that run
together are looked at once more as what the others leave unexplained, where a break stands out of much less noise.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from holdgood.audit.memory import Memory
from holdgood.audit.traces import Traces

Kind = Literal["level", "spread", "relation"]

SMALL = (1, 2, 4)  # windows in bins, on either side
WINDOWS = (0.025, 0.04, 0.07, 0.1)  # windows as shares of the bins
SCORE = 5.0  # robust standard deviations of the differences at other places, for 20 traces
FEW = 35.0  # divided by the number of windows side by side: the fewer there are the worse is known how a trace moves
MORE = {"level": 0.0, "relation": 1.0, "spread": 1.5}
SHARES = 2.0  # more for shares of levels, which come in bursts
SEASONAL_YEARS = 4.0  # of data below which taking out the season eats slow movements: only short windows are fair then
SEASONAL_WINDOW = 0.045
RATIO = 1.5  # to the largest difference anywhere else
ALONE = 2.5  # a peak that is even higher than the rest needs fewer standard deviations
LEVEL_EFFECT = 0.4  # standard deviations of the rows
LEAST_SIZE = 0.25  # of a number, in robust standard deviations of the whole column
LEAST_RELATION = 0.3
LEAST_SHARE = 0.8  # of a level, in standard deviations of its share
SPREAD_EFFECT = math.log(1.6)
SHORT = 3  # windows of fewer bins see single days, so more of the jump must last
LASTS_SHORT = 0.6
LASTS = 0.4  # of the jump that is still there in all windows up to a tenth of the data
SHARP = 0.55  # of the jump that happens within a third of the window
TOGETHER = 0.7  # of a trace's variance that the others explain
SAME = 3  # bins within which a break of a level is why its relations break
RELATED = 40  # most traces that are held against one another


@dataclass(frozen=True)
class Break:
    """A break of one trace: at the start of bin ``at``, by ``size`` (in the trace's units), with its ``score``."""

    kind: Kind
    trace: int
    at: int
    size: float
    effect: float
    score: float
    window: int


_found: Memory[list[Break]] = Memory()


def breaks(t: Traces) -> list[Break]:
    """At most one break a trace: of its level, else of its relation to the others, else of its spread. Remembered."""
    return _found.get(t.table.data, (t.labels, t.edges.tobytes()), lambda: _breaks(t))


def _breaks(t: Traces) -> list[Break]:
    numbers = np.array([level is None for _, level in t.labels])
    filled, known, nothing = fill(t.mean), np.isfinite(t.mean), np.zeros(len(t.labels))
    widest = SEASONAL_WINDOW if t.season.shape[1] and t.years < SEASONAL_YEARS else 1.0
    found = {
        b.trace: b
        for b in _scan("level", _without_season(t, filled), known, t.noise, np.where(numbers, 0.0, SHARES), widest)
        if abs(b.size) >= (LEAST_SIZE if numbers[b.trace] else LEAST_SHARE) and b.effect >= LEVEL_EFFECT
    }
    left = unexplained(filled, numbers, _best_step)
    for b in _scan("relation", left, known, nothing, nothing):
        explained = any(abs(f.at - b.at) <= SAME for f in found.values() if f.kind == "level")
        if b.trace not in found and abs(b.size) >= LEAST_RELATION and not explained:
            found[b.trace] = replace(b, effect=abs(b.size))
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = 0.5 * np.log(np.maximum(t.spread, 0.0025))
    logs[:, ~numbers] = np.nan
    for b in _scan("spread", _without_season(t, fill(logs)), np.isfinite(logs), nothing, nothing, widest):
        if b.trace not in found and abs(b.size) >= SPREAD_EFFECT:
            found[b.trace] = replace(b, effect=abs(b.size))
    return [found[j] for j in sorted(found)]


def fill(values: np.ndarray) -> np.ndarray:
    """Empty bins interpolated; traces with more than a third of them empty are all NaN."""
    out = values.copy()
    place = np.arange(len(out))
    for j in np.flatnonzero(np.isnan(out).any(0)):
        known = ~np.isnan(out[:, j])
        out[:, j] = np.interp(place, place[known], out[known, j]) if known.sum() > 2 / 3 * len(out) else np.nan
    return out


def differences(values: np.ndarray, w: int) -> np.ndarray:
    """(bins - 2w + 1, traces): mean of the w bins from a bin on minus that of the w bins before it; the first is at bin w."""
    sums = np.vstack([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
    return np.asarray((sums[2 * w :] - 2 * sums[w : len(sums) - w] + sums[: len(sums) - 2 * w]) / w)


def _without_season(t: Traces, values: np.ndarray) -> np.ndarray:
    """Values minus the yearly harmonics, fitted together with a line and the step that fits best, so that neither eats the other."""
    season = t.season
    if season.shape[1] == 0:
        return values
    n = len(values)
    good = np.flatnonzero(np.isfinite(values).all(0))
    time = np.linspace(-1.0, 1.0, n)[:, None]
    base, corner = np.linalg.qr(np.hstack([np.ones_like(time), time, season]))
    steps = (np.arange(n)[:, None] >= np.arange(n // 10, n - n // 10)[None, :]).astype(np.float64)
    free = steps - base @ (base.T @ steps)
    v = values[:, good]
    gain = (free.T @ v) ** 2 / np.maximum((free * free).sum(0), 1e-9)[:, None]
    best = np.argmax(gain, axis=0)
    height = (free.T @ v)[best, np.arange(len(good))] / np.maximum((free * free).sum(0), 1e-9)[best]
    weights = np.linalg.solve(corner, base.T @ (v - steps[:, best] * height))
    out = values.copy()
    out[:, good] = v - season @ weights[2:]
    return out


def unexplained(values: np.ndarray, numbers: np.ndarray, shape: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """What a ridge regression on the other traces leaves of each that they explain well; NaN for all others.

    ``shape`` fits the change that is looked for; it is fitted in turn with the relation, so that neither hides the other.
    """
    out = np.full_like(values, np.nan)
    some = np.flatnonzero(numbers & np.isfinite(values).all(0) & (np.ptp(values, axis=0) > 0))
    if not 2 <= len(some) <= min(RELATED, len(values) // 5):
        return out
    z = values[:, some] - values[:, some].mean(0)
    z = z / z.std(0)
    for i, j in enumerate(some):
        others = np.delete(z, i, axis=1)
        others = np.hstack([others, others**2 - 1.0])
        normal = others.T @ others + 0.01 * len(z) * np.eye(others.shape[1])
        change = np.zeros(len(z))
        for _ in range(3):
            left = z[:, i] - others @ np.linalg.solve(normal, others.T @ (z[:, i] - change))
            change = shape(left)
        if (left - change).var() <= (1.0 - TOGETHER) * (z[:, i] - change).var():
            out[:, j] = left * values[:, j].std()
    return out


def _best_step(v: np.ndarray) -> np.ndarray:
    """The two-level function that fits best by least squares."""
    n = len(v)
    at = np.arange(1, n)
    sums = np.cumsum(v)[:-1]
    gain = (sums - at * v.mean()) ** 2 / (at * (n - at))
    edge = int(np.argmax(gain)) + 1
    return np.asarray(np.where(np.arange(n) < edge, v[:edge].mean(), v[edge:].mean()))


def _scan(
    kind: Kind, values: np.ndarray, known: np.ndarray, noise: np.ndarray, more: np.ndarray, widest: float = 1.0
) -> list[Break]:
    n, k = values.shape
    good = np.flatnonzero(np.isfinite(values).all(0))
    good = good[np.ptp(values[:, good], axis=0) > 0] if len(good) else good
    if len(good) == 0:
        return []
    least = SCORE + MORE[kind] + max(0.0, 0.8 * math.log10(max(1, k) / 20)) + more[good]
    best: dict[int, Break] = {}
    sizes = sorted({*SMALL, *(max(3, round(share * n)) for share in WINDOWS if share <= widest)})
    for w in sizes:
        if n < 8 * w:
            continue
        d = differences(values[:, good], w)
        d = d - np.median(d, axis=0)  # a steady slope is in all differences alike
        scale = 1.4826 * np.median(np.abs(d), axis=0)
        bar = least + FEW * w / n
        peak = np.argmax(np.abs(d), axis=0)
        height, rest = _heights(d, peak, w)
        if kind != "spread":
            bar = bar * np.sqrt(np.minimum(1.0, ALONE / np.maximum(height / np.maximum(rest, 1e-9), 1e-9)))
        for c in np.flatnonzero((height > bar * np.maximum(scale, 1e-9)) & (height >= RATIO * rest)):
            j, p = int(good[c]), int(peak[c])
            near = max(2, w // 3)
            if known[max(0, p + w - near) : p + w + near, j].mean() < 0.8:
                continue  # nobody knows what happened there
            size = float(d[p, c])
            place = _confirmed(values[:, j], size, p, w)
            score = abs(size) / max(float(scale[c]), 1e-9)
            if place is not None and (j not in best or score > best[j].score):
                wander = 1.4826 * float(np.median(np.abs(np.diff(values[:, j])))) / math.sqrt(2.0)
                effect = abs(size) / max(math.hypot(float(noise[j]), wander), 1e-9)
                best[j] = Break(kind, j, place, size, effect, score, w)
    return [best[j] for j in sorted(best)]


def _heights(d: np.ndarray, peak: np.ndarray, w: int) -> tuple[np.ndarray, np.ndarray]:
    """Of each column the height of the peak, and the largest other one: beside it only in the other direction (a bump's end)."""
    place = np.arange(d.shape[1])
    sign = np.sign(d[peak, place])
    near = (np.abs(np.arange(len(d))[:, None] - peak[None, :]) <= 2 * w) & (d * sign >= 0)
    heights = np.abs(d)
    return heights[peak, place], np.where(near, 0.0, heights).max(0)


def _confirmed(v: np.ndarray, size: float, peak: int, w: int) -> int | None:
    """The bin of the break where the jump is sharp and lasts."""
    at, n = peak + w, len(v)
    if w > 2:
        third = max(2, w // 3)
        near = range(max(third, at - third), min(n - third, at + third) + 1)
        steps = [float(v[b : b + third].mean() - v[b - third : b].mean()) for b in near]
        jump = max(range(len(steps)), key=lambda i: abs(steps[i]))
        if steps[jump] * size <= 0 or abs(steps[jump]) < SHARP * abs(size):
            return None
        at = near[jump]
    if min(at, n - at) < 0.08 * n:
        return None
    wide, lasts = w, LASTS_SHORT if w < SHORT else LASTS
    while wide <= max(w, 0.1 * n):
        low, high = max(0, at - wide), min(n, at + wide)
        if (float(v[at:high].mean()) - float(v[low:at].mean())) * math.copysign(1.0, size) < lasts * abs(size):
            return None
        wide *= 2
    return at
