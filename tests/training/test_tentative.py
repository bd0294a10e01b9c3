"""What looks for columns to add and finds none is ended on its first fold; a later fold without any is fitted on the columns alone."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from holdgood.core.budget import Budget, Clock
from holdgood.core.frame import Feature, Frame
from holdgood.core.task import Task
from holdgood.features.encode.for_needs import encoder_for
from holdgood.training import train
from holdgood.training.work import Work, fit_fold

REGRESSION = Task(kind="regression", metric="rmse")


def crossed(candidate):
    encoder = partial(encoder_for, candidate.needs, crossed=True)
    name, parameters = candidate.name + "-crosses", {**candidate.parameters, "crosses": True}
    return replace(candidate, name=name, make_encoder=encoder, parameters=parameters, tentative=True)


def rows(n, product):
    """Where ``product`` is true the outcome depends on two numbers together, else on each by itself."""
    rng = np.random.default_rng(5)
    x = rng.normal(size=(n, 3))
    together = np.where(product, 3 * x[:, 0] * x[:, 1], x[:, 0] + x[:, 1])
    frame = Frame(tuple(Feature(c, "number") for c in "abc"), tuple(x[:, i].copy() for i in range(3)))
    return frame, together + rng.normal(0, 0.5, n)


def trained(frame, y, folds, tried, workers):
    return train(
        frame, y, REGRESSION, tried, folds, clock=Clock(Budget.parse("trials=3")), prefer="best", workers=workers
    )


@pytest.mark.parametrize("workers", [0, 2])
def test_where_nothing_is_found_it_ends_with_the_reason_and_changes_nothing(families, make_folds, workers):
    frame, y = rows(600, False)
    plain = families(REGRESSION, "prior", "lightgbm")
    with_it = trained(frame, y, make_folds(600), [*plain, crossed(plain[-1])], workers)
    without = trained(frame, y, make_folds(600), plain, 0)
    told = with_it.leaderboard.trials[-1]
    assert (told.name, told.status, told.reason) == ("lightgbm-crosses", "stopped", "no cross passed its test")
    assert (told.score, told.fit_seconds) == (None, 0.0)
    assert not with_it.leaderboard.budget_hit
    assert np.array_equal(with_it.oof["chosen"], without.oof["chosen"])
    assert np.array_equal(with_it.chain.predict(frame), without.chain.predict(frame))


@pytest.mark.parametrize("workers", [0, 2])
def test_where_something_is_found_it_is_tried(families, make_folds, workers):
    frame, y = rows(600, True)
    plain = families(REGRESSION, "prior", "lightgbm")
    found = trained(frame, y, make_folds(600), [*plain, crossed(plain[-1])], workers)
    told = {t.name: t for t in found.leaderboard.trials}
    assert told["lightgbm-crosses"].status == "ok"
    assert told["lightgbm-crosses"].score.value < told["lightgbm"].score.value


def test_a_later_fold_in_which_nothing_is_found_has_the_columns_alone(families):
    product = np.arange(1200) < 600
    frame, y = rows(1200, product)
    first, last = np.arange(600), np.arange(600, 1200)
    work = Work(frame, y, None, REGRESSION, ((first[::2], first[1::2]), (last[::2], last[1::2])))
    plain = families(REGRESSION, "lightgbm")[0]
    with_crosses = [fit_fold(work, crossed(plain), fold, np.inf, None) for fold in (0, 1)]
    alone = [fit_fold(work, plain, fold, np.inf, None) for fold in (0, 1)]
    assert not any(fit.nothing or fit.error for fit in with_crosses)
    assert not np.array_equal(with_crosses[0].prediction, alone[0].prediction)
    assert np.array_equal(with_crosses[1].prediction, alone[1].prediction)
    turned = Work(frame, y, None, REGRESSION, work.folds[::-1])
    assert fit_fold(turned, crossed(plain), 0, np.inf, None).nothing == "no cross passed its test"


def test_no_other_fold_begins_while_the_first_shows_whether_there_is_anything(trial):
    p = trial(0, done=0)
    p.candidate = replace(p.candidate, tentative=True)
    p.under_way[0] = 0.0
    assert p.next_fold is None
    p.candidate = replace(p.candidate, tentative=False)
    assert p.next_fold == 1
