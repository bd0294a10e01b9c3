"""Intervals: of a mean, a share, an area under the curve. Rows of a cluster stay together."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from holdgood.core.records import Interval
from holdgood.metrics.quantile import normal_quantile, t_quantile, t_two_sided
from holdgood.metrics.ranking import midranks

LEVEL = 0.95


@dataclass(frozen=True)
class Spread:
    """Standard error of a mean of influences, its degrees of freedom, and their skewness (0 where it is not used)."""

    error: float
    df: float
    skew: float
    units: int

    def interval(self, value: float, level: float) -> tuple[float, float]:
        """Lower and upper end around ``value``; unbounded where one unit tells nothing of the spread."""
        if self.units < 2 or self.df <= 0:
            return -math.inf, math.inf
        t = t_quantile((1 + level) / 2, self.df)
        # The plain and the corrected interval each fall short for some shapes (heavy tails; rare large values): the
        # wider end is taken on each side, which costs little and vanishes as rows grow.
        low, high = max(t, self._inverse(t)), min(-t, self._inverse(-t))
        return value - self.error * low, value - self.error * high

    def p(self, value: float) -> float:
        """Two-sided p-value of a true mean of zero; it agrees with the interval."""
        if self.units < 2 or self.df <= 0:
            return math.nan
        if self.error == 0.0:
            return 1.0 if value == 0.0 else 2.0 ** (1 - self.units)  # every unit on one side: a sign test
        t = value / self.error
        corrected = self._forward(t)
        nearer = min(abs(t), abs(corrected)) if t * corrected > 0 else 0.0
        return t_two_sided(nearer, self.df)

    def _forward(self, t: float) -> float:
        """Hall's cubic transform (1992), which takes the first-order effect of skewness out of a t statistic."""
        if self.skew == 0.0:
            return t
        root = math.sqrt(self.units)
        w, g = t / root, self.skew
        return root * (w + g * w * w / 3.0 + g * g * w**3 / 27.0 + g / (6.0 * self.units))

    def _inverse(self, x: float) -> float:
        if self.skew == 0.0:
            return x
        root = math.sqrt(self.units)
        inner = 1.0 + self.skew * (x / root - self.skew / (6.0 * self.units))
        return root * 3.0 / self.skew * (math.cbrt(inner) - 1.0)


def weighted(rows: np.ndarray, weight: np.ndarray | None) -> np.ndarray:
    """Rows whose plain mean and spread are those of the weighted mean: a ratio, linearised (Woodruff 1971); (n,).

    A difference of two such arrays is that of the weighted difference, so paired tests need nothing else. Only ratios
    of weights matter.
    """
    if weight is None or not len(rows):
        return rows
    scaled = weight / np.mean(weight)
    mean = float(np.mean(scaled * rows))
    found: np.ndarray = mean + scaled * (rows - mean)
    return found


def cluster_codes(clusters: np.ndarray) -> np.ndarray:
    """Clusters as codes 0…g-1 without gaps, in order of content, (n,); whole numbers below n need no sorting."""
    if clusters.dtype.kind in "iu" and len(clusters) and clusters.min() >= 0 and clusters.max() < len(clusters):
        seen = np.bincount(clusters) > 0
        return clusters if seen.all() else (np.cumsum(seen) - 1)[clusters]
    codes: np.ndarray = np.unique(clusters, return_inverse=True)[1]
    return codes


def cluster_sums(rows: np.ndarray, clusters: np.ndarray | None) -> np.ndarray:
    """Sums a cluster, in the order of the cluster codes; the rows themselves without clusters."""
    if clusters is None:
        return rows
    return np.bincount(cluster_codes(clusters), weights=rows)


