import numpy as np
import pandas as pd
import pyarrow as pa

from holdgood.audit import profile
from holdgood.audit.memory import Memory
from holdgood.core.table import Table

rng = np.random.default_rng(15)


def test_numbers_agree_with_pandas():
    x = np.where(rng.random(999) < 0.1, np.nan, rng.normal(size=999).round(2))
    table = Table.of(pa.table({"x": pa.array(x, from_pandas=True), "n": rng.integers(0, 9, 999)}), "t")
    p = {c.name: c for c in profile(table).columns}
    s = pd.Series(x)
    assert (p["x"].missing, p["x"].distinct) == (s.isna().sum(), s.nunique())
    assert np.allclose([p["x"].mean, p["x"].sd, p["x"].low, p["x"].high], [s.mean(), s.std(), s.min(), s.max()])
    assert np.allclose(p["x"].quantiles, s.quantile([0.001, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 0.999]))


def test_levels_only_where_ten_rows_share_one():
    table = Table.of(pa.table({"c": ["a"] * 12 + ["b"] * 10 + ["secret"] * 9 + [None]}), "t")
    (c,) = profile(table).columns
    assert c.levels == (("a", 12), ("b", 10))
    assert (c.distinct, c.missing) == (3, 1)


def test_infinities_are_counted_and_left_out():
    (c,) = profile(Table.of(pa.table({"x": [1.0, 3.0, float("inf"), float("-inf")]}), "t")).columns
    assert (c.infinite, c.mean, c.high) == (2, 2.0, 3.0)


def test_empty_and_single_rows():
    for rows in (0, 1):
        table = Table.of(
            pa.table({"x": pa.array([1.5][:rows], pa.float64()), "c": pa.array(["a"][:rows], pa.string())}), "t"
        )
        assert [c.rows for c in profile(table).columns] == [rows, rows]


def test_a_result_is_remembered_while_the_table_lives():
    memory, calls = Memory(), []
    data = pa.table({"a": [1]})
    for _ in range(2):
        assert memory.get(data, "k", lambda: calls.append(1) or 5) == 5
    assert calls == [1]
    del data
    assert memory._kept == {}
    table = Table.of(pa.table({"a": [1, 2]}), "t")
    assert profile(table) is profile(table)
    assert profile(table.with_types({"a": "category"})).columns[0].type == "category"
