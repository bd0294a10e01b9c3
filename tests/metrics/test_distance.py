import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from holdgood.metrics import distance

SAMPLE = st.lists(st.integers(-5, 5), min_size=1, max_size=40)


@given(SAMPLE, SAMPLE)
@settings(max_examples=50, deadline=None)
def test_statistics_agree_with_scipy(first, second):
    a, b = np.array(first, float), np.array(second, float)
    assert distance.ks(a, b).statistic == pytest.approx(stats.ks_2samp(a, b).statistic)


def test_ks_p_value_for_large_samples():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=800), rng.normal(0.1, 1, size=600)
    assert distance.ks(a, b).p == pytest.approx(stats.ks_2samp(a, b, method="asymp").pvalue, rel=0.1)
    assert distance.ks(np.r_[a, np.nan], b) == distance.ks(a, b)


def test_chi2_agrees_with_scipy_where_nothing_is_thin():
    a, b = np.array([30, 50, 20]), np.array([45, 40, 60])
    known = stats.chi2_contingency(np.stack([a, b]), correction=False)
    assert distance.chi2(a, b).statistic == pytest.approx(known.statistic)
    assert distance.chi2(a, b).p == pytest.approx(known.pvalue)


def test_thin_levels_are_pooled():
    a, b = np.array([100, 1, 1, 2, 3]), np.array([100, 2, 1, 0, 4])
    known = stats.chi2_contingency([[100, 7], [100, 7]], correction=False)
    assert distance.chi2(a, b).statistic == pytest.approx(known.statistic, abs=1e-9)
    assert distance.chi2(np.array([3, 0]), np.array([2, 1])).p == 1.0  # too few rows to tell anything


@pytest.mark.parametrize("kind", ["ks", "chi2", "many levels"])
def test_false_alarms_stay_at_their_level(kind, acceptable):
    rng = np.random.default_rng(31)
    alarms = 0
    for _ in range(600):
        if kind == "ks":
            p = distance.ks(rng.normal(size=60), rng.normal(size=200)).p
        else:
            k = 4 if kind == "chi2" else 40
            chances = np.arange(1, k + 1) / (k * (k + 1) / 2)
            p = distance.chi2(rng.multinomial(150, chances), rng.multinomial(300, chances)).p
        alarms += p < 0.05
    assert acceptable(alarms, 600, 0.055)  # chi-squared is itself an approximation


def test_nothing_to_compare():
    empty = np.array([np.nan])
    assert math.isnan(distance.ks(empty, np.ones(3)).p)
    assert math.isnan(distance.chi2(np.zeros(2), np.ones(2)).p)
