"""Is a band with learners of its own better than ranked residuals? Both are learned out of fold and held against each other.

The rows are those that the choice was judged on. In each fold, learners of the quantiles are fitted to the residuals of the
training rows and asked about the others; both bands are calibrated on the other folds' rows, and their pinball losses, the mean
over the levels, are paired over the same rows. Residuals stay unless the learners are proven better, and by enough to be worth it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from holdgood.core.frame import Frame, Matrix
from holdgood.core.protocols import Candidate, FitContext, Fold, Model, Transformer
from holdgood.core.records import BandChoice, Comparison
from holdgood.core.task import Task
from holdgood.metrics import Band, band, paired, weighted
from holdgood.metrics.band import held_by
from holdgood.metrics.series import pinball
from holdgood.metrics.units import resampling_units
from holdgood.training.fitted_band import FittedBand, levels_of, moved_by, with_prediction
from holdgood.training.folds import set_apart, stop_rows

FEWEST = 400
"""Rows with an out-of-fold prediction below which no learner of quantiles is tried."""
FEWEST_BEYOND = 10
"""Rows beyond the outermost level, on average, below which none is tried: there would be nothing to learn it from."""
MOST = 40_000
"""Rows that a learner of a quantile learns from at most."""
ALPHA = 0.05
"""The chance that learners are taken where they are no better in truth: one-sided, as on the ladder."""
WORTH = 0.01
"""A proven gain below this share of the loss is not worth a learner a level."""
CLOSE = 0.9
"""Share of the time left that may be used: what is made has still to be put together."""
QUICKEST = 0.02
"""Seconds a fit below which nothing is begun."""
MOST_GROWTH = 1.25
NEARLY = 0.9
"""Share of its rounds below which a learner that was cut off by the clock is not delivered: it is not the one that was judged."""


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows that have an out-of-fold prediction: facts, outcomes, predictions, folds as positions among them.

    ``weight``, ``time`` (microseconds), ``groups`` (n,) or None; ``apart``: microseconds between what is learned from and what
    ends early fits, as between folds.
    """

    frame: Frame
    y: np.ndarray
    prediction: np.ndarray
    folds: Sequence[Fold]
    weight: np.ndarray | None = None
    time: np.ndarray | None = None
    groups: np.ndarray | None = None
    apart: int = 0

    def some(self, values: np.ndarray | None, rows: np.ndarray) -> np.ndarray | None:
        """Some per-row values of some rows."""
        return None if values is None else values[rows]


@dataclass(frozen=True, eq=False)
class _Learned:
    """Encoder and models of some rows, and what a refit should know: rounds and hints a level, rows learned from."""

    encoder: Transformer
    models: list[Model]
    learned: int

    def raw(self, rows: Rows, at: np.ndarray) -> np.ndarray:
        """What the models say of rows by position, (n, levels), in order."""
        matrix = self.encoder.transform(with_prediction(rows.frame.take(at), rows.prediction[at]))
        return np.sort(np.column_stack([m.predict(matrix) for m in self.models]), axis=1)


class _Short(Exception):
    """The time is up."""


def choose_band(
    rows: Rows,
    residual: Band,
    make: Callable[[float], Candidate],
    task: Task,
    *,
    left: Callable[[], float],
    seed: int = 0,
    workers: int = 1,
) -> tuple[Band | FittedBand, BandChoice]:
    """The band to deliver and how it was chosen. ``residual``: what stands unless beaten; ``make``: a learner of a level.

    ``left``: seconds that may still be spent (infinite under a budget of work, where nothing depends on the clock).
    """
    levels = levels_of(residual)
    stays = BandChoice(kind="residual", levels=levels, rows=len(rows.y))

    def told(why: str) -> tuple[Band, BandChoice]:
        return residual, stays.model_copy(update={"sentence": f"Bands are of ranked residuals: {why}."})

    n, thin = len(rows.y), min(min(q, 1.0 - q) for q in levels)
    if n < FEWEST or n * thin < FEWEST_BEYOND:
        return told(f"{n:,} rows are too few to fit a learner to each of {len(levels)} levels")
    if not rows.frame.features or not rows.folds:
        return told("no fold has rows to learn residuals from")
    fitting = _Fitting(rows, levels, make, task, left, seed, workers)
    try:
        judged = _judge(fitting, residual)
        if judged is None:
            return told("the rows cannot be divided so that learners of quantiles are judged")
        gain, share, shifts, made = judged
        said = _said(gain, share)
        stays = stays.model_copy(update={"gain": gain, "relative": share})
        if gain.verdict != "better":
            return told(f"learners of quantiles are not proven better ({said})")
        if share < WORTH:
            return told(f"learners of quantiles gain too little to be worth it ({said})")
    except _Short:
        return told("the time was too short for learners of quantiles")
    try:
        final, beside = fitting.whole(residual, _refit(made)), ""
    except _Short:
        # learners that were judged are there: those of the fold that learned from most rows, which in time is the latest
        final = max(made, key=lambda m: m.learned)
        beside = f" Those of one fold, fitted on {final.learned:,} rows, stand in for a refit: the time was short."
    fitted = FittedBand(residual, final.encoder, levels, final.models, shifts)
    sentence = (
        f"Bands are fitted: a learner a level, calibrated out of fold, better than ranked residuals by {said}.{beside}"
    )
    return fitted, stays.model_copy(update={"kind": "fitted", "sentence": sentence})