def spread_of_mean(rows: np.ndarray, clusters: np.ndarray | None = None, blocks: int | None = None) -> Spread:
    """Spread of the mean of ``rows``: independent rows, independent clusters, or units that follow in time.

    Clusters: see ``clustered``. ``blocks``: the length b of a moving block in units (rows, or clusters in code order), 0
    for an automatic one: overlapping batch means with 1.5 (G / b - 1) degrees of freedom (Meketon & Schmeiser 1984) of
    prewhitened units.
    """
    n = len(rows)
    centred = (rows - np.mean(rows)) / n if n else np.zeros(0)
    units = cluster_sums(centred, clusters)
    g = len(units)
    if g < 2:
        return Spread(math.nan, 0.0, 0.0, g)
    scale = float(np.max(np.abs(units)))
    if scale * n <= 1e-14 * float(np.max(np.abs(rows))):
        return Spread(0.0, g - 1.0, 0.0, g)
    units = units / scale
    if blocks is not None:
        error, df = _serial(units, blocks)
        return Spread(scale * error, df, 0.0, g)
    square = float(np.sum(np.square(units)))
    skew = float(np.mean(np.square(units) * units)) / (square / g) ** 1.5
    if clusters is None:
        return Spread(scale * math.sqrt(square * g / (g - 1.0)), g - 1.0, skew, g)
    error, df = clustered(centred, clusters)
    return Spread(error, df, skew, g)


def clustered(influence: np.ndarray, clusters: np.ndarray) -> tuple[float, float]:
    """Standard error of a sum of influences (n,) that add up to zero, and its degrees of freedom; clusters are independent.

    The variance of the cluster sums, each corrected for its share of the rows (CR2, Bell & McCaffrey 2002). Degrees of
    freedom by Satterthwaite's rule for clusters of the sizes that there are, under the correlation of rows within a
    cluster that is seen (Imbens & Kolesar 2016): clusters less one where all are as large, far fewer where few hold most
    rows.
    """
    codes = cluster_codes(clusters)
    sums, rows = np.bincount(codes, weights=influence), np.bincount(codes).astype(np.float64)
    g, n = len(sums), float(len(influence))
    if g < 2:
        return math.nan, 0.0
    error = math.sqrt(float(np.sum(np.square(sums) / (1.0 - rows / n))))
    alone, pairs = float(np.sum(np.square(influence))), float(np.sum(rows * (rows - 1.0)))
    alike = (float(np.sum(np.square(sums))) - alone) / (alone / n * pairs) if pairs > 0 and alone > 0 else 0.0
    spread = rows * (1.0 + (rows - 1.0) * min(max(alike, 0.0), 1.0))
    worth = float(np.sum(spread)) ** 2 / float(np.sum(np.square(spread)))
    return error, worth * (g - 1.0) / g


