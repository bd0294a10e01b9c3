from __future__ import annotations

import numpy as np

from holdgood.core.task import Task
from holdgood.metrics import loss_rows
from holdgood.training.company import good_company

Y = np.random.default_rng(0).normal(size=2000)


def losses(prediction):
    return loss_rows(Task(kind="regression", metric="rmse"), Y, prediction)


def noise(seed, scale):
    return scale * np.random.default_rng(seed).normal(size=2000)


def test_what_is_behind_but_errs_otherwise_is_good_company():
    assert good_company(Y + noise(1, 1.5), Y + noise(2, 1.0), losses)


def test_what_errs_alike_and_more_is_not_nor_is_the_best_itself_nor_noise():
    best = Y + noise(2, 1.0)
    assert not good_company(best + noise(3, 0.5), best, losses)
    assert not good_company(best, best, losses)
    assert not good_company(Y + noise(4, 30.0), best, losses)


def test_chance_alone_makes_hardly_any_good_company():
    """What only adds noise is kept by luck in few of many: a mean with noise of its own seldom lowers a loss."""
    kept = sum(good_company(Y + noise(2, 1.0) + noise(100 + i, 0.6), Y + noise(2, 1.0), losses) for i in range(200))
    assert kept == 0
