"""Pairs that mean the same thing: found beyond chance, judged near or not."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdgood.audit.doubles import _slip, _within, entered_twice, exact_by_chance, nearly_equal, of_one_name, one_thing
from holdgood.audit.keys import keys
from holdgood.core.table import Table

rng = np.random.default_rng(31)


def _rich(n):
    return {f"x{i}": rng.normal(50, 10, n).round(2) for i in range(8)} | {"c": rng.choice(list("abc"), n)}


def _copied(columns, rows, change):
    out = {n: np.concatenate([v, v[rows]]) for n, v in columns.items()}
    n = len(out["c"]) - len(rows)
    for i in range(len(rows)):
        change(out, n + i)
    return Table.of(pa.table(out), "t")


def test_changed_copies_are_found_with_their_rows():
    def nudge(out, row):
        out[f"x{row % 8}"][row] += 0.01

    table = _copied(_rich(1_000), np.arange(100, 120), nudge)
    found = nearly_equal(table)
    assert sorted(zip(found.first.tolist(), found.second.tolist(), strict=True)) == [
        (100 + i, 1000 + i) for i in range(20)
    ]
    assert found.near.all()
    assert found.rows == 20


def test_other_values_are_not_near():
    def other(out, row):
        out[f"x{row % 8}"][row] += 40

    found = nearly_equal(_copied(_rich(1_000), np.arange(20), other))
    assert len(found.first) == 20
    assert not found.near.any()


@pytest.mark.parametrize("seed", range(6))
def test_honest_tables_have_none(seed):
    own = np.random.default_rng(seed)
    n = 3_000
    size = own.gamma(3, 2, n)
    honest = {
        "size": size.round(1),
        "weight": (size * 2.1 + own.normal(0, 0.3, n)).round(1),
        "price": (size**2 * own.lognormal(0, 0.2, n)).round(0),
        "grade": own.choice(list("abcde"), n, p=[0.5, 0.2, 0.15, 0.1, 0.05]),
        "zero": np.where(own.random(n) < 0.9, 0, own.integers(1, 99, n)),
        "year": own.integers(2010, 2024, n),
        "flag": own.random(n) < 0.2,
        "count": own.poisson(3, n),
    }
    table = Table.of(pa.table(honest), "t")
    assert len(entered_twice(table, ()).first) == 0


def test_rows_of_few_values_meet_by_chance():
    few = {f"c{i}": rng.integers(0, 3, 4_000) for i in range(9)}
    table = Table.of(pa.table(few), "t")
    assert len(nearly_equal(table).first) == 0
    assert exact_by_chance(table, 400.0)


def test_one_name_for_copies_or_for_different_things():
    n = 400
    base = _rich(n) | {"nr": np.array([f"N{i:05d}" for i in range(n)])}
    rows = np.arange(12)
    copies = {c: np.concatenate([v, v[rows]]) for c, v in base.items()}
    copies["x0"][n:] += 30
    table = Table.of(pa.table(copies), "t")
    (key,) = keys(table)
    assert one_thing(table, of_one_name(table, key), key)
    others = {c: np.concatenate([v, v[rows + 100]]) for c, v in base.items()}
    others["nr"][n:] = base["nr"][rows]
    table = Table.of(pa.table(others), "t")
    (key,) = keys(table)
    assert not one_thing(table, of_one_name(table, key), key)


def _distance(a, b):
    """Optimal string alignment, by the table."""
    d = np.zeros((len(a) + 1, len(b) + 1), dtype=int)
    d[:, 0], d[0, :] = np.arange(len(a) + 1), np.arange(len(b) + 1)
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            d[i, j] = min(d[i - 1, j] + 1, d[i, j - 1] + 1, d[i - 1, j - 1] + (a[i - 1] != b[j - 1]))
            if i > 1 and j > 1 and a[i - 1] == b[j - 2] and a[i - 2] == b[j - 1]:
                d[i, j] = min(d[i, j], d[i - 2, j - 2] + 1)
    return d[-1, -1]


@given(st.text("abc", max_size=7), st.text("abc", max_size=7))
@settings(max_examples=50, deadline=None)
def test_slips_agree_with_the_distance_by_the_table(a, b):
    assert _within(a, b, 1) == (_distance(a, b) <= 1)


@pytest.mark.parametrize(
    ("one", "two", "same"),
    [
        ("Paris ", "paris", True),
        (None, "x", True),
        ("Berlin", "Brelin", True),
        ("cat", "cut", False),
        ("north", "south", False),
    ],
)
def test_what_is_a_slip(one, two, same):
    assert _slip(one, two) is same
