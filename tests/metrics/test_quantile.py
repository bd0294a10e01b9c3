import math

import pytest
from scipy import stats

from holdgood.metrics import quantile


def test_quantiles_and_tails_agree_with_scipy():
    for p in (0.001, 0.2, 0.975):
        assert quantile.normal_quantile(p) == pytest.approx(stats.norm.ppf(p))
        for df in (1, 3.5, 40, 2e6):
            assert quantile.t_quantile(p, df) == pytest.approx(stats.t.ppf(p, df), rel=1e-5)
    for x in (-1.0, 0.3, 6.0):
        assert quantile.t_two_sided(x, 7) == pytest.approx(2 * stats.t.sf(abs(x), 7))
    assert quantile.chi2_tail(7.0, 3) == pytest.approx(stats.chi2.sf(7.0, 3))


def test_infinite_and_missing_statistics():
    assert quantile.t_two_sided(math.inf, 4) == 0.0
    assert math.isnan(quantile.t_two_sided(math.nan, 4))
