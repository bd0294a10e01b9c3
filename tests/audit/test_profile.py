import numpy as np
import pandas as pd
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from holdgood.audit import profile
from holdgood.audit.memory import Memory
from holdgood.audit.profile import QUANTILES
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


@given(
    st.lists(
        st.none() | st.floats(-1e6, 1e6) | st.sampled_from([0.0, -0.0, 1.5, 1.5, float("inf"), float("-inf")]),
        min_size=1,
        max_size=60,
    )
)
@settings(max_examples=50, deadline=None)
def test_exact_numbers_agree_with_numpy(values):
    (c,) = profile(Table.of(pa.table({"x": pa.array(values, pa.float64())}), "t")).columns
    there = np.array([v for v in values if v is not None], dtype=float)
    finite = there[np.isfinite(there)]
    assert (c.missing, c.infinite) == (values.count(None), len(there) - len(finite))
    assert c.distinct == len(set(there.tolist()))
    if len(finite):
        assert np.allclose([c.low, c.high, c.mean], [finite.min(), finite.max(), finite.mean()])
        assert np.allclose(c.quantiles, np.quantile(finite, QUANTILES))


def test_whole_numbers_beyond_floats_are_counted_exactly():
    (c,) = profile(Table.of(pa.table({"i": [2**53, 2**53 + 1, 2**62, 2**62 + 1, 2**62 + 1, None]}), "t")).columns
    assert (c.distinct, c.missing) == (4, 1)


def test_texts_that_hardly_repeat_are_counted_like_others():
    texts = [f"id {i}" for i in range(30_000)] + ["often"] * 300 + ["rare"] * 12 + [None] * 5
    order = np.random.default_rng(2).permutation(len(texts))
    table = Table.of(pa.table({"t": [texts[i] for i in order]}), "t")
    (c,) = profile(table).columns
    assert (c.distinct, c.missing, c.levels) == (30_002, 5, (("often", 300), ("rare", 12)))
    many = Table.of(pa.table({"t": [f"level {i % 2500}" for i in range(30_000)]}), "t")
    (c,) = profile(many).columns
    assert (c.distinct, len(c.levels), c.levels[0]) == (2500, 50, ("level 0", 12))