def _serial(units: np.ndarray, blocks: int) -> tuple[float, float]:
    """Standard error of a sum of units that follow in time, and its degrees of freedom.

    Neighbours that are alike are first made less so (AR(1) prewhitening, Andrews & Monahan 1992, with Kendall's
    correction of the correlation for its bias), which short blocks would otherwise not see.
    """
    g = len(units)
    below = float(np.sum(np.square(units)))
    rho = float(np.sum(units[1:] * units[:-1])) / below
    rho = min(max(rho + (1.0 + 3.0 * rho) / g, 0.0), 0.97)
    fresh = units[1:] - rho * units[:-1]
    fresh = fresh - np.mean(fresh)
    length = min(blocks or math.ceil(g ** (1 / 3)), max(1, g // 4))
    sums = np.convolve(fresh, np.ones(length), mode="valid")
    variance = g / length * float(np.mean(np.square(sums))) * g / (g - length) / (1.0 - rho) ** 2
    return math.sqrt(variance), 1.5 * (g / length - 1.0)


def mean_interval(
    rows: np.ndarray, clusters: np.ndarray | None = None, level: float = LEVEL, *, blocks: int | None = None
) -> Interval:
    """Interval of a mean of losses or of money: Student's t, widened by Hall's correction for skewness; ``n`` are rows.

    ``clusters``: rows that belong together; ``blocks``: see ``spread_of_mean``. For shares of 0/1 rows use ``wilson``.
    """
    if len(rows) == 0:
        return Interval(value=math.nan, low=math.nan, high=math.nan, level=level, n=0, method="no rows")
    value = float(np.mean(rows))
    spread = spread_of_mean(rows, clusters, blocks)
    low, high = spread.interval(value, level)
    method = "all rows alike: no spread to see" if spread.error == 0.0 else how(clusters, blocks, spread.units)
    return Interval(value=value, low=low, high=high, level=level, n=len(rows), method=method)


def how(clusters: np.ndarray | None, blocks: int | None, units: int) -> str:
    """How a spread was found, in words."""
    if blocks is not None:
        return "t, moving blocks of " + ("rows" if clusters is None else f"{units:,} clusters")
    return "t with skewness correction" + ("" if clusters is None else f", {units:,} clusters")


def root_mean_interval(rows: np.ndarray, clusters: np.ndarray | None = None, level: float = LEVEL) -> Interval:
    """Interval of the root of a mean, such as RMSE from squared errors: the roots of the mean's interval."""
    inner = mean_interval(rows, clusters, level)
    value, low, high = (math.sqrt(max(0.0, v)) for v in (inner.value, inner.low, inner.high))
    return inner.model_copy(update={"value": value, "low": low, "high": high})


def wilson(successes: float, n: float, level: float = LEVEL) -> Interval:
    """Wilson's score interval of a share (1927); NaN of no rows.

    >>> i = wilson(9, 10)
    >>> round(i.low, 4), round(i.high, 4)
    (0.5958, 0.9821)
    """
    if n <= 0:
        return Interval(value=math.nan, low=math.nan, high=math.nan, level=level, n=0, method="Wilson")
    z, share = normal_quantile((1 + level) / 2), successes / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    low, high = max(0.0, centre - half), min(1.0, centre + half)
    return Interval(value=share, low=min(low, share), high=max(high, share), level=level, n=round(n), method="Wilson")


def exact_share(hits: int, n: int, level: float = LEVEL) -> Interval:
    """Clopper & Pearson's exact interval of a share (1934); NaN of no rows.

    >>> i = exact_share(90, 100)
    >>> round(i.low, 4), round(i.high, 4)
    (0.8238, 0.951)
    """
    if n == 0:
        return Interval(value=math.nan, low=math.nan, high=math.nan, level=level, n=0, method="exact binomial")
    tail = (1 - level) / 2
    low = _where_tail_is(tail, hits, n) if hits else 0.0
    high = 1.0 - _where_tail_is(tail, n - hits, n) if hits < n else 1.0
    return Interval(value=hits / n, low=low, high=high, level=level, n=n, method="exact binomial")


def _where_tail_is(tail: float, hits: int, n: int) -> float:
    """The chance at which ``hits`` or more of n come with probability ``tail``, by bisection of the binomial tail."""
    log_factorial = np.r_[0.0, np.cumsum(np.log(np.arange(1, n + 1)))]
    i = np.arange(hits, n + 1)
    ways = log_factorial[n] - log_factorial[i] - log_factorial[n - i]
    low, high = 0.0, 1.0
    while high - low > 1e-12:
        p = (low + high) / 2
        reached = float(np.sum(np.exp(ways + i * math.log(p) + (n - i) * math.log1p(-p))))
        low, high = (p, high) if reached < tail else (low, p)
    return (low + high) / 2


def share_interval(
    rows: np.ndarray, clusters: np.ndarray | None = None, level: float = LEVEL, *, weight: np.ndarray | None = None
) -> Interval:
    """Interval of a share of 0/1 rows: Wilson, with as many rows as clusters or weighted rows are worth (Korn & Graubard 1998)."""
    n = len(rows)
    hits = float(np.sum(rows))
    if n == 0 or (clusters is None and weight is None):
        return wilson(hits, n, level)
    counted = weighted(rows, weight)
    share = hits / n if weight is None else float(np.clip(np.mean(counted), 0.0, 1.0))
    spread = spread_of_mean(counted, clusters)
    worth = float(spread.units)
    if math.isfinite(spread.error) and spread.error > 0:
        t, z = t_quantile((1 + level) / 2, spread.df), normal_quantile((1 + level) / 2)
        worth = min(float(n), share * (1 - share) / spread.error**2) * (z / t) ** 2
    found = wilson(share * worth, worth, level)
    what = f"{spread.units:,} clusters" if clusters is not None else "weighted rows"
    return found.model_copy(update={"value": share, "n": n, "method": f"Wilson, {what}"})


def auc_parts(y: np.ndarray, score: np.ndarray) -> tuple[float, np.ndarray]:
    """Area under the ROC curve and each row's influence on it (DeLong 1988); the area is NaN with one class only."""
    positive = y == 1
    m = int(np.count_nonzero(positive))
    n = len(y) - m
    influence = np.zeros(len(y))
    if m == 0 or n == 0:
        return math.nan, influence
    ranks = midranks(score)
    above = (ranks[positive] - midranks(score[positive])) / n
    below = 1.0 - (ranks[~positive] - midranks(score[~positive])) / m
    area = float(np.mean(above))
    influence[positive] = (above - area) / m
    influence[~positive] = (below - area) / n
    return area, influence


def auc_spread(y: np.ndarray, influence: np.ndarray, clusters: np.ndarray | None) -> tuple[float, float]:
    """Standard error and degrees of freedom from influences; clusters as in Obuchowski (1997)."""
    if clusters is not None:
        error, df = clustered(influence, clusters)
        return (0.0, 1.0) if math.isnan(error) else (error, max(df, 1.0))
    sides = [_of_class(influence[side]) for side in (y == 1, y != 1)]
    variance = sides[0][0] + sides[1][0]
    if variance == 0.0:
        return 0.0, max(min(np.count_nonzero(y == 1), np.count_nonzero(y != 1)) - 1.0, 1.0)
    # Welch-Satterthwaite: the smaller class carries the uncertainty
    df = variance**2 / sum(v**2 / d for v, d in sides)
    return math.sqrt(variance), max(df, 1.0)


def _of_class(influence: np.ndarray) -> tuple[float, float]:
    """Variance of the sum of one class's influences, and its degrees of freedom.

    The rows less one where influences are about normal, fewer where few rows carry most, as near a perfect ranking: the
    variance of a sample variance grows with kurtosis less one, which is two for a normal.
    """
    m, squares = len(influence), np.square(influence)
    total = float(np.sum(squares))
    if m < 2 or total == 0.0:
        return total, max(m - 1.0, 1.0)
    kurtosis = m * float(np.sum(np.square(squares / total)))
    return total * m / (m - 1.0), (m - 1.0) * min(1.0, 2.0 / (kurtosis - 1.0)) if kurtosis > 1.0 else m - 1.0


def auc_interval(
    y: np.ndarray, score: np.ndarray, clusters: np.ndarray | None = None, level: float = LEVEL
) -> Interval:
    """Interval of the area under the ROC curve: DeLong's variance on the logit scale (Qin & Hotilovac 2008).

    A perfect or perfectly wrong ranking has no variance; its interval is Wilson's for the smaller class.
    """
    area, influence = auc_parts(y, score)
    if math.isnan(area):
        return Interval(value=area, low=math.nan, high=math.nan, level=level, n=len(y), method="one class only")
    error, df = auc_spread(y, influence, clusters)
    method = "DeLong on the logit scale" + ("" if clusters is None else ", clusters")
    if error == 0.0 or not 0.0 < area < 1.0:
        few = min(int(np.count_nonzero(y == 1)), int(np.count_nonzero(y != 1)))
        ends = wilson(area * few, few, level)
        return ends.model_copy(update={"value": area, "n": len(y), "method": "Wilson, of the smaller class"})
    half = t_quantile((1 + level) / 2, df) * error / (area * (1 - area))
    logit = math.log(area / (1 - area))
    low, high = (1 / (1 + math.exp(-v)) for v in (logit - half, logit + half))
    return Interval(value=area, low=low, high=high, level=level, n=len(y), method=method)


def resample_counts(n: int, clusters: np.ndarray | None, seed: int, n_boot: int) -> Iterator[np.ndarray]:
    """For each draw: how often every row is drawn, (n,) float. Clusters are drawn whole."""
    rng = np.random.default_rng(seed)
    codes = None if clusters is None else cluster_codes(clusters)
    units = n if codes is None else int(codes.max(initial=-1)) + 1
    for _ in range(n_boot):
        counts = np.bincount(rng.integers(0, units, units), minlength=units).astype(np.float64)
        yield counts if codes is None else counts[codes]
