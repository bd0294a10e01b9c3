"""Far tails of differences of means that lean, against distributions that are known."""

import numpy as np
import pytest
from scipy.stats import gamma, hypergeom, norm

from holdgood.monitoring.tail import log_tail


@pytest.mark.parametrize("far", [2.5, 3.5, 4.5, -2.5, -3.5])
def test_means_of_exponential_rows_have_the_tail_of_the_gamma_distribution(far):
    n, m = 100_000, 60
    values = -np.log1p(-(np.arange(n + m) + 0.5) / (n + m))
    values -= values.mean()
    shift = far * float(np.std(values)) * np.sqrt(1.0 / m + 1.0 / n)
    exact = gamma(m).sf(m + m * shift) if far > 0 else gamma(m).cdf(m + m * shift)
    assert np.exp(log_tail(values, n, shift)) / 2 == pytest.approx(exact, rel=0.1)
    assert norm.sf(abs(far)) != pytest.approx(exact, rel=0.3), "the normal tail is wrong here"


def test_shares_have_the_tail_of_the_hypergeometric_distribution():
    n, m, hits = 5_000, 500, 600
    values = np.r_[np.zeros(n + m - hits), np.ones(hits)]
    for now in (75, 85, 35, 30):
        shift = now / m - (hits - now) / n
        exact = hypergeom(n + m, hits, m)
        side = exact.sf(now) + exact.pmf(now) / 2 if shift > 0 else exact.cdf(now) - exact.pmf(now) / 2
        assert np.exp(log_tail(values - values.mean(), n, shift)) / 2 == pytest.approx(side, rel=0.15)


def test_nothing_that_varies_and_shifts_beyond_all_rows():
    assert log_tail(np.zeros(100), 50, 0.0) == 0.0
    values = np.r_[np.full(50, -1.0), np.full(50, 1.0)]
    assert log_tail(values, 50, 2.0) < np.log(1e-10)  # all of one kind on one side: as far as it goes
    assert log_tail(values, 50, 0.0) == 0.0


@pytest.mark.parametrize(("n", "m"), [(500, 200), (300, 3_000), (20_000, 2_000), (4_001, 399)])
def test_a_level_that_only_one_side_has_is_far_out_whatever_rounding_does(n, m):
    for side in (1.0, -1.0):
        values = side * np.r_[np.zeros(n), np.ones(m)]
        for centre in (values.mean(), m / (n + m) * side, values.sum() / len(values) * (1 + 2e-16)):
            assert log_tail(values - centre, n, side) < -100.0
