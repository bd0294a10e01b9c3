import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from holdgood.audit.chance import (
    chi2_of_table,
    chi2_tail,
    holm,
    kolmogorov_tail,
    ks,
    log_hypergeometric_tail,
    normal_tail,
)


@given(st.floats(0.001, 2000), st.integers(1, 500))
@settings(max_examples=50, deadline=None)
def test_chi_squared_tail_agrees_with_scipy(x, df):
    assert chi2_tail(x, df) == pytest.approx(stats.chi2.sf(x, df), rel=1e-8, abs=1e-14)


def test_chi_squared_at_the_edges():
    assert (chi2_tail(0.0, 3), chi2_tail(float("inf"), 3), chi2_tail(5.0, 0)) == (1.0, 0.0, 1.0)


@given(st.lists(st.lists(st.integers(1, 200), min_size=3, max_size=3), min_size=2, max_size=5))
@settings(max_examples=50, deadline=None)
def test_contingency_agrees_with_scipy(table):
    p, v = chi2_of_table(np.array(table))
    expected = stats.chi2_contingency(np.array(table), correction=False)
    assert p == pytest.approx(expected.pvalue, rel=1e-7, abs=1e-13)
    assert v == pytest.approx(stats.contingency.association(np.array(table)), abs=1e-9)


def test_contingency_without_a_second_row_says_nothing():
    assert chi2_of_table(np.array([[3, 4], [0, 0]])) == (1.0, 0.0)


@given(st.integers(30, 300), st.integers(30, 300), st.integers(0, 10**6))
@settings(max_examples=30, deadline=None)
def test_ks_distance_agrees_with_scipy(n, m, seed):
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=n).round(1), rng.normal(0.2, 1, m).round(1)
    p, distance = ks(a, b)
    assert distance == pytest.approx(stats.ks_2samp(a, b).statistic, abs=1e-12)
    assert 0 <= p <= 1


def test_kolmogorov_and_normal_tails():
    for x in (0.3, 0.8, 1.36, 2.0):
        assert kolmogorov_tail(x) == pytest.approx(stats.kstwobign.sf(x), abs=1e-9)
    assert normal_tail(1.959963985) == pytest.approx(0.05, abs=1e-9)
    assert ks(np.array([]), np.array([1.0])) == (1.0, 0.0)


@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 60), st.integers(0, 40))
@settings(max_examples=50, deadline=None)
def test_hypergeometric_tail_agrees_with_scipy(hits, drawn, marked, more):
    total = max(drawn, marked) + more
    expected = stats.hypergeom.sf(hits - 1, total, marked, drawn)
    found = np.exp(log_hypergeometric_tail(hits, drawn, marked, total))
    assert found == pytest.approx(expected, rel=1e-7, abs=1e-12)


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03]).tolist() == pytest.approx([0.03, 0.06, 0.06])
