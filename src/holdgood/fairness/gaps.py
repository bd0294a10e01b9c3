"""The largest gap between groups, with an interval that holds for all pairs at once."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from holdgood.core.records import Gap, Interval
from holdgood.fairness.measures import Ratio
from holdgood.metrics.quantile import normal_quantile

DRAWS = 2000


@dataclass(frozen=True, eq=False)
class Table:
    """Tops and bottoms summed by group, (groups,), and the covariance of the groups' ratios, (groups, groups).

    ``bottoms`` of shares are counts. ``units`` are the independent units behind the covariance.
    """

    tops: np.ndarray
    bottoms: np.ndarray
    covariance: np.ndarray
    units: int


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
        return Table(tops, bottoms, np.diag(square * counts / np.maximum(counts - 1, 1)), len(codes))
    units = np.unique(clusters[inside], return_inverse=True)[1]
    g = int(units.max(initial=-1)) + 1
    covariance = np.zeros((groups, groups))
    sums = np.bincount(units * groups + codes, weights=influence, minlength=g * groups).reshape(g, groups)
    covariance = np.einsum("ui,uj->ij", sums, sums) * g / max(g - 1, 1)
    return Table(tops, bottoms, covariance, g)


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
    error = _pair_error(covariance)
    if ratio.share and not clustered:
        trials = np.round(table.bottoms).astype(np.int64)
        drawn = (rng.binomial(trials, centre, size=(DRAWS, g)) + 1.0) / (trials + 2.0)
        spread = drawn * (1.0 - drawn) / (trials + 2.0)
        expected = (trials * centre + 1.0) / (trials + 2.0)
        return _maximum_quantile(drawn - expected, spread, None, level)
    values, vectors = np.linalg.eigh(covariance)
    normal = rng.standard_normal((DRAWS, g)) * np.sqrt(np.clip(values, 0.0, None))
    away = np.einsum("di,ji->dj", normal, vectors)
    # few units: the covariance itself is uncertain, by as much as a chi-square of its degrees of freedom
    df = max(table.units - 1, 1)
    away /= np.sqrt(rng.chisquare(df, DRAWS) / df)[:, None]
    return _maximum_quantile(away, None, error, level)


def _maximum_quantile(away: np.ndarray, spread: np.ndarray | None, error: np.ndarray | None, level: float) -> float:
    """Quantile over draws of max over pairs |away_i - away_j| / error_ij, pair by pair to keep memory small."""
    largest = np.zeros(len(away))
    for i in range(away.shape[1] - 1):
        difference = np.abs(away[:, i + 1 :] - away[:, i : i + 1])
        below = np.sqrt(spread[:, i + 1 :] + spread[:, i : i + 1]) if spread is not None else error[i, i + 1 :]  # type: ignore[index]
        ratio = np.divide(
            difference, below, out=np.zeros_like(difference), where=np.broadcast_to(below > 0, difference.shape)
        )
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
