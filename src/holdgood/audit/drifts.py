"""Drifts in traces: the second half of the time leaves, bit by bit, all that the first half knew.

The first half says how a trace wanders by itself. A drift ends far outside of that, gets there steadily, begins about halfway and
is no straight line over all of the time (growth and inflation are trends, not drifts). Of about two years or less a season cannot
be told from a drift; there only traces count that did not wander at all in the first half, or that leave what the other columns
and a yearly wave say (beside_the_year.py).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from holdgood.audit.beside_the_year import beside_the_year
from holdgood.audit.breaks import Break, fill, unexplained
from holdgood.audit.traces import YEARS, Traces

BLOCKS = 16
FAR = 3.5  # standard deviations of the first half's blocks from its mean to the drift's end
EFFECT = 0.3  # standard deviations of the rows
VERY_FAR = 10.0  # the same where a season cannot be told
BENT = 3.5  # t value of the bend at the middle, for 20 traces
STILL = 2.0  # the same where the first half shows sampling errors only: there a bend needs to be told from a straight line alone
BESIDE = 6.5  # t value of the bend beside the other columns and a yearly wave
WAVELESS = 1.0  # more of the bend there, whose t value takes the wave for known
RELATION = 1.5  # more of it for what the other columns leave unexplained
ALIKE = 0.6  # correlation from which traces are named as partners
PARTNERS = 3
APART = 0.5  # standard deviations of the column that two columns must come apart
EARLY = 0.35  # of the way that the first half may have gone already
STEADY = 0.6  # rank correlation with time in the second half
WANDER = 2.0  # blocks' standard deviation in sampling errors, above which a trace moves by itself


@dataclass(frozen=True)
class Drift:
    """A drift of one trace by ``size`` (its units) at the end of the time, ``effect`` in standard deviations of the rows.

    ``partners``: the traces that it drifts away from, where it is seen against others only; which of them drifts is open.
    """

    trace: int
    size: float
    effect: float
    bend: float
    partners: tuple[int, ...] = ()


def drifts(t: Traces, broken: list[Break]) -> list[Drift]:
    """Drifting traces, largest effect first; those that broke at one moment are left out."""
    filled, numbers = fill(t.mean), np.array([level is None for _, level in t.labels])
    values, related = _blocks(_without_season(t, filled)), _blocks(unexplained(filled, numbers, _bend))
    waveless, surely = beside_the_year(t, filled, numbers, BLOCKS)
    waveless = _blocks(waveless)
    gone = {t.labels[b.trace][0] for b in broken if b.kind != "spread"}
    bar = BENT + max(0.0, 0.8 * math.log10(max(1, len(t.labels)) / 20))
    rows = float(t.count.sum()) / BLOCKS
    out = []
    for j, label in enumerate(t.labels):
        if label[0] in gone:
            continue
        found = _drift(values[:, j], t, j, bar, rows, by_season=True) if np.isfinite(values[:, j]).all() else None
        if found is None and np.isfinite(related[:, j]).all():
            found = _apart(_drift(related[:, j], t, j, bar + RELATION, rows, by_season=False), filled, numbers)
        if found is None and surely[j] >= BESIDE:
            found = _apart(_drift(waveless[:, j], t, j, bar + WAVELESS, rows, by_season=False), filled, numbers)
        if found is not None:
            out.append(found)
    return sorted(out, key=lambda d: (-d.effect, d.trace))


def _apart(found: Drift | None, filled: np.ndarray, numbers: np.ndarray) -> Drift | None:
    """A drift from what others say with those that it leaves, where it goes far enough."""
    if found is None or abs(found.size) < APART:
        return None
    return replace(found, partners=_nearest(filled, numbers, found.trace))


def _nearest(values: np.ndarray, numbers: np.ndarray, j: int) -> tuple[int, ...]:
    """The number traces that run most alike: at least one."""
    some = [
        int(i) for i in np.flatnonzero(numbers & np.isfinite(values).all(0) & (np.ptp(values, axis=0) > 0)) if i != j
    ]
    alike = {i: abs(float(np.corrcoef(values[:, i], values[:, j])[0, 1])) for i in some}
    ranked = sorted(some, key=lambda i: (-alike[i], i))[:PARTNERS]
    return tuple(i for n, i in enumerate(ranked) if n == 0 or alike[i] >= ALIKE)


def _without_season(t: Traces, values: np.ndarray) -> np.ndarray:
    """Values minus the yearly harmonics, fitted together with a line and a bend at the middle."""
    season, n = t.season, len(values)
    if season.shape[1] == 0:
        return values
    time = np.linspace(-1.0, 1.0, n)[:, None]
    design = np.hstack([np.ones_like(time), time, np.maximum(time, 0.0), season])
    good = np.isfinite(values).all(0)
    weights = np.linalg.lstsq(design, np.where(good, values, 0.0), rcond=None)[0]
    return np.asarray(values - season @ weights[3:])


def _bend(v: np.ndarray) -> np.ndarray:
    """The bend at the middle that fits best, beside a constant."""
    ramp = np.maximum(np.linspace(-1.0, 1.0, len(v)), 0.0)
    centred = ramp - ramp.mean()
    return np.asarray(centred * (centred @ v) / (centred @ centred))


def _blocks(values: np.ndarray) -> np.ndarray:
    """(blocks, traces) means."""
    edges = np.linspace(0, len(values), BLOCKS + 1).round().astype(int)
    return np.asarray(np.add.reduceat(values, edges[:-1], axis=0) / np.diff(edges)[:, None])


def _drift(v: np.ndarray, t: Traces, j: int, bar: float, rows: float, *, by_season: bool) -> Drift | None:
    half = len(v) // 2
    first, second = v[:half], v[half:]
    error = float(t.noise[j]) / math.sqrt(max(rows, 1.0)) if np.isfinite(t.noise[j]) else 0.0
    wander = max(float(first.std(ddof=1)), error)
    size = float(second[-2:].mean() - first.mean())
    noise = max(float(t.noise[j]), wander, 1e-9)
    if abs(size) < FAR * wander or abs(size) < EFFECT * noise:
        return None
    still = by_season and wander <= WANDER * max(error, 1e-9)
    if by_season and 0 < t.years < YEARS and not still and abs(size) < VERY_FAR * wander:
        return None
    bar -= BENT - STILL if still else 0.0
    rank = np.argsort(np.argsort(second))
    if np.corrcoef(rank, np.arange(half))[0, 1] * math.copysign(1.0, size) < STEADY:
        return None
    time = np.linspace(-1.0, 1.0, len(v))
    design = np.stack([np.ones_like(time), time, np.maximum(time, 0.0)], axis=1)
    weights, *_ = np.linalg.lstsq(design, v, rcond=None)
    left = v - design @ weights
    sd = max(math.sqrt(float((left**2).sum()) / (len(v) - 3)), error, 1e-9)
    bend = float(weights[2]) / (sd * math.sqrt(np.linalg.inv(design.T @ design)[2, 2]))
    if bend * size <= 0 or abs(bend) < bar or abs(float(weights[1])) > EARLY * abs(size):
        return None
    return Drift(j, size, abs(size) / noise, abs(bend))