def band_folds(folds: Sequence[Fold], rows: np.ndarray, total: int) -> list[Fold]:
    """Folds among the rows that have a prediction, as positions in ``rows``: each row judged once at most, only where enough is
    left to learn from. ``total``: rows that the folds are over.
    """
    where = np.full(total, -1)
    where[rows] = np.arange(len(rows))
    judged, found = np.zeros(len(rows), bool), []
    for train, valid in folds:
        inside, beside = where[valid], where[train]
        inside, beside = inside[inside >= 0], beside[beside >= 0]
        if len(inside) == 0 or judged[inside].any():
            continue  # not predicted, or a repeat
        if len(beside) < FEWEST // 2:
            continue
        judged[inside] = True
        found.append((np.sort(beside), np.sort(inside)))
    return found


@dataclass(frozen=True, eq=False)
class _Refit:
    """What the folds found, a level: rounds, hints of the learners, and how many rows they learned from."""

    rounds: list[int | None]
    hints: list[dict[str, float]]
    learned: int


class _Fitting:
    """Fits of one choice, within the time."""

    def __init__(
        self,
        rows: Rows,
        levels: tuple[float, ...],
        make: Callable[[float], Candidate],
        task: Task,
        left: Callable[[], float],
        seed: int,
        workers: int,
    ) -> None:
        self.rows, self.levels, self.make, self.task, self.left, self.seed = rows, levels, make, task, left, seed
        self.workers = max(1, min(workers, len(levels)))
        self.batches = len(rows.folds) + 2  # a refit of all rows takes about two folds' time

    def on(self, at: np.ndarray, base: Band) -> _Learned:
        """Learners of the residuals of some rows, in the sizes of ``base``, stopped early on rows of these."""
        rows, at = self.rows, self._drawn(at)
        stop = stop_rows(at, rows.y, self.task, time=rows.time, groups=rows.groups, seed=self.seed)
        at, stop = set_apart(at, stop, rows.time, rows.apart)
        learned = len(at) - (0 if stop is None else len(stop))
        return self._fitted(at, base, stop, _Refit([None] * len(self.levels), [{}] * len(self.levels), learned))

    def whole(self, base: Band, refit: _Refit) -> _Learned:
        """Learners of all rows, with the rounds that the folds found; _Short where these do not end in time."""
        at = self._drawn(np.arange(len(self.rows.y)))
        grown = min(MOST_GROWTH, max(1.0, math.sqrt(len(at) / max(1, refit.learned))))
        rounds = [None if r is None else max(1, round(r * grown)) for r in refit.rounds]
        made = self._fitted(at, base, None, _Refit(rounds, refit.hints, len(at)))
        if any(getattr(m, "finished", 1.0) < NEARLY for m in made.models):
            raise _Short
        return made

    def _fitted(self, at: np.ndarray, base: Band, stop: np.ndarray | None, refit: _Refit) -> _Learned:
        rows = self.rows
        seconds = self._seconds()
        frame = with_prediction(rows.frame.take(at), rows.prediction[at])
        scores = (rows.y[at] - rows.prediction[at]) / base.size(rows.prediction[at])
        weight, groups = rows.some(rows.weight, at), rows.some(rows.groups, at)
        encoder = self.make(self.levels[0]).make_encoder()
        matrix = encoder.fit_transform(frame, scores, FitContext(self.task, self.seed, groups=groups))

        def one(i: int) -> Model:
            model = self.make(self.levels[i]).make_model()
            if refit.hints[i]:
                model.hints = dict(refit.hints[i])  # type: ignore[attr-defined]
            context = FitContext(
                self.task, self.seed, stop_rows=stop, rounds=refit.rounds[i], seconds=seconds, groups=groups
            )
            return model.fit(matrix, scores, weight, context)

        self.batches -= 1
        return _Learned(encoder, self._each(one, matrix), refit.learned)

    def _each(self, one: Callable[[int], Model], matrix: Matrix) -> list[Model]:
        if self.workers == 1 or matrix.values.size < 20_000:
            return [one(i) for i in range(len(self.levels))]
        with ThreadPoolExecutor(self.workers) as pool:  # boosting lets go of Python's lock; one thread a fit
            return list(pool.map(one, range(len(self.levels))))

    def _seconds(self) -> float:
        """What one fit of this batch may take, so that those after it have as much."""
        rounds = math.ceil(len(self.levels) / self.workers)
        seconds = CLOSE * self.left() / (max(1, self.batches) * rounds)
        if seconds < QUICKEST:
            raise _Short
        return seconds

    def _drawn(self, at: np.ndarray) -> np.ndarray:
        if len(at) <= MOST:
            return at
        return at[np.sort(np.random.default_rng([self.seed, len(at)]).choice(len(at), MOST, replace=False))]


