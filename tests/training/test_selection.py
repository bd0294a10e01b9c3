from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from holdgood.core.task import Task
from holdgood.metrics import loss_rows
from holdgood.training import selection
from holdgood.training.selection import blend, greedy, mix

TASK = Task(kind="regression", metric="rmse")


def everybody(order):
    return order


def problem(seed, n=300, noises=(0.5, 0.5, 1.0)):
    rng = np.random.default_rng(seed)
    y = rng.normal(size=n)
    return y, [y + s * rng.normal(size=n) for s in noises], np.arange(n) % 3


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), members=st.integers(1, 6))
def test_weights_are_a_mean_that_is_no_worse_than_the_best_member(seed, members):
    y, predictions, _ = problem(seed, noises=tuple(np.linspace(0.3, 2, members)))
    weights = greedy(TASK, y, predictions)
    assert abs(weights.sum() - 1) < 1e-12
    assert (weights >= 0).all()
    best = min(np.mean(np.square(p - y)) for p in predictions)
    assert np.mean(np.square(mix(weights, predictions) - y)) <= best + 1e-12


def test_two_greedy_steps_are_those_of_brute_force():
    y, predictions, _ = problem(4)
    loss = lambda p: float(np.mean(loss_rows(TASK, y, p)))  # noqa: E731
    first = min(range(3), key=lambda i: loss(predictions[i]))
    second = min(range(3), key=lambda i: loss((predictions[first] + predictions[i]) / 2))
    picked = np.bincount([first, second], minlength=3) / 2
    assert (greedy(TASK, y, predictions, steps=2) == picked).all()


def test_mixing_is_near_the_best_of_a_fine_grid():
    y, predictions, _ = problem(9)
    grid = [np.array([a, b, 20 - a - b]) / 20 for a, b in itertools.product(range(21), repeat=2) if a + b <= 20]
    best = min(np.mean(np.square(mix(w, predictions) - y)) for w in grid)
    assert np.mean(np.square(mix(greedy(TASK, y, predictions), predictions) - y)) < 1.02 * best


def test_outcomes_of_a_fold_choose_nothing_for_that_fold():
    y, predictions, fold_of = problem(1)
    before = blend(TASK, y, predictions, fold_of, everybody).prediction
    changed = np.where(fold_of == 1, predictions[2], y)
    after = blend(TASK, changed, predictions, fold_of, everybody)
    assert (before[fold_of == 1] == after.prediction[fold_of == 1]).all()
    assert after.weights[2] > 0.1  # while the weights for delivery did see the change


def test_of_two_halves_each_chooses_for_the_other():
    y, predictions, _ = problem(2)
    one = np.arange(len(y)) % 2
    even = np.arange(len(y)) % 2 == 0
    changed = np.where(even, y, y + 100)
    first, second = (blend(TASK, v, predictions, one, everybody).prediction for v in (y, changed))
    assert (first[~even] == second[~even]).all()


def test_weights_of_many_rows_come_from_an_even_sample(monkeypatch):
    monkeypatch.setattr(selection, "MOST_ROWS", 500)
    y, predictions, fold_of = problem(3, n=6000)
    sampled = blend(TASK, y, predictions, fold_of, everybody)
    assert np.mean(np.square(sampled.prediction - y)) < min(np.mean(np.square(p - y)) for p in predictions)


def test_the_cut_to_the_best_sits_inside_the_resampling():
    """Where all candidates are equal in truth, picking the best of many by all rows would make them look better."""
    y = np.zeros(240)
    fold_of = np.arange(240) % 3
    gains, outside = [], []
    for seed in range(150):
        predictions = list(np.random.default_rng(seed).normal(size=(30, 240)))
        mixed = blend(TASK, y, predictions, fold_of, lambda order: order[:1])
        gains.append(np.mean(np.square(mixed.prediction)) - 1.0)
        best = min(predictions, key=lambda p: float(np.mean(np.square(p))))
        outside.append(np.mean(np.square(best)) - 1.0)
        assert (mixed.weights > 0).sum() == 1
    error = np.std(gains) / np.sqrt(len(gains))
    assert abs(np.mean(gains)) < 3.3 * error
    assert np.mean(outside) < -10 * error  # what the cut outside of it claimed


def test_members_that_hardly_count_are_left_out():
    weights = greedy(TASK, *problem(0, noises=(0.1, 5.0, 6.0))[:2])
    assert weights[0] == 1.0


def test_of_several_classes_weights_are_those_that_all_columns_would_give():
    rng = np.random.default_rng(3)
    y = rng.integers(0, 5, 2000).astype(float)
    task = Task(kind="multiclass", classes=(0, 1, 2, 3, 4))
    drawn = [rng.dirichlet(np.ones(5), 2000) + np.eye(5)[y.astype(int)] * share for share in (0.3, 0.5, 0.4)]
    predictions = [p / p.sum(axis=1, keepdims=True) for p in drawn]
    mixed = blend(task, y, predictions, np.arange(2000) % 2, everybody)
    assert mixed.weights.tolist() == greedy(task, y, predictions).tolist()  # looks at all columns
    odd = np.arange(2000) % 2 == 1
    others = greedy(task, y[odd], [p[odd] for p in predictions])
    assert np.allclose(mixed.prediction[~odd], sum(w * p[~odd] for w, p in zip(others, predictions, strict=True)))
