"""Keys are found by how rarely they repeat, without names; measures and chance are not taken for keys."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdgood.audit.keys import code_like, keys, repeated, repeats, whole
from holdgood.core.table import Table

rng = np.random.default_rng(11)


def _keys(columns):
    return [(k.columns, k.repeats) for k in keys(Table.of(pa.table(columns), "t"))]


def test_running_numbers_codes_and_clocks_name_rows():
    n = 300
    clock = np.datetime64("2024-01-01", "us") + np.arange(n) * np.timedelta64(1800, "s")
    columns = {
        "nr": rng.permutation(n) + 7,
        "code": [f"P{v:05d}" for v in rng.choice(90_000, n, replace=False)],
        "at": clock,
        "amount": rng.normal(size=n),
        "name": [f"Person number {i} of some" for i in range(n)],
    }
    assert _keys(columns) == [(("nr",), 0), (("code",), 0), (("at",), 0)]


def test_random_amounts_do_not_name_rows():
    assert _keys({"cents": rng.integers(0, 100_000, 2_000), "x": rng.normal(size=2_000).round(1)}) == []


def test_a_few_repeats_are_counted():
    nr = np.arange(1_000)
    nr[:30] = nr[500:530]
    assert _keys({"nr": nr, "x": rng.integers(0, 9, 1_000)}) == [(("nr",), 30)]


def test_a_panel_is_named_by_unit_and_time_and_its_doubles_are_counted():
    unit, day = np.repeat(np.arange(40), 60), np.tile(np.arange(60), 40)
    units = np.array([f"shop {u}" for u in unit])
    days = np.datetime64("2024-01-01", "us") + day.astype("timedelta64[D]")
    value = rng.integers(0, 30, len(unit))
    assert _keys({"v": value, "u": units, "d": days}) == [(("u", "d"), 0)]
    twice = np.r_[np.arange(len(unit)), 5:65]
    assert _keys({"v": value[twice], "u": units[twice], "d": days[twice]}) == [(("u", "d"), 60)]


def test_three_columns_where_two_are_not_enough():
    a, b, c = (v.ravel() for v in np.meshgrid(np.arange(12), np.arange(15), np.arange(10)))
    columns = {
        "a": [f"a{v}" for v in a],
        "b": [f"b{v}" for v in b],
        "c": [f"c{v}" for v in c],
        "x": rng.normal(size=len(a)),
    }
    assert _keys(columns) == [(("a", "b", "c"), 0)]


def test_independent_columns_make_no_key():
    assert _keys({f"k{i}": rng.integers(0, 40, 1_500) for i in range(4)}) == []


def test_few_rows_have_no_key():
    assert _keys({"nr": range(20)}) == []


@given(st.lists(st.tuples(st.integers(0, 5) | st.none(), st.sampled_from("ab")), min_size=1, max_size=40))
@settings(max_examples=50, deadline=None)
def test_repeated_pairs_agree_with_python(rows):
    table = Table.of(pa.table({"a": pa.array([r[0] for r in rows], pa.int64()), "b": [r[1] for r in rows]}), "t")
    first, second = repeated(table, ("a", "b"))
    there = [r for r in rows if r[0] is not None]
    assert len(first) == len(there) - len(set(there))
    assert all(rows[i] == rows[j] for i, j in zip(first, second, strict=True))


@given(st.lists(st.integers(0, 9), max_size=30))
@settings(max_examples=30, deadline=None)
def test_repeats_agree_with_python(values):
    assert repeats(np.array(values, dtype=np.uint64)) == len(values) - len(set(values))


@pytest.mark.parametrize(
    ("values", "is_code"),
    [
        (["A1", "B22"], True),
        (["ab", "cd"], True),
        (["two words", "x1"], False),
        (["abc", "de"], False),
        ([None, None], False),
    ],
)
def test_what_looks_like_a_code(values, is_code):
    table = Table.of(pa.table({"v": pa.array(values, pa.string())}), "t")
    assert code_like(table, "v") is is_code


@pytest.mark.parametrize(
    ("values", "is_whole"), [([1.0, None, 3.0], True), ([1.5, 2.0], False), (["1"], False), ([1], True)]
)
def test_what_is_a_whole_number(values, is_whole):
    assert whole(Table.of(pa.table({"v": values}), "t"), "v") is is_whole
