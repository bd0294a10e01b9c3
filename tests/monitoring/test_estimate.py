"""The estimate before outcomes is nearer to the truth than 'nothing has changed', and its interval holds."""

import numpy as np
import pytest
from scipy.stats import binom

from holdgood.core.frame import Feature, Frame
from holdgood.monitoring.estimate import from_chances, from_expected
from holdgood.monitoring.support import unlike

NONE = np.zeros(1_000, bool)


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
        found = from_chances(now, losses(now), np.stack([stated, y], axis=1), NONE[:800])
        came = losses(now)[np.arange(800), truth.astype(int)].mean()
        hit += found.low <= came <= found.high
        error.append(abs(found.value - came))
        naive.append(abs(losses(stated)[np.arange(1_500), y.astype(int)].mean() - came))
    assert hit >= binom.ppf(0.001, tries, 0.95)
    assert np.mean(error) <= 0.5 * np.mean(naive)


def amounts(rng, n, centre):
    x = rng.normal(centre, 1.0, n)
    return x, np.square(rng.normal(0.0, np.exp(0.3 * x)))


def test_from_expected():
    rng, tries, hit, error, naive = np.random.default_rng(1), 60, 0, [], []
    for _ in range(tries):
        reference, seen = amounts(rng, 2_000, 0.0)
        current, came = amounts(rng, 1_000, 1.0)
        found = from_expected(current, np.stack([reference, seen], axis=1), NONE[:1_000])
        hit += found.low <= came.mean() <= found.high
        error.append(abs(found.value - came.mean()))
        naive.append(abs(seen.mean() - came.mean()))
    assert hit >= binom.ppf(0.001, tries, 0.95)
    assert np.mean(error) <= 0.5 * np.mean(naive)
    assert "same facts still lead to the same outcomes" in found.method


def test_losses_that_moved_may_have_moved_further_than_their_model_says():
    """What the model of losses has not learned moved too: the interval reaches half as far again, to the side of the move alone."""
    rng, tries, hit = np.random.default_rng(6), 40, 0
    for _ in range(tries):
        a, b, now_a, now_b = (np.abs(rng.normal(c, 1.0, n)) for n, c in ((2_000, 0.0),) * 2 + ((1_000, 1.5),) * 2)
        losses, came = (2.0 + k + 0.4 * m + rng.exponential(size=len(k)) for k, m in ((a, b), (now_a, now_b)))
        found = from_expected(3.0 + now_a, np.stack([3.0 + a, losses], axis=1), NONE)
        hit += found.low <= came.mean() <= found.high
    assert hit >= binom.ppf(0.001, tries, 0.95)
    assert found.high - found.value > 2.0 * (found.value - found.low)


def test_a_row_beyond_all_pairs_is_taken_at_its_word_as_far_as_losses_were_seen():
    rng = np.random.default_rng(7)
    x = rng.uniform(1.0, 2.0, 1_000)
    pairs = np.stack([x, x * rng.uniform(0.0, 2.0, 1_000)], axis=1)
    one, far = (from_expected(np.full(10, v), pairs, NONE[:10]).value for v in (3.0, 1e6))
    assert 2.7 < one < 3.3  # it had been 2, the edge
    assert far == pytest.approx(pairs[:, 1].max())


def test_predictions_that_are_all_one_leave_the_mean_of_losses():
    losses = np.random.default_rng(2).exponential(size=300)
    found = from_expected(np.full(40, 3.0), np.stack([np.full(300, 3.0), losses], axis=1), NONE[:40])
    assert found.low < losses.mean() < found.high


def test_rows_unlike_the_reference_widen_by_the_best_and_the_worst():
    rng = np.random.default_rng(3)
    stated, y = world(rng, 1_500, 0.0)
    now = world(rng, 800, 0.0)[0]
    pairs, strange = np.stack([stated, y], axis=1), np.arange(800) < 40
    calm, wide = (from_chances(now, losses(now), pairs, u) for u in (NONE[:800], strange))
    assert wide.value == calm.value
    most = losses(now).max(axis=1)[:40].sum() / 800
    assert calm.high < wide.high < calm.high + most
    assert "5.0% of rows are unlike the reference" in wide.method
    x, lost = amounts(rng, 2_000, 0.0)
    beyond = from_expected(np.r_[x[:999], 50.0], np.stack([x, lost], axis=1), NONE[:1_000])
    assert "are unlike the reference" in beyond.method  # a prediction that no pair comes near


class Far:
    """Squared distance from the middle, whatever it is given to learn."""

    def __init__(self, frame, y):
        pass

    def predict(self, frame):
        return np.sum([np.square(a) for a in frame.arrays], axis=0)


def test_rows_beyond_the_reference_are_known_and_others_are_not_blamed():
    rng = np.random.default_rng(4)

    def frame(n, spread):
        return Frame(tuple(Feature(c, "number") for c in "abcd"), tuple(spread * rng.normal(size=(4, n))))

    reference = frame(2_000, 1.0)
    assert not unlike(Far, reference, frame(1_000, 1.0)).any()
    assert not unlike(Far, reference, frame(50, 9.0)).any()  # too few to tell
    far = frame(1_000, 2.5)
    strange = unlike(Far, reference, far)
    distance = Far(None, None).predict(far)
    assert strange.mean() > 0.5
    assert distance[strange].min() > np.quantile(Far(None, None).predict(reference), 0.9)
