from __future__ import annotations

import math

import numpy as np
import pytest

from holdgood.scale import Pool
from holdgood.training import bag as bags
from holdgood.training.bag import bag
from holdgood.training.cost import Aim
from holdgood.training.ensemble import Ensemble
from holdgood.training.progress import Progress
from holdgood.training.work import Work, fit_fold


@pytest.fixture
def made(make_data, make_folds, families):
    """Work over two repeats of three folds, and a function that fits a trial on its folds."""
    frame, y, task = make_data(n=240)
    frame = frame.select(["a", "b", "c"])  # numbers alone: encoders of trees are the same in all folds
    work = Work(frame, y, None, task, (*make_folds(240), *make_folds(240, seed=1)))
    candidates = families(task, "prior", "linear", "lightgbm", rows=240)

    def fitted(index, pool, repeats=1, keep=True):
        p = Progress(index, candidates[index], 3 * repeats, True, base=3)
        for f in range(3 * repeats):
            where = pool.folder / f"chain-{index}-{f}" if keep else None
            p.done[f] = fit_fold(work, p.candidate, f, math.inf, where)
        p.status = "ok"
        return p

    with Pool(0) as pool:
        yield work, pool, fitted


def mean_of(work, members, weights, folds=range(3)):
    total = 0.0
    for p, weight in zip(members, weights, strict=True):
        total = total + weight * np.mean([p.done[f].chain.fresh().predict(work.frame) for f in folds], axis=0)
    return total


def go(work, pool, members, weights, aim=None, left=lambda: math.inf):
    return bag(work, pool, work, members, weights, 3, aim or Aim(), left=left)


def test_what_is_delivered_is_the_mean_of_the_folds_models(made):
    work, pool, fitted = made
    members, weights = [fitted(1, pool), fitted(2, pool)], [0.75, 0.25]
    one = go(work, pool, members[:1], [1.0])
    assert np.allclose(one.chain.predict(work.frame), mean_of(work, members[:1], [1.0]), rtol=1e-12)
    assert (one.folds, one.models, one.words) == (3, 3, "the mean of 3 models of the folds")
    both = go(work, pool, members, weights)
    # boosters of the three folds, whose encoders are equal, are one: their raw scores are averaged
    assert (both.folds, both.models) == (6, 4)
    assert both.words == "the mean of 6 models of the folds, merged into 4"
    assert np.abs(both.chain.predict(work.frame) - mean_of(work, members, weights)).max() < 0.05
    rebuilt = Ensemble.from_parts(both.chain.to_parts())
    assert (rebuilt.predict(work.frame) == both.chain.predict(work.frame)).all()
    row = work.frame.take(np.array([17]))
    assert both.chain.predict(row)[0] == both.chain.predict(work.frame)[17]


def test_all_repeats_are_used_unless_they_are_too_many(made, monkeypatch):
    work, pool, fitted = made
    members = [fitted(1, pool, repeats=2)]
    assert go(work, pool, members, [1.0]).folds == 6
    monkeypatch.setattr(bags, "MOST_MODELS", 5)
    assert go(work, pool, members, [1.0]).folds == 3
    monkeypatch.setattr(bags, "MOST_MODELS", 2)
    assert go(work, pool, members, [1.0]) is None


def test_what_costs_more_than_it_may_is_no_bag(made):
    work, pool, fitted = made
    members = [fitted(1, pool)]
    assert go(work, pool, members, [1.0], Aim(latency_ms=1e-6)) is None
    assert go(work, pool, members, [1.0], Aim(size_mb=1e-6)) is None
    assert go(work, pool, members, [1.0], Aim(1e6, 1e6)).folds == 3
    # by round numbers: three linear models of 0.07 and three encoders of 0.16 ms
    assert go(work, pool, members, [1.0], Aim(0.7, by_clock=False)).folds == 3
    assert go(work, pool, members, [1.0], Aim(0.68, by_clock=False)) is None


def test_a_single_fold_makes_no_bag(made):
    work, pool, fitted = made
    assert bag(work, pool, work, [fitted(1, pool)], [1.0], 1, Aim(), left=lambda: math.inf) is None


def test_chains_that_were_not_kept_are_fitted_again_to_the_same_bits_where_there_is_time(made):
    work, pool, fitted = made
    kept = go(work, pool, [fitted(2, pool)], [1.0])
    lost = fitted(2, pool, keep=False)
    assert go(work, pool, [lost], [1.0], left=lambda: 0.0) is None
    again = go(work, pool, [lost], [1.0])
    assert (again.chain.predict(work.frame) == kept.chain.predict(work.frame)).all()


def test_a_fit_that_hangs_without_a_clock_means_no_bag(made, custom):
    work, pool, fitted = made
    lost = fitted(1, pool, keep=False)
    lost.candidate = custom(work.task, lambda y, context: __import__("time").sleep(600))
    with Pool(1) as one:
        assert bag(work, one, one.share(work), [lost], [1.0], 3, Aim(), left=lambda: math.inf, patience=1.5) is None


def test_a_chain_that_cannot_be_fitted_again_means_no_bag(made, monkeypatch):
    work, pool, fitted = made
    lost = fitted(1, pool, keep=False)
    real = bags.fit_fold
    monkeypatch.setattr(bags, "fit_fold", lambda w, c, f, s, keep: real(w, c, f, s, None if f == 1 else keep))
    assert go(work, pool, [lost], [1.0]) is None
