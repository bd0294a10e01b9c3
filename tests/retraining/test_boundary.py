"""Error spent over looks: against closed forms, a walk of its own, and the properties that make it one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal, norm

from holdgood.core.errors import DataError
from holdgood.retraining import nominal_levels, power_of
from holdgood.retraining.boundary import spent


def test_one_look_is_the_plain_test():
    assert nominal_levels([1.0], 0.05) == pytest.approx([0.05], abs=1e-7)
    assert power_of([1.0], 0.05, 2.0) == pytest.approx(norm.sf(norm.isf(0.05) - 2.0), abs=1e-6)


def test_two_looks_spend_what_is_allowed_by_another_road():
    """The chance not to cross at two looks is a bivariate normal, which scipy integrates its own way."""
    first, last = nominal_levels([0.6, 1.0], 0.05)
    assert first == pytest.approx(spent(0.05, 0.6), abs=1e-8)
    root = np.sqrt(0.6)
    quiet = multivariate_normal([0, 0], [[1, root], [root, 1]]).cdf([norm.isf(first), norm.isf(last)])
    assert 1 - quiet == pytest.approx(0.05, abs=2e-5)


def test_walks_cross_as_often_as_stated_and_nearly_as_often_as_a_single_test_where_there_is_a_gain():
    shares = np.arange(1, 14) / 13
    bounds = norm.isf(nominal_levels(list(shares), 0.05)) * np.sqrt(shares)
    rng = np.random.default_rng(3)
    steps = rng.normal(size=(40_000, 13)) / np.sqrt(13)
    null = (np.cumsum(steps, axis=1) >= bounds).any(axis=1).mean()
    gain = (np.cumsum(steps + 2.0 / 13, axis=1) >= bounds).any(axis=1).mean()
    assert null == pytest.approx(0.05, abs=0.0045)
    assert gain == pytest.approx(power_of(list(shares), 0.05, 2.0), abs=0.01)
    assert gain > norm.sf(norm.isf(0.05) - 2.0) - 0.015


def test_a_look_without_new_rows_and_one_after_the_end_have_nothing_to_spend():
    levels = nominal_levels([0.5, 0.501, 1.0, 1.0, 3.0], 0.05)
    assert levels[1] == levels[3] == levels[4] == 0.0
    assert levels[0] > 0 and levels[2] > 0


@settings(max_examples=15, deadline=None)
@given(st.lists(st.floats(0.01, 1.0), min_size=1, max_size=6), st.floats(0.005, 0.2))
def test_levels_never_exceed_the_error_and_never_depend_on_later_looks(shares, error):
    shares = sorted(shares)
    levels = nominal_levels(shares, error)
    assert all(0.0 <= level <= error + 1e-9 for level in levels)
    assert nominal_levels(shares[:-1], error) == levels[:-1]


@pytest.mark.parametrize("shares", [[0.5, 0.2], [0.0, 1.0], [-1.0], [float("nan")]])
def test_looks_that_cannot_be(shares):
    with pytest.raises(DataError, match="shares above zero that rise"):
        nominal_levels(shares, 0.05)
