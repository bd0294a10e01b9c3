"""Did past intervals hold? Paths for each past origin, spread by errors that were learned on other series."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from holdgood.core.panel import Panel
from holdgood.evaluation.forecasts import PastForecasts, randomised_pit
from holdgood.training.panels.censored import KEEP, Demand
from holdgood.training.panels.combined import Combined, spread
from holdgood.training.panels.errors import Sizes, Trajectories, traits
from holdgood.training.panels.seen import Seen

PARTS = 5
SAMPLES = 200
MOST_SERIES = 4_000
"""Series that the cover is measured on: more change it little."""


def with_pits(
    panel: Panel,
    past: PastForecasts,
    dropped: tuple[int, ...],
    forecaster: Combined,
    leads: tuple[int, ...],
    seed: int,
    demand: Demand = KEEP,
    drawn: np.ndarray | None = None,
    agree: Callable[[int, np.ndarray], np.ndarray] | None = None,
) -> PastForecasts:
    """The same with PIT values. A series' paths are spread by the errors of series in other parts (few series: of other origins).

    ``drawn``: as ``past.y``, with likely values where a stock-out hid demand; they spread paths and have no PIT value.
    ``agree``: makes paths (series, samples, horizon) at an origin, NaN where it has none, add up; small panels only.
    """
    random = np.random.default_rng([seed, 7])
    agree = agree if len(panel) <= MOST_SERIES else None
    chosen = np.sort(random.permutation(len(panel))[:MOST_SERIES])
    rows = [(k, s) for k in range(len(dropped)) for s in chosen.tolist() if not np.isnan(past.points[k, s]).all()]
    if not rows:
        return past
    origin, series = (np.array(v) for v in zip(*rows, strict=True))
    y, point = past.y[origin, series], past.points[origin, series]
    likely = y if drawn is None else drawn[origin, series]
    known = np.empty((len(rows), 5))
    seen = Seen.of(panel, demand, dropped)
    for k in np.unique(origin).tolist():
        at = origin == k
        known[at] = traits(seen.before(series[at], dropped[k]), point[at])
    part = _parts(origin, series, random)
    segment, spreads = past.segment[series], {}
    for p in np.unique(part).tolist():
        outside = part != p if (part != p).any() else part == p
        errors = (likely - point)[outside]
        sizes = Sizes.learned(known[outside], errors)
        kept = Trajectories.kept(errors, sizes.of(known[outside]), segment[outside], seed)
        if len(kept.units):
            spreads[p] = sizes.widened(len(rows) / len(np.unique(series))), kept
    pit, sums = np.full(past.y.shape, np.nan), {n: np.full(past.y.shape[:2], np.nan) for n in leads}
    for k in np.unique(origin).tolist():
        paths = np.full((len(panel) if agree else 0, SAMPLES, past.y.shape[2]), np.nan)
        for p, (sizes, kept) in spreads.items():
            at = np.flatnonzero((origin == k) & (part == p))
            if not len(at):
                continue
            some = seen.before(series[at], dropped[k])
            found = spread(
                some,
                point[at],
                sizes,
                kept,
                SAMPLES,
                seed,
                forecaster.nonnegative,
                forecaster.whole,
                forecaster.windowed,
            )
            if agree:
                paths[series[at]] = found
            else:
                _fell(pit[k], {n: v[k] for n, v in sums.items()}, series[at], y[at], found, random)
        if agree:
            at = np.flatnonzero((origin == k) & np.isin(part, list(spreads)))
            _fell(pit[k], {n: v[k] for n, v in sums.items()}, series[at], y[at], agree(k, paths)[series[at]], random)
    return replace(past, pit=pit, lead_pits=sums)


def _fell(
    pit: np.ndarray,
    sums: dict[int, np.ndarray],
    series: np.ndarray,
    y: np.ndarray,
    paths: np.ndarray,
    random: np.random.Generator,
) -> None:
    """Write down where the outcomes of some series (n, horizon) fell among their paths (n, samples, horizon)."""
    for h in range(y.shape[1]):
        pit[series, h] = randomised_pit(y[:, h], paths[:, :, h], random.random(len(y)))
    for n, found in sums.items():
        found[series] = randomised_pit(y[:, :n].sum(axis=1), paths[:, :, :n].sum(axis=2), random.random(len(y)))


def _parts(origin: np.ndarray, series: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """What a row's spread may not be learned from."""
    who, code = np.unique(series, return_inverse=True)
    if len(who) < 2 * PARTS:
        return origin
    return np.asarray((random.permutation(len(who)) % PARTS)[code])
