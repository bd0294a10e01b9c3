"""The largest gap between groups, with an interval that holds for all pairs at once."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from holdgood.core.records import Gap, Interval
from holdgood.fairness.measures import Ratio
from holdgood.metrics.quantile import normal_quantile

DRAWS = 2000

FEWEST_CLUSTERS = 8
"""A group whose rows are worth fewer clusters than this is not compared: its spread cannot be known."""


@dataclass(frozen=True, eq=False)
class Table:
    """Tops and bottoms summed by group, (groups,), and the covariance of the groups' ratios, (groups, groups).

    ``bottoms`` of shares are counts. ``units``, (groups,): the independent units behind each group's ratio.
    """

    tops: np.ndarray
    bottoms: np.ndarray
    covariance: np.ndarray
    units: np.ndarray


def clusters_worth(bottom: np.ndarray, codes: np.ndarray, groups: int, clusters: np.ndarray) -> np.ndarray:
    """How many clusters of equal size each group's rows are worth, (groups,): (sum of sizes)² / sum of squared sizes.

    One large cluster beside many small ones tells little more than one does (Carter, Schnepel & Steigerwald 2017).
    ``bottom`` (n,) weighs the rows; rows of a negative code belong to no group; a group without weight is worth 0.
    """
    inside = codes >= 0
    units = np.unique(clusters[inside], return_inverse=True)[1].astype(np.int64)
    pairs, at = np.unique(units * groups + codes[inside], return_inverse=True)
    sizes = np.bincount(at, weights=bottom[inside], minlength=len(pairs))
    total = np.bincount(pairs % groups, weights=sizes, minlength=groups)
    square = np.bincount(pairs % groups, weights=np.square(sizes), minlength=groups)
    return np.divide(np.square(total), square, out=np.zeros(groups), where=square > 0)


def summed(ratio: Ratio, codes: np.ndarray, groups: int, clusters: np.ndarray | None) -> Table:
    """Sums and covariance by group; ``codes`` (n,) are 0…groups-1, rows with a negative code belong to no group."""
    inside = codes >= 0
    codes, top, bottom = codes[inside], ratio.top[inside], ratio.bottom[inside]
    tops = np.bincount(codes, weights=top, minlength=groups)
    bottoms = np.bincount(codes, weights=bottom, minlength=groups)
    safe = np.maximum(bottoms, 1e-300)
    influence = (top - (tops / safe)[codes] * bottom) / safe[codes]
    if clusters is None:
        counts = np.bincount(codes, minlength=groups)
        square = np.bincount(codes, weights=np.square(influence), minlength=groups)
        return Table(tops, bottoms, np.diag(square * counts / np.maximum(counts - 1, 1)), counts)
    units = np.unique(clusters[inside], return_inverse=True)[1]
    g = int(units.max(initial=-1)) + 1
    sums = np.bincount(units * groups + codes, weights=influence, minlength=g * groups).reshape(g, groups)
    worth = clusters_worth(bottom, codes, groups, units)
    # each group's own clusters stand behind its spread, not all that there are
    few = np.sqrt(worth / np.maximum(worth - 1.0, 1e-9))
    return Table(tops, bottoms, np.einsum("ui,uj->ij", sums, sums) * np.outer(few, few), worth)


def largest_gap(
    ratio: Ratio, table: Table, names: list[str], *, limit: float, level: float, clustered: bool, seed: int
) -> Gap | None:
    """The gap between the highest and the lowest group; None with fewer than two groups.

    The largest of many differences is biased upward: it is not tested as if its pair had been chosen beforehand.
    Groups are drawn again within group and outcome (binomial draws of each share, with one success and one failure
    added so that 0 of 20 is not certainty; for clusters and means: normal draws with the cluster-robust covariance),
    and the studentised maximum over all pairs gives one critical value. The interval of the largest true gap runs from
    the largest lower end of all pairs to the largest upper end: it covers with at least ``level``, and with no gap
    above ``limit`` the verdict ``gap`` comes with probability at most 1 - ``level``.
    """
    g = len(names)
    if g < 2:
        return None
    if ratio.share and not clustered:
        centre = (table.tops + 1.0) / (table.bottoms + 2.0)
        variance = centre * (1.0 - centre) / (table.bottoms + 2.0)
    else:
        centre = table.tops / table.bottoms
        variance = np.diag(table.covariance).copy()
    covariance = np.diag(variance) if not clustered else _floored(table.covariance, centre, table.bottoms, ratio.share)
    critical = _critical(ratio, table, centre, covariance, level, clustered, np.random.default_rng(seed))
    error = _pair_error(covariance)
    away = np.abs(centre[:, None] - centre[None, :])
    observed = table.tops / table.bottoms
    i, j = int(np.argmax(observed)), int(np.argmin(observed))
    value = float(observed[i] - observed[j])
    off = ~np.eye(g, dtype=bool)
    low = max(0.0, float(np.max((away - critical * error)[off])))
    high = float(np.max((away + critical * error)[off]))
    if ratio.share:
        high = min(high, 1.0)
    interval = Interval(
        value=value, low=min(low, value), high=max(high, value), level=level, n=int(np.sum(table.bottoms)),
        method=f"simultaneous over {g * (g - 1) // 2} pairs of groups",
    )  # fmt: skip
    verdict = "gap" if low > limit else "within" if high < limit else "cannot tell"
    pair = (names[i], names[j])
    return Gap(
        measure=ratio.name, largest=interval, between=pair, verdict=verdict, limit=limit,
        sentence=_sentence(ratio, interval, pair, verdict, limit),
    )  # fmt: skip


def _floored(covariance: np.ndarray, centre: np.ndarray, bottoms: np.ndarray, share: bool) -> np.ndarray:
    """A share that is 0 or 1 in every cluster has no spread of its own; it gets that of one success and one failure."""
    if not share:
        return covariance
    smoothed = (centre * bottoms + 1.0) / (bottoms + 2.0)
    least = smoothed * (1.0 - smoothed) / (bottoms + 2.0)
    floored: np.ndarray = covariance + np.diag(np.where(np.diag(covariance) <= 0, least, 0.0))
    return floored


def _pair_error(covariance: np.ndarray) -> np.ndarray:
    own = np.diag(covariance)
    error: np.ndarray = np.sqrt(np.maximum(own[:, None] + own[None, :] - 2.0 * covariance, 0.0))
    return error


def _critical(
    ratio: Ratio, table: Table, centre: np.ndarray, covariance: np.ndarray, level: float, clustered: bool,
    rng: np.random.Generator,
) -> float:  # fmt: skip
    """The ``level`` quantile of the largest studentised difference over all pairs."""
    g = len(centre)
    if ratio.share and not clustered:
        trials = np.round(table.bottoms).astype(np.int64)
        drawn = (rng.binomial(trials, centre, size=(DRAWS, g)) + 1.0) / (trials + 2.0)
        expected = (trials * centre + 1.0) / (trials + 2.0)
        return _maximum_quantile(drawn - expected, drawn * (1.0 - drawn) / (trials + 2.0), np.ones((g, g)), level)
    values, vectors = np.linalg.eigh(covariance)
    normal = rng.standard_normal((DRAWS, g)) * np.sqrt(np.clip(values, 0.0, None))
    away = np.einsum("di,ji->dj", normal, vectors)
    variance = np.diag(covariance)
    either = variance[:, None] + variance[None, :]
    crossed = np.divide(np.square(_pair_error(covariance)), either, out=np.zeros((g, g)), where=either > 0)
    # Few units: spreads are uncertain themselves, by a chi-square of each group's own degrees of freedom; all err
    # together, or each for itself: the wider of the two quantiles is taken.
    df = np.maximum(table.units - 1.0, 1.0)
    least = float(np.min(df))
    together = np.repeat(rng.chisquare(least, (DRAWS, 1)) / least, g, axis=1)
    # where groups share clusters, the two spreads of a pair come from the same clusters and are no better than one
    shared = np.any(covariance - np.diag(variance) != 0.0, axis=1)
    own = np.where(shared, df / 2.0, df)
    apart = rng.chisquare(own, (DRAWS, g)) / own
    return max(_maximum_quantile(away, variance * spread, crossed, level) for spread in (together, apart))


def _maximum_quantile(away: np.ndarray, spread: np.ndarray, crossed: np.ndarray, level: float) -> float:
    """Quantile over draws of the largest |away_i - away_j| over its standard error, row by row to keep memory small.

    ``away`` and ``spread`` are (draws, groups); ``crossed`` (groups, groups): the share of the two variances' sum that
    is left where clusters move both groups alike.
    """
    largest = np.zeros(len(away))
    for i in range(away.shape[1] - 1):
        difference = np.abs(away[:, i + 1 :] - away[:, i : i + 1])
        below = np.sqrt((spread[:, i + 1 :] + spread[:, i : i + 1]) * crossed[i, i + 1 :])
        ratio = np.divide(difference, below, out=np.zeros_like(difference), where=below > 0)
        largest = np.maximum(largest, ratio.max(axis=1))
    # draws of rare events hardly ever move; one pair alone would still need the normal quantile
    return max(float(np.quantile(largest, level)), normal_quantile((1.0 + level) / 2.0))


def _sentence(ratio: Ratio, found: Interval, pair: tuple[str, str], verdict: str, limit: float) -> str:
    unit = "" if ratio.share or ratio.name == "calibration" else " standard deviations"
    measure = ratio.name.replace("_", " ")
    size = f"{found.value:.3f}{unit} ({found.level:.3g} level: {found.low:.3f} to {found.high:.3f})"
    end = {
        "gap": f"above the limit of {limit:g}",
        "within": f"within the limit of {limit:g}",
        "cannot tell": f"too few rows to tell whether it is within {limit:g}",
    }[verdict]
    if math.isclose(found.value, 0.0, abs_tol=1e-12):
        return f"{measure}: no difference seen between groups (up to {found.high:.3f}{unit} possible): {end}"
    return f"{measure}: {pair[0]} is higher than {pair[1]} by {size}: {end}"
