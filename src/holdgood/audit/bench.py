"""The numbers of a table's sample, each column on the scale that suits it, ready to be compared with each other.

A column of one sign is looked at in logarithms, because units and slips of digits multiply; others are taken plainly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from holdgood.audit import columns
from holdgood.audit.clock import Clock, clock
from holdgood.audit.memory import Memory
from holdgood.audit.profile import QUANTILES, profile
from holdgood.audit.rows import row_hashes
from holdgood.audit.sample import sample
from holdgood.core.protocols import AuditContext
from holdgood.core.records.profile import ColumnProfile
from holdgood.core.table import Table

ROWS = 20_000
LEAST_ROWS = 100
CLIP = 5.0
CORRELATED = 0.1
PREDICTORS = 8
_KNOTS = (-1.0, 0.0, 1.0)
_PARTIAL = 300
_DAY = 86_400e6
_YEAR = 365.25 * _DAY


@dataclass(frozen=True)
class Scale:
    """How a column is looked at: in logarithms or plainly, centred by its median and scaled by its middle half.

    ``sign`` is the sign of a column looked at in logarithms; cells of the other sign, and zeros, have none.
    """

    name: str
    log: bool
    sign: float
    center: float
    width: float

    def of(self, values: np.ndarray) -> np.ndarray:
        """The values on the scale, NaN where they have none."""
        if not self.log:
            return np.where(np.isfinite(values), values, np.nan)
        with np.errstate(divide="ignore", invalid="ignore"):
            signed = self.sign * values
            return np.where(np.isfinite(values) & (signed > 0), np.log(signed), np.nan)

    def clipped(self, values: np.ndarray) -> np.ndarray:
        """Centred, scaled and clipped; 0 for missing."""
        z = (self.of(values) - self.center) / self.width
        return np.nan_to_num(np.clip(z, -CLIP, CLIP), nan=0.0)


@dataclass(frozen=True)
class Bench:
    """The numbers of a table's sample, ready to be compared."""

    table: Table
    rows: np.ndarray
    scales: tuple[Scale, ...]
    values: tuple[np.ndarray, ...]
    z: np.ndarray
    near: np.ndarray
    season: np.ndarray
    clock: Clock | None


_benches: Memory[Bench | None] = Memory()


def bench(context: AuditContext, table: Table) -> Bench | None:
    """The sample of a table's numbers on their scales; None where there is too little to compare. Remembered."""
    spec = context.spec(table.name)
    return _benches.get(table.data, ("bench", spec.time or "", tuple(spec.series)), lambda: _bench(context, table))


def _bench(context: AuditContext, table: Table) -> Bench | None:
    if table.rows < LEAST_ROWS:
        return None
    described = [c for c in profile(table).columns if columns.is_numeric(table, c.name)]
    rows = sample(table, ROWS)
    some = Table(table.name, table.data.take(pa.array(rows)), table.columns)
    # in the order of content, so that nothing that follows depends on the order in which rows came
    order = np.argsort(row_hashes(some, some.names), kind="stable")
    rows = rows[order]
    scales, values = [], []
    for c in described:
        cells = columns.numbers(some, c.name)[order]
        scale = _scale(c, cells)
        if scale is not None:
            scales.append(scale)
            values.append(cells)
    if not scales:
        return None
    z = np.empty((len(scales), len(rows)), dtype=np.float32)
    for i, (s, v) in enumerate(zip(scales, values, strict=True)):
        z[i] = s.clipped(v)
    ticking = clock(context, table)
    return Bench(table, rows, tuple(scales), tuple(values), z, nearness(z), season_of(ticking, table, rows), ticking)


def _scale(c: ColumnProfile, cells: np.ndarray) -> Scale | None:
    """None for columns that hardly vary or are mostly missing. Zeros among amounts have no logarithm and are left out."""
    present = c.rows - c.missing - c.infinite
    if c.distinct < 3 or present < max(LEAST_ROWS, 0.3 * c.rows) or not c.sd > 0:
        return None
    q = dict(zip(QUANTILES, c.quantiles, strict=True))
    sign = 1.0 if q[0.01] >= 0 and q[0.99] > 0 else -1.0 if q[0.99] <= 0 and q[0.01] < 0 else 0.0
    if sign:
        quarters = np.array([q[0.25], q[0.5], q[0.75]]) * sign
        if quarters.min() <= 0:
            with np.errstate(invalid="ignore"):
                amounts = np.abs(cells[np.isfinite(cells) & (sign * cells > 0)])
            quarters = np.quantile(amounts, (0.25, 0.5, 0.75)) if len(amounts) >= LEAST_ROWS else quarters
        if quarters.min() > 0:
            low, mid, high = np.sort(np.log(quarters))
            if high > low:
                return Scale(c.name, True, sign, float(mid), float(high - low) / 1.349)
    width = (q[0.75] - q[0.25]) / 1.349 or (q[0.95] - q[0.05]) / 3.29 or c.sd
    return Scale(c.name, False, 0.0, q[0.5], float(width))


def nearness(z: np.ndarray) -> np.ndarray:
    """Correlations of the clipped columns, plain or partial, whichever is more; 0 on the diagonal. Wide tables: plain, on some rows."""
    some = z[:, : 2_000 if len(z) > 300 else z.shape[1]]
    centred = some - some.mean(axis=1, keepdims=True)
    length = np.sqrt((centred**2).sum(axis=1, keepdims=True))
    unit = centred / np.where(length > 0, length, 1.0)
    together: np.ndarray = (unit @ unit.T).astype(np.float64)
    if len(z) <= _PARTIAL:
        # what goes along with a column only beside a third one: half of x and y in z, for example
        inverse = np.linalg.inv(together + 1e-4 * np.eye(len(z)))
        scale = np.sqrt(np.diag(inverse))
        partial = -inverse / np.outer(scale, scale)
        together = np.where(np.abs(partial) > np.abs(together), partial, together)
    np.fill_diagonal(together, 0.0)
    return together


def season_of(ticking: Clock | None, table: Table, rows: np.ndarray) -> np.ndarray:
    """Waves of the day and of the year, one row a wave."""
    if ticking is None:
        return np.empty((0, len(rows)))
    when = np.full(table.rows, np.nan)
    when[ticking.order] = ticking.moments
    return waves(when[rows], ticking)


def waves(moments: np.ndarray, ticking: Clock) -> np.ndarray:
    """Sines and cosines of the day and the year, twice each, where the clock is fine and long enough; 0 where no moment is."""
    span = float(ticking.moments.max() - ticking.moments.min())
    out = []
    for period in (_DAY, _YEAR):
        if ticking.step <= period / 4 and span >= 1.5 * period:  # one turn of a wave could be anything
            for k in (1, 2):
                turn = 2 * np.pi * k * (moments % period) / period
                out += [np.sin(turn), np.cos(turn)]
    made: np.ndarray = np.nan_to_num(np.array(out).reshape(-1, len(moments)))
    return made


def basis(z: np.ndarray) -> np.ndarray:
    """Broken lines through each of the rows of ``z`` (k, n): (n, 4k + 1) with the constant last."""
    parts = [z, *(np.maximum(z - k, 0.0) for k in _KNOTS)]
    return np.concatenate([*parts, np.ones((1, z.shape[1]))]).T