def _judge(fitting: _Fitting, residual: Band) -> tuple[Comparison, float, np.ndarray, list[_Learned]] | None:
    """The paired gain of learners over residuals, its share of the loss, the shifts of all judged rows, and the learners of each fold."""
    rows, levels = fitting.rows, np.array(fitting.levels)
    n, k = len(rows.y), len(levels)
    raw, size, part = np.full((n, k), np.nan), np.ones(n), np.full(n, -1)
    made: list[_Learned] = []
    for number, (train, valid) in enumerate(rows.folds):
        base = band(rows.y[train], rows.prediction[train], weight=rows.some(rows.weight, train))
        learned = fitting.on(train, base)
        raw[valid], size[valid], part[valid] = learned.raw(rows, valid), base.size(rows.prediction[valid]), number
        made.append(learned)
    seen = np.flatnonzero(part >= 0)
    if len(made) == 1:
        part[seen] = _halves(rows, seen)
    if len(np.unique(part[seen])) < 2:
        return None
    off = ((rows.y - rows.prediction) / size)[:, None] - raw
    fitted, ranked = np.full((n, k), np.nan), np.full((n, k), np.nan)
    for number in np.unique(part[seen]):
        mine, others = np.flatnonzero(part == number), seen[part[seen] != number]
        weight = rows.some(rows.weight, others)
        moved = moved_by(raw[mine], _shifts(off[others], levels, weight), fitting.levels)
        fitted[mine] = rows.prediction[mine, None] + size[mine, None] * moved
        plain = band(rows.y[others], rows.prediction[others], weight=weight, quantiles=fitting.levels)
        ranked[mine] = plain.at_levels(rows.prediction[mine])
    known = np.isfinite(fitted[seen]).all(axis=0) & np.isfinite(ranked[seen]).all(axis=0)
    if not known.any():
        return None
    y, counts = rows.y[seen], rows.some(rows.weight, seen)
    losses = [
        weighted(pinball(y, found[seen][:, known], levels[known]).mean(axis=1), counts) for found in (fitted, ranked)
    ]
    units = resampling_units(rows.some(rows.groups, seen), rows.some(rows.time, seen))[0]
    gain = paired(
        *losses, first="fitted quantiles", second="ranked residuals", clusters=units, unit="pinball loss a level",
        level=1.0 - 2.0 * ALPHA,
    )  # fmt: skip
    share = gain.difference / float(losses[1].mean()) if losses[1].mean() > 0 else 0.0
    return gain, share, _shifts(off[seen], levels, counts), made


def _shifts(off: np.ndarray, levels: np.ndarray, weight: np.ndarray | None) -> np.ndarray:
    """How far each level has to move so that it holds its share of outcomes; ``off``: (n, levels), what outcomes lie above it."""
    return np.array([held_by(off[:, i], float(q), weight) for i, q in enumerate(levels)])


def _refit(made: Sequence[_Learned]) -> _Refit:
    """Of each level the fold with the (lower) median of rounds: its rounds and what its learner chose belong together."""
    rounds: list[int | None] = []
    hints: list[dict[str, float]] = []
    for models in zip(*(m.models for m in made), strict=True):
        middle = sorted(models, key=lambda m: m.rounds or 0)[(len(models) - 1) // 2]
        rounds.append(middle.rounds)
        hints.append(dict(getattr(middle, "hints", {})))
    return _Refit(rounds, hints, int(np.median([m.learned for m in made])))


def _halves(rows: Rows, seen: np.ndarray) -> np.ndarray:
    """Two parts of one fold's rows: earlier and later in time, or whole groups, or as the rows come."""
    if rows.groups is not None:
        codes = np.unique(rows.groups[seen], return_inverse=True)[1]
        return np.asarray(codes % 2, np.int64)
    order = np.arange(len(seen)) if rows.time is None else np.argsort(rows.time[seen], kind="stable")
    half = np.zeros(len(seen), np.int64)
    half[order[len(seen) // 2 :]] = 1
    return half


def _said(gain: Comparison, share: float) -> str:
    return (
        f"{share:.1%} of the pinball loss; {gain.difference:.3g}, {gain.level:.0%}: {gain.low:.3g} to {gain.high:.3g}"
    )
