"""The daily profile of a table, and by how many hours it jumps at a day: people and machines keep to a clock.

A column is laid out as days by times of day; the profiles of three weeks before and after a day are compared at every circular
lag. What the lag is at ordinary days tells what a jump is worth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holdgood.audit import columns
from holdgood.audit.profile import profile
from holdgood.audit.sample import sample
from holdgood.audit.timeline import DAY, HOUR, Timeline

WINDOW = 21  # days on either side
LEAST_DAYS = 14
LEAST_CORRELATION = 0.9  # of the two profiles at the best lag
QUIET = 0.8  # share of ordinary days without a jump
COLUMNS = 4
LOOKED_AT = 60  # columns, evenly spaced
SHARE = 0.1  # of a column's variance that its daily profile explains


@dataclass(frozen=True)
class Days:
    """Means by day and time of day, NaN where nothing is known. ``first``: the first day (since the epoch); ``slot``: its length."""

    name: str
    values: np.ndarray
    first: int
    slot: int

    def lag(self, day: int) -> float | None:
        """Hours by which the profile comes later from a day (since the epoch) on; None where it cannot be told."""
        d = day - self.first
        before, after = self._profile(max(0, d - WINDOW), d), self._profile(d, d + WINDOW)
        if before is None or after is None:
            return None
        n = len(before)
        fits = np.array([float(np.dot(np.roll(before, k), after)) for k in range(n)]) / n
        k = int(np.argmax(fits))
        if fits[k] < LEAST_CORRELATION:
            return None
        return (k if k <= n // 2 else k - n) * self.slot / HOUR

    def _profile(self, low: int, high: int) -> np.ndarray | None:
        part = self.values[low:high]
        if len(part) < LEAST_DAYS:
            return None
        there = ~np.isnan(part)
        if (there.sum(0) < LEAST_DAYS // 2).any():
            return None
        mean = np.where(there, part, 0.0).sum(0) / there.sum(0)
        spread = mean.std()
        return None if spread == 0 else (mean - mean.mean()) / spread

    def quiet(self, busy: list[int]) -> bool:
        """At most ordinary days, four weeks from the busy ones, the profile does not jump."""
        days = np.arange(self.first + LEAST_DAYS, self.first + len(self.values) - LEAST_DAYS, 7)
        lags = [self.lag(int(d)) for d in days if all(abs(int(d) - b) > WINDOW + 7 for b in busy)]
        known = [g for g in lags if g is not None]
        return len(known) >= 4 and sum(g == 0 for g in known) >= QUIET * len(known)


def daily(line: Timeline) -> list[Days]:
    """Number columns with a strong daily profile, strongest first; for events, how many there are."""
    if line.months or (line.step and (line.step > HOUR or HOUR % line.step)):
        return []
    rows = sample(line.table)
    rows = rows[line.there[rows]]
    if len(rows) < 24 * 2 * LEAST_DAYS:
        return []
    at = line.at[rows]
    slot = max(int(line.step), HOUR // 2) if line.step else HOUR
    first, n = int(at.min() // DAY), int(at.max() // DAY - at.min() // DAY) + 1
    slots = DAY // slot
    if n < 2 * LEAST_DAYS or n * slots > 20_000_000:
        return []
    cell = (at // DAY - first) * slots + (at % DAY) // slot
    counts = np.bincount(cell, minlength=n * slots).reshape(n, slots)
    if not line.step:
        return [Days("", counts.astype(np.float64), first, slot)]
    out = []
    usable = [  # more values than a clock has hours
        c
        for c in profile(line.table).columns
        if columns.is_numeric(line.table, c.name) and c.distinct > 25 and c.missing <= 0.5 * c.rows
    ]
    for c in usable[:: max(1, -(-len(usable) // LOOKED_AT))]:
        values = columns.numbers(line.table, c.name)[rows]
        good = np.isfinite(values)
        if len(c.quantiles):
            values = np.clip(values, c.quantiles[0], c.quantiles[-1])
        spread = float(values[good].var())
        if spread == 0:
            continue
        here = np.bincount(cell[good], minlength=n * slots)
        total = np.bincount(cell[good], weights=values[good], minlength=n * slots)
        with np.errstate(invalid="ignore"):
            means = np.where(here > 0, total / np.maximum(here, 1), np.nan).reshape(n, slots)
        by_slot = here.reshape(n, slots).sum(0)
        typical = np.where(by_slot > 0, total.reshape(n, slots).sum(0) / np.maximum(by_slot, 1), np.nan)
        share = float(np.nanvar(typical)) / spread
        if share >= SHARE:
            out.append((share, Days(c.name, means, first, slot)))
    return [d for _, d in sorted(out, key=lambda s: -s[0])[:COLUMNS]]


def sibling_lags(line: Timeline, ticks: np.ndarray, codes: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Hours by which each series runs behind the mean of the others (NaN: they do not move alike).

    ``ticks``, ``codes`` and ``values``: one an entry of the grid. Changes from moment to moment are correlated at every
    lag of up to 14 hours; a lag counts where it fits clearly better than none.
    """
    step = int(line.step)
    place = (ticks - ticks.min()) // step
    wide = np.full((int(place.max()) + 1, line.count), np.nan)
    wide[place, codes] = values
    moves = np.diff(wide, axis=0)
    known = ~np.isnan(moves)
    spread = np.nanstd(np.where(known, moves, np.nan), axis=0)
    moves = np.where(known, np.clip(moves / np.where(spread > 0, spread, 1.0), -4, 4), 0.0)
    total, there = moves.sum(1), known.sum(1)
    most = 14 * HOUR // step
    out = np.full(line.count, np.nan)
    for i in range(line.count):
        others = (total - moves[:, i]) / np.maximum(there - known[:, i], 1)
        fits = np.array([_correlation(moves[:, i], others, k) for k in range(-most, most + 1)])
        best = int(np.argmax(fits))
        if fits[best] >= 0.3:
            out[i] = 0.0 if fits[best] < 1.2 * fits[most] + 0.05 else (best - most) * step / HOUR
    return out


def _correlation(one: np.ndarray, other: np.ndarray, lag: int) -> float:
    """Correlation of ``one`` with ``other`` as it was ``lag`` moments before."""
    a = one[lag:] if lag >= 0 else one[:lag]
    b = other[: len(other) - lag] if lag >= 0 else other[-lag:]
    if len(a) < 100 or a.std() == 0 or b.std() == 0:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])
