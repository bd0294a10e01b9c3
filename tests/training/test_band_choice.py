"""Learners of quantiles are taken where facts say how far off predictions are, hold their shares, and stay away elsewhere."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binom, binomtest

from holdgood.core.errors import BundleError, DataError
from holdgood.core.frame import Feature, Frame, frame_of
from holdgood.core.protocols import Parts
from holdgood.core.task import Task
from holdgood.metrics import band
from holdgood.metrics.band import held_by
from holdgood.metrics.series import pinball
from holdgood.training.band_choice import ALPHA, Rows, band_folds, choose_band
from holdgood.training.fitted_band import FittedBand, moved_by
from holdgood.workflow.bands import learner_of

LEVELS = (0.1, 0.5, 0.9)
TASK = Task(kind="regression", metric="rmse")


def world(seed, n, spread=1.5):
    """A prediction that is right on the mean; how far outcomes scatter follows ``z`` and ``k``, unless ``spread`` is 0."""
    rng = np.random.default_rng(seed)
    z, w, k = rng.uniform(0, 1, n), rng.normal(size=n), rng.choice(list("abc"), n).astype(object)
    prediction = rng.normal(size=n)
    size = np.exp(spread * z) * np.where((k == "b") & (spread > 0), 2.0, 1.0)
    features = [(Feature("z", "number"), z), (Feature("w", "number"), w), (Feature("k", "category"), k)]
    return frame_of(features), prediction + size * rng.standard_t(6, n), prediction


def in_folds(n, k=4):
    part = np.arange(n) % k
    return [(np.flatnonzero(part != i), np.flatnonzero(part == i)) for i in range(k)]


def chosen(seed, n, spread=1.5, folds=None, left=lambda: math.inf, **beside):
    frame, y, prediction = world(seed, n, spread)
    rows = Rows(frame, y, prediction, in_folds(n) if folds is None else folds, **beside)
    residual = band(y, prediction, level=0.8, quantiles=LEVELS, weight=beside.get("weight"))
    return choose_band(rows, residual, learner_of, TASK, left=left)


@pytest.fixture(scope="module")
def fitted():
    made, choice = chosen(0, 3000)
    assert isinstance(made, FittedBand)
    return made, choice


def test_where_facts_tell_the_spread_the_fitted_band_wins_and_covers(fitted):
    made, choice = fitted
    assert choice.kind == "fitted"
    assert choice.gain.verdict == "better" and choice.gain.low > 0 and choice.relative > 0.05
    n = 20_000
    frame, y, prediction = world(1, n)
    quantiles, (low, high) = made.at_levels(prediction, frame), made.interval(prediction, frame)
    before = made.base.at_levels(prediction)
    assert pinball(y, quantiles, np.array(LEVELS)).mean() < 0.95 * pinball(y, before, np.array(LEVELS)).mean()
    for i, q in enumerate(LEVELS):  # calibrated on 3,000 rows: their own chance comes on top of the binomial's
        assert abs((y <= quantiles[:, i]).mean() - q) < 4 * math.sqrt(q * (1 - q) * (1 / 3000 + 1 / n))
    # 80% in each part of the world, where the residual band holds too much in one and too little in another
    loud = frame.column("k") == "b"
    for part in (loud, ~loud):
        assert abs(((low <= y) & (y <= high))[part].mean() - 0.8) < 0.05
    was_low, was_high = made.base.interval(prediction)
    assert ((was_low <= y) & (y <= was_high))[loud].mean() < 0.7


def test_shares_hold_over_worlds():
    """Exact binomial acceptance of one new row a world, over worlds that are learned anew."""
    worlds, inside, below = 36, 0, np.zeros(len(LEVELS))
    new = 40
    for seed in range(worlds):
        made, _ = chosen(100 + seed, 500)
        frame, y, prediction = world(10_000 + seed, new)
        low, high = made.interval(prediction, frame)
        inside += int(((low <= y) & (y <= high)).sum())
        below += (y[:, None] <= made.at_levels(prediction, frame)).sum(axis=0)
    total = worlds * new
    # ranks lie outward by 2 / (n + 1) at most; learners of other rows than the calibrated ones move a share a little
    slack = 2 / 501 + 0.02
    assert binom.ppf(0.001, total, 0.8 - 0.02) <= inside <= binom.ppf(0.999, total, 0.8 + slack)
    for q, count in zip(LEVELS, below, strict=True):
        assert binom.ppf(0.001, total, q - slack) <= count <= binom.ppf(0.999, total, q + slack)


def test_where_nothing_tells_the_spread_residuals_stay():
    """One-sided level ALPHA: of 40 worlds at most as many are taken as a binomial at ALPHA allows (one in a thousand)."""
    worlds = 40
    taken = sum(chosen(1000 + seed, 400, spread=0.0)[1].kind == "fitted" for seed in range(worlds))
    assert binomtest(taken, worlds, ALPHA, alternative="greater").pvalue > 0.001
    assert taken <= worlds * ALPHA


def test_levels_never_cross_and_a_row_alone_has_the_bits_of_many(fitted):
    made, _ = fitted
    frame, _, prediction = world(2, 300)
    quantiles = made.at_levels(prediction, frame)
    assert (np.diff(quantiles, axis=1) >= 0).all()
    many = made.beside(prediction, frame)
    assert list(many) == ["low", "high", "quantile_0.1", "quantile_0.5", "quantile_0.9"]
    for i in range(40):
        one = np.array([i])
        alone = made.beside(prediction[one], frame.take(one))
        assert all(alone[name].tobytes() == values[one].tobytes() for name, values in many.items())


def test_where_shifts_cross_the_outer_level_gives_way():
    raw = np.array([[0.0, 1.0, 2.0, 3.0]])
    moved = moved_by(raw, np.array([5.0, 0.0, 0.0, -2.0]), (0.1, 0.4, 0.6, 0.9))
    assert moved.tolist() == [[1.0, 1.0, 2.0, 2.0]]
    apart = moved_by(raw, np.array([-math.inf, 4.0, 0.0, math.inf]), (0.1, 0.4, 0.6, 0.9))
    assert apart.tolist() == [[-math.inf, 2.0, 2.0, math.inf]]


def test_it_is_kept_in_parts_and_damage_is_told(fitted):
    made, _ = fitted
    frame, _, prediction = world(3, 50)
    parts = made.to_parts()
    again = FittedBand.from_parts(parts)
    assert all((again.beside(prediction, frame)[n] == v).all() for n, v in made.beside(prediction, frame).items())
    assert (again.answer(prediction) == prediction).all()
    for damaged in (
        {"levels": [0.1, 0.9, 0.5]},
        {"shifts": [0.0]},
        {"levels": [0.2, 0.5, 0.9]},
        {"shifts": [0.0, math.nan, 0.0]},
        {"base": {}},
    ):
        with pytest.raises(BundleError):
            FittedBand.from_parts(Parts(parts.json | damaged, parts.arrays, parts.files))
    with pytest.raises(DataError, match="the frame"):
        made.beside(prediction)


def test_rows_too_few_or_time_too_short_leave_residuals_with_a_reason():
    for made, choice, why in (
        (*chosen(0, 200), "too few"),
        (*chosen(0, 600, left=lambda: 0.01), "too short"),
        (*chosen(0, 600, folds=[]), "no fold"),
    ):
        assert choice.kind == "residual" and why in choice.sentence
        assert made.beside(np.zeros(2)).keys() == {"low", "high", "quantile_0.1", "quantile_0.5", "quantile_0.9"}


def test_learners_of_a_fold_stand_in_where_the_refit_does_not_end():
    """Time for the four folds, none for the refit: what was judged is delivered, still holds its shares, and the sentence says so."""
    left = iter([math.inf] * 4 + [0.0])
    made, choice = chosen(0, 3000, left=lambda: next(left))
    assert choice.kind == "fitted" and "stand in for a refit: the time was short" in choice.sentence
    frame, y, prediction = world(1, 20_000)
    share = (y[:, None] <= made.at_levels(prediction, frame)).mean(axis=0)
    assert np.abs(share - LEVELS).max() < 0.03


def test_weights_count_in_shares():
    """Rows that weigh nothing to speak of may lie anywhere."""
    n = 1500
    frame, y, prediction = world(5, n)
    wild = np.arange(n) % 3 == 0
    y = np.where(wild, y + 100.0, y)
    weight = np.where(wild, 1e-6, 1.0)
    residual = band(y, prediction, quantiles=(0.1, 0.9), weight=weight)
    made, choice = choose_band(
        Rows(frame, y, prediction, in_folds(n), weight), residual, learner_of, TASK, left=lambda: math.inf
    )
    assert choice.kind == "fitted"
    share = (y[~wild, None] <= made.at_levels(prediction, frame)[~wild]).mean(axis=0)
    assert np.abs(share - [0.1, 0.9]).max() < 0.04


def test_folds_in_time_never_learn_from_later_rows():
    rows = np.arange(500, 2000)
    folds = [(np.arange(s), np.arange(s, s + 500)) for s in (1500, 1000, 500)]
    found = band_folds(folds, rows, 2000)
    assert [(t.max(), v.min()) for t, v in found] == [(999, 1000), (499, 500)]  # the first block has nothing before it
    assert len(band_folds([*in_folds(900), *in_folds(900, 3)], np.arange(900), 900)) == 4


def test_groups_are_whole_in_one_fold_that_judges_alone():
    n = 1200
    frame, y, prediction = world(7, n)
    groups = np.repeat(np.arange(n // 6), 6)
    folds = [(np.arange(800), np.arange(800, n))]
    residual = band(y, prediction, quantiles=LEVELS)
    _, choice = choose_band(
        Rows(frame, y, prediction, folds, groups=groups), residual, learner_of, TASK, left=lambda: math.inf
    )
    assert choice.gain.n == 400
    assert "cluster" in choice.gain.method


def test_a_number_that_holds_its_share():
    scores = np.random.default_rng(0).permutation(99).astype(float)
    assert held_by(scores, 0.9) == 89.0 and held_by(scores, 0.1) == 9.0
    assert held_by(scores, 0.995) == math.inf and held_by(scores, 0.005) == -math.inf


def test_facts_called_as_the_prediction_is_are_no_clash():
    frame, y, prediction = world(8, 1000)
    both = frame.beside(Frame((Feature("prediction", "number"),), (np.zeros(1000),)))
    residual = band(y, prediction, quantiles=LEVELS)
    made, _ = choose_band(Rows(both, y, prediction, in_folds(1000)), residual, learner_of, TASK, left=lambda: math.inf)
    assert isinstance(made, FittedBand)
    assert np.isfinite(made.at_levels(prediction, both)).all()
