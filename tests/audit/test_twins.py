"""Nearly equal rows are met and counted as brute force counts them, scaled up in large tables."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdgood.audit import twins as module
from holdgood.audit.twins import twins
from holdgood.core.table import Table


def _by_brute_force(rows, columns):
    pairs = [sum(a[c] != b[c] for c in columns) for i, a in enumerate(rows) for b in rows[:i]]
    return [pairs.count(k) for k in range(3)]


@given(st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_pairs_that_differ_in_up_to_two_columns_are_all_met(seed):
    rng = np.random.default_rng(seed)
    n, d = 30, int(rng.integers(4, 9))
    rows = [tuple(int(v) for v in rng.integers(0, 12, d)) for _ in range(n)]
    for i in range(0, 12, 3):  # copies with up to two changed cells
        copy = list(rows[i])
        for c in rng.integers(0, d, int(rng.integers(0, 3))):
            copy[c] = 99
        rows[i + 1] = tuple(copy)
    names = [f"c{j}" for j in range(d)]
    table = Table.of(pa.table({name: [r[j] for r in rows] for j, name in enumerate(names)}), "t")
    found = twins(table)
    used = [names.index(c) for c in found.compared]
    assert [round(found.level(k), 6) for k in range(3)] == _by_brute_force(rows, used)
    assert (found.first < found.second).all()


def test_a_share_of_the_rows_is_scaled_up(monkeypatch):
    rng = np.random.default_rng(3)
    columns = {f"x{i}": rng.normal(size=20_000).round(3) for i in range(6)}
    doubled = {n: np.concatenate([v, v[:2_000]]) for n, v in columns.items()}
    doubled["x2"][20_000:] += 1.0
    monkeypatch.setattr(module, "ROWS_KEPT", 4_000)
    found = twins(Table.of(pa.table(doubled), "t"))
    assert found.share < 0.2
    assert found.level(1) == pytest.approx(2_000, rel=0.15)


def test_wide_tables_are_compared_in_some_columns():
    rng = np.random.default_rng(4)
    found = twins(Table.of(pa.table({f"x{i}": rng.integers(0, 50, 300) for i in range(120)}), "t"))
    assert len(found.compared) == 48


@pytest.mark.parametrize("columns", [{"a": [1, 1], "b": [2, 2]}, {"a": [1.0]}, {"a": pa.nulls(5, pa.string())}])
def test_too_little_to_compare_gives_no_pairs(columns):
    assert len(twins(Table.of(pa.table(columns), "t")).first) == 0
