import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from holdgood.cleaning.scale_values import REPAIR
from holdgood.core.table import Table


def _table(**columns):
    return Table.of(pa.table(columns), "t")


def _cells(table, column):
    return table.data.column(column).to_pylist()


def test_fahrenheit_back_to_celsius_within_a_bound():
    table = _table(t=pa.array([20.0, 68.0, None, 104.0]))
    out, entry = REPAIR.apply(table, ["t"], {"factor": 1 / 1.8, "offset": -32 / 1.8, "low": 60})
    assert _cells(out, "t") == [20.0, 20.0, None, 40.0]
    assert entry.cells_changed == 2


def test_inches_become_the_number_that_was_meant():
    out, _ = REPAIR.apply(_table(x=pa.array([5.7, 0.3])), ["x"], {"factor": 25.4, "high": 1})
    assert _cells(out, "x") == [5.7, 7.62]


def test_whole_numbers_stay_whole_where_the_results_are():
    whole = _table(n=pa.array([5, 7000], pa.int64()))
    out, entry = REPAIR.apply(whole, ["n"], {"factor": 0.001, "low": 1000})
    assert (_cells(out, "n"), out.data.column("n").type, entry.cells_changed) == ([5, 7], pa.int64(), 1)
    out, entry = REPAIR.apply(whole, ["n"], {"factor": 0.01, "low": 1000})
    assert out.data.column("n").type == pa.int64()
    out, entry = REPAIR.apply(_table(n=pa.array([5, 7250], pa.int64())), ["n"], {"factor": 0.001, "low": 1000})
    assert (_cells(out, "n"), out.data.column("n").type, entry.cells_changed) == ([5.0, 7.25], pa.float64(), 2)


def test_a_condition_and_a_bound_both_must_hold():
    table = _table(w=pa.array([500.0, 900.0, 0.4]), unit=pa.array(["g", "kg", "g"]))
    out, entry = REPAIR.apply(table, ["w"], {"factor": 0.001, "low": 1, "where": "unit = 'g'"})
    assert (_cells(out, "w"), entry.cells_changed) == ([0.5, 900.0, 0.4], 1)


def test_nothing_to_do_leaves_the_table_as_it_is():
    table = _table(w=pa.array([1.0, None, float("inf")]))
    out, entry = REPAIR.apply(table, ["w"], {"factor": 2.0, "low": 5})
    assert out.fingerprint() == table.fingerprint()
    assert entry.cells_changed == 0


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-1e6, 1e6, allow_nan=False), min_size=1, max_size=30), st.sampled_from([0.001, 25.4, -1.0]))
def test_the_same_as_numpy(values, factor):
    table = _table(x=pa.array(values, pa.float64()))
    out, _ = REPAIR.apply(table, ["x"], {"factor": factor, "low": 100})
    expected = np.where(np.array(values) >= 100, np.array(values) * factor, values)
    np.testing.assert_allclose(_cells(out, "x"), expected, rtol=1e-11)
