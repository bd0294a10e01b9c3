import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdgood.metrics import group


@given(st.lists(st.tuples(st.integers(0, 2), st.booleans(), st.booleans()), max_size=50))
@settings(max_examples=50, deadline=None)
def test_rates_by_hand_masks(rows):
    table = np.array(rows, int).reshape(-1, 3)
    g, y, a = table[:, 0], table[:, 1], table[:, 2]
    counted = group.counts(g, 4, y, a)
    rates = {
        group.selection_rate: lambda m: a[m],
        group.true_positive_rate: lambda m: a[m & (y == 1)],
        group.false_positive_rate: lambda m: a[m & (y == 0)],
        group.precision: lambda m: y[m & (a == 1)],
        group.accuracy: lambda m: (y == a)[m],
        group.base_rate: lambda m: y[m],
    }
    for function, rows_of in rates.items():
        found = group.rate(function(counted))
        for k in range(4):
            values = rows_of(g == k)
            expected = values.mean() if len(values) else np.nan
            assert found[k] == pytest.approx(expected, nan_ok=True), function.__name__
    assert counted.n.tolist() == np.bincount(g, minlength=4).tolist()


def test_mean_residual_is_prediction_minus_truth():
    found = group.mean_residual(np.array([0, 0, 2]), 3, np.array([1.0, 2.0, 3.0]), np.array([2.0, 2.0, 1.0]))
    assert found == pytest.approx([0.5, np.nan, -2.0], nan_ok=True)
