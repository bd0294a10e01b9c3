import itertools

import numpy as np
from scipy.stats import multivariate_t

from holdgood.decisions.segment_regressions import SegmentRegressions

HAZARD, SHAPE, NOISE, MIDDLE = 0.2, 2.0, 0.5, 0.7
START, SPREAD = np.array([[0.1, 0.4]]), np.array([[3.0, 1.5]])


def evidence(z, x):
    """Log density of one stretch in one piece: a multivariate t with every coefficient integrated out."""
    shape = NOISE * (np.eye(len(z)) + x @ np.diag(SPREAD[0]) @ x.T)
    return multivariate_t(MIDDLE + x @ START[0], shape, df=2 * SHAPE).logpdf(z)


def brute(z, x):
    """Density of all z, and the weight of each last start, over all 2^(T-1) ways to cut."""
    t, total, starts = len(z), 0.0, np.zeros(len(z))
    for cuts in itertools.product([False, True], repeat=t - 1):
        edges = [0, *(i + 1 for i, cut in enumerate(cuts) if cut), t]
        weight = HAZARD ** sum(cuts) * (1 - HAZARD) ** (t - 1 - sum(cuts))
        weight *= np.exp(sum(evidence(z[a:b], x[a:b]) for a, b in itertools.pairwise(edges)))
        total += weight
        starts[edges[-2]] += weight
    return total, starts / total


def test_the_posterior_over_starts_is_that_of_all_ways_to_cut_the_series():
    rng = np.random.default_rng(3)
    z, x = np.r_[rng.normal(1, 0.3, 4), rng.normal(4, 0.3, 3)], np.c_[np.ones(7), rng.normal(size=7)]
    bank = SegmentRegressions(START, SPREAD, np.array([HAZARD]), SHAPE, np.array([[NOISE]]))
    log_density = 0.0
    for t in range(7):
        bank.begin(np.array([[MIDDLE]]))
        features = np.broadcast_to(x[t], (1, 1, t + 1, 2))
        log_density += bank.update(z[t : t + 1], features, np.full((1, 1, 1), np.nan))[0, 0]
    total, starts = brute(z, x)
    np.testing.assert_allclose(log_density, np.log(total), rtol=1e-10)
    np.testing.assert_allclose(np.exp(bank.log_weight[0, 0]), starts, rtol=1e-8)
    assert starts[4] > 0.5  # the series was made to change there


def test_draws_have_the_moments_of_the_posterior():
    rng = np.random.default_rng(4)
    z, x = rng.normal(2, 0.5, 9), np.c_[np.ones(9), rng.normal(size=9)]
    bank = SegmentRegressions(START, SPREAD, np.array([0.0]), SHAPE, np.array([[NOISE]]))
    bank.begin(np.array([[MIDDLE]]))
    for t in range(9):
        bank.update(z[t : t + 1], x[t].reshape(1, 1, 1, 2), np.full((1, 1, 1), np.nan))
    precision = np.diag(1 / SPREAD[0]) + x.T @ x
    mean = np.linalg.solve(precision, START[0] / SPREAD[0] + x.T @ (z - MIDDLE))
    zeros = np.zeros(200_000, int)
    _, _, coefficients, s = bank.draw(zeros, zeros, rng)
    np.testing.assert_allclose(bank.mean[0, 0, 0], mean, rtol=1e-9)
    np.testing.assert_allclose(coefficients.mean(0), mean, atol=0.01)
    a, b = bank.a[0, 0, 0], bank.b[0, 0, 0]
    np.testing.assert_allclose(np.cov(coefficients.T), np.linalg.inv(precision) * b / (a - 1), atol=0.005)
    np.testing.assert_allclose((s**2).mean(), b / (a - 1), rtol=0.02)


def test_a_coefficient_without_prior_spread_stays_where_it_is():
    bank = SegmentRegressions(
        np.array([[0.3, 0.0]]), np.array([[0.0, 1.0]]), np.array([0.1]), SHAPE, np.array([[NOISE]])
    )
    for _ in range(4):
        bank.begin(np.zeros((1, 1)))
        bank.update(np.array([5.0]), np.ones((1, 1, bank.a.shape[2], 2)), np.full((1, 1, 1), np.nan))
    _, _, coefficients, _ = bank.draw(np.zeros(50, int), np.zeros(50, int), np.random.default_rng(0))
    assert np.all(coefficients[:, 0] == 0.3)
