from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from holdgood.core.task import Task
from holdgood.metrics import loss_rows
from holdgood.training.company import good_company

TASK = Task(kind="regression", metric="rmse")
Y = np.random.default_rng(0).normal(size=2000)


def losses(prediction):
    return loss_rows(TASK, Y, prediction)


def noise(seed, scale):
    return scale * np.random.default_rng(seed).normal(size=2000)


def test_what_is_behind_but_errs_otherwise_is_good_company():
    assert good_company(Y + noise(1, 1.5), Y + noise(2, 1.0), losses)


def test_what_errs_alike_and_more_is_not_nor_is_the_best_itself_nor_noise():
    best = Y + noise(2, 1.0)
    assert not good_company(best + noise(3, 0.5), best, losses)
    assert not good_company(best, best, losses)
    assert not good_company(Y + noise(4, 30.0), best, losses)


@pytest.mark.parametrize(("n", "most"), [(100, 0.08), (200, 0.05), (500, 0.03), (2000, 0.0)])
def test_chance_alone_makes_little_good_company(n, most):
    """What only adds noise to the best errs otherwise by luck on few rows: two standard errors, best of four shares."""
    kept = 0
    for seed in range(200):
        rng = np.random.default_rng([seed, n])
        y = rng.normal(size=n)
        best = y + rng.normal(size=n)
        rows = partial(loss_rows, TASK, y)
        kept += good_company(best + 0.1 * rng.normal(size=n), best, rows)
    assert kept / 200 <= most
