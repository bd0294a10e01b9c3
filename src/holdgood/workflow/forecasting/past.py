"""Did past intervals hold? Paths for each past origin, spread by errors of the other origins: what all series shared was not known then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from holdgood.core.panel import Panel
from holdgood.evaluation.forecasts import PastForecasts
from holdgood.evaluation.path_scores import PathScores
from holdgood.training.panels.censored import KEEP, Demand
from holdgood.training.panels.combined import Combined, spread
from holdgood.training.panels.errors import Sizes, Trajectories, traits
from holdgood.training.panels.seen import Seen

PARTS = 5
SAMPLES = 200
MOST_SERIES, FEWEST, MOST_POINTS = 4_000, 500, 100_000
"""Series that the cover is measured on, and points where these are many: more change it little."""


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
    """The same with what the paths were worth. They are spread by the errors of the other origins (with a single one: of other series).

    As delivered, but for that: kinds of demand whose paths are windows of the own past have such ones here.

    ``drawn``: as ``past.y``, with likely values where a stock-out hid demand; they spread paths and have no PIT value.
    ``agree``: makes paths (series, samples, horizon) at an origin, NaN where it has none, add up; small panels only.
    """
    random = np.random.default_rng([seed, 7])
    agree = agree if len(panel) <= MOST_SERIES else None
    most = (
        MOST_SERIES if agree else int(np.clip(MOST_POINTS // (past.y.shape[0] * past.y.shape[2]), FEWEST, MOST_SERIES))
    )
    chosen = np.sort(random.permutation(len(panel))[:most])
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
        kept = Trajectories.kept(errors, sizes.of(known[outside]), segment[outside], origin[outside], seed)
        if len(kept.units):
            spreads[p] = sizes, kept
    scores = PathScores(past.y.shape, leads)
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
                scores.add(k, series[at], y[at], found, random)
        if agree:
            at = np.flatnonzero((origin == k) & np.isin(part, list(spreads)))
            scores.add(k, series[at], y[at], agree(k, paths)[series[at]], random)
    return replace(
        past, pit=scores.pit, crps=scores.crps, quantile_loss=scores.quantile_loss, lead_pits=scores.lead_pits,
        items=scores.items.chances(),
    )  # fmt: skip


def _parts(origin: np.ndarray, series: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """What a row's spread may not be learned from: its origin, whose shock other series shared; with a single one, some series."""
    if len(np.unique(origin)) > 1:
        return origin
    who, code = np.unique(series, return_inverse=True)
    return np.asarray((random.permutation(len(who)) % PARTS)[code])
