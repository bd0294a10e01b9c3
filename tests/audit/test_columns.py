"""Columns as arrays agree with Python, are shared between checks and cannot be written to."""

import datetime as dt
from collections import Counter
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdgood.audit import columns
from holdgood.core.table import Table


def _in_chunks(array, cuts):
    edges = sorted({0, len(array), *(c % (len(array) + 1) for c in cuts)})
    parts = [array.slice(a, b - a) for a, b in pairwise(edges)] or [array]
    return Table.of(pa.table({"c": pa.chunked_array(parts, array.type)}), "t")


@given(
    st.lists(st.none() | st.sampled_from(["a", "b", "", "é", "B"]), max_size=30),
    st.lists(st.integers(0, 99), max_size=3),
)
@settings(max_examples=50, deadline=None)
def test_levels_and_codes_agree_with_python(values, cuts):
    table = _in_chunks(pa.array(values, pa.string()), cuts)
    counted = Counter(v for v in values if v is not None)
    assert columns.levels(table, "c") == sorted(counted.items(), key=lambda p: (-p[1], p[0]))
    codes, levels = columns.codes(table, "c")
    assert levels == len(counted)
    assert [v is None for v in values] == (codes == -1).tolist()
    assert len({(c, v) for c, v in zip(codes.tolist(), values, strict=True)}) == len(set(values))


@given(st.lists(st.none() | st.integers(-(2**53), 2**53), max_size=30), st.lists(st.integers(0, 99), max_size=3))
@settings(max_examples=50, deadline=None)
def test_numbers_agree_with_python(values, cuts):
    table = _in_chunks(pa.array(values, pa.int64()), cuts)
    expected = [float("nan") if v is None else float(v) for v in values]
    assert np.array_equal(columns.numbers(table, "c"), expected, equal_nan=True)
    assert columns.missing(table, "c").tolist() == [v is None for v in values]


def test_moments_are_microseconds():
    table = Table.of(pa.table({"m": [dt.datetime(1970, 1, 1, 0, 0, 1), None]}), "t")
    at, there = columns.moments(table, "m")
    assert (at.tolist(), there.tolist()) == ([1_000_000, 0], [True, False])
    assert columns.numbers(table, "m")[0] == 1e6


def test_arrays_are_shared_and_read_only():
    table = Table.of(pa.table({"x": [1.5, None, 2.0], "i": [1, 2, 3]}), "t")
    for name in ("x", "i"):
        array = columns.numbers(table, name)
        assert columns.numbers(table, name) is array
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 9.0
    plain = Table.of(pa.table({"x": [1.5, 2.0]}), "t")
    assert np.shares_memory(columns.numbers(plain, "x"), plain.data.column("x").chunk(0).to_numpy())
