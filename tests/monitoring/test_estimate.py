"""The estimate before outcomes is nearer to the truth than 'nothing has changed', and its interval holds."""

import numpy as np
from scipy.stats import binom

from holdgood.core.frame import Feature, Frame
from holdgood.monitoring.estimate import from_chances, from_losses


def world(rng, n, centre):
    x = rng.normal(centre, 1.0, n)
    chance = 1 / (1 + np.exp(-(0.5 + 1.2 * x)))
    stated = 1 / (1 + np.exp(-(0.8 + 1.0 * x)))  # not quite calibrated
    return stated, (rng.random(n) < chance).astype(float)


def losses(stated):
    return np.stack([-np.log1p(-stated), -np.log(stated)], axis=1)


def test_from_chances():
    rng = np.random.default_rng(0)
    tries, hit, error, naive = 60, 0, [], []
    for _ in range(tries):
        stated, y = world(rng, 1_500, 0.0)
        now, truth = world(rng, 800, rng.uniform(1.0, 2.5))
        found = from_chances(now, losses(now), np.stack([stated, y], axis=1))
        came = losses(now)[np.arange(800), truth.astype(int)].mean()
        hit += found.low <= came <= found.high
        error.append(abs(found.value - came))
        naive.append(abs(losses(stated)[np.arange(1_500), y.astype(int)].mean() - came))
    assert hit >= binom.ppf(0.001, tries, 0.95)
    assert np.mean(error) <= 0.5 * np.mean(naive)


class Line:
    """Least squares on a polynomial, as a learner gives it."""

    part = "test"

    def __init__(self, frame, y):
        self.weights = np.linalg.lstsq(self.design(frame), y, rcond=None)[0]

    def design(self, frame):
        x = frame.arrays[0]
        return np.stack([np.ones(len(x)), x, x * x], axis=1)

    def predict(self, frame):
        return self.design(frame) @ self.weights


def test_from_losses():
    rng = np.random.default_rng(1)

    def draw(n, centre):
        x = rng.normal(centre, 1.0, n)
        return Frame((Feature("x", "number"),), (x,)), np.square(rng.normal(0.0, np.exp(0.3 * x)))

    error, naive = [], []
    for _ in range(30):
        reference, seen = draw(2_000, 0.0)
        current, came = draw(1_000, 1.2)
        found = from_losses(Line, reference, seen, current)
        error.append(abs(found.value - came.mean()))
        naive.append(abs(seen.mean() - came.mean()))
    assert np.mean(error) <= 0.5 * np.mean(naive)
    assert "same facts still lead to the same outcomes" in found.method
