"""Distributions of steps and what holds them together, against scipy and against what was simulated."""

import numpy as np
import pytest
from scipy.special import ndtr, ndtri
from scipy.stats import nbinom, norm

from holdgood.models.forecasting.step_copula import StepCopula
from holdgood.models.forecasting.step_distribution import LEVELS, count_rank, counts_at, quantile_at, rank_of


def test_normal_quantiles_give_back_a_normal_to_its_tails():
    quantiles = norm.ppf(LEVELS, loc=3, scale=2)[None, :]
    ranks = np.array([[0.001, 0.03, 0.4, 0.5, 0.8, 0.999]])
    np.testing.assert_allclose(quantile_at(quantiles, ranks), norm.ppf(ranks, loc=3, scale=2), atol=1e-9)
    inside = np.array([0.1, 0.5, 0.75])
    np.testing.assert_allclose(rank_of(np.repeat(quantiles, 3, 0), norm.ppf(inside, 3, 2)), inside)


def test_counts_are_those_of_scipy():
    mean, dispersion = np.array([0.2, 3.0, 40.0]), np.array([1e-6, 0.5, 2.0])
    ranks = np.random.default_rng(0).random((3, 500))
    size = 1 / dispersion
    wanted = nbinom.ppf(ranks, size[:, None], (size / (size + mean))[:, None])
    np.testing.assert_array_equal(counts_at(mean, dispersion, ranks), wanted)


def test_randomised_ranks_of_counts_are_uniform():
    rng = np.random.default_rng(1)
    mean, dispersion = np.full(20_000, 0.7), np.full(20_000, 0.8)
    counts = rng.negative_binomial(1 / 0.8, (1 / 0.8) / (1 / 0.8 + 0.7), 20_000)
    ranks = count_rank(mean, dispersion, counts, rng)
    assert np.histogram(ranks, 10, (0, 1))[0] == pytest.approx(np.full(10, 2_000), abs=200)


@pytest.mark.parametrize(("shared", "fade"), [(0.0, 0.0), (0.5, 0.0), (0.2, 0.8)])
def test_a_copula_is_learned_back_and_drawn(shared, fade):
    ids = np.array([f"s{i}" for i in range(300)])
    ranks = StepCopula(shared, fade).draw(ids, 10, 8, 0)
    assert ranks.mean() == pytest.approx(0.5, abs=0.02)
    assert ndtri(ranks).std() == pytest.approx(1.0, abs=0.03)
    found = StepCopula.learn(ranks.reshape(-1, 8))
    lag = np.arange(1, 8)
    wanted = shared + (1 - shared) * fade**lag
    np.testing.assert_allclose(found.shared + (1 - found.shared) * found.fade**lag, wanted, atol=0.08)


def test_distributions_that_were_too_narrow_are_widened():
    rng = np.random.default_rng(2)
    narrow = ndtr(1.5 * rng.normal(size=(500, 4)))
    found = StepCopula.learn(narrow)
    assert found.width == pytest.approx(1.5, abs=0.08)
    assert StepCopula.learn(ndtr(0.7 * rng.normal(size=(500, 4)))).width == 1.0
    drawn = ndtri(found.draw(np.array([f"s{i}" for i in range(200)]), 20, 4, 0))
    assert drawn.std() == pytest.approx(1.5, abs=0.1)


def test_a_copula_of_few_forecasts_is_the_usual_one():
    assert StepCopula.learn(np.full((3, 4), np.nan)) == StepCopula(0.2, 0.5)
    assert StepCopula.learn(ndtr(np.zeros((2, 1)))) == StepCopula(0.2, 0.5)
