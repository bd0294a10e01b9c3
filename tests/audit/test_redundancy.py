"""Which columns say the same: by codes, by a line, nearly; and what only looks like it."""

import numpy as np
import pyarrow as pa
import pytest

from holdgood.audit.redundancy import redundant
from holdgood.core.table import Table

rng = np.random.default_rng(21)
N = 2_000
X = rng.normal(10, 3, N).round(2)
WORD = rng.choice(["a", "b", "c", "d"], N)


def _groups(columns):
    return [(g.kind, g.columns) for g in redundant(Table.of(pa.table(columns), "t"))]


def _spoiled(values, share):
    out = values.copy()
    rows = rng.choice(N, int(share * N), replace=False)
    out[rows] = rng.permutation(values)[: len(rows)]
    return out


OTHER = rng.normal(size=N)


@pytest.mark.parametrize(
    ("first", "second", "kind"),
    [
        (X, X, "copy"),
        (WORD, WORD, "copy"),
        (X, X * 1.8 + 32, "linear"),
        (X, (X * 25.4).round(1), "linear"),
        (X, -X, "linear"),
        (WORD, np.array([{"a": 4, "b": 2, "c": 9, "d": 1}[w] for w in WORD]), "codes"),
        (X, _spoiled(X, 0.01), "nearly"),
        (WORD, _spoiled(WORD, 0.01), "nearly"),
        (X, X + rng.normal(0, 0.06, N), "correlated"),
    ],
)
def test_each_way_of_saying_the_same(first, second, kind):
    assert _groups({"p": OTHER, "q": first, "r": second}) == [(kind, ("q", "r"))]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (X, X + rng.normal(0, 1, N)),
        (np.arange(N), rng.permutation(N)),
        (rng.random(N) < 0.01, rng.random(N) < 0.01),
        (
            np.where(rng.random(N) < 0.99, 0, rng.integers(1, 9, N)),
            np.where(rng.random(N) < 0.99, 0, rng.integers(1, 9, N)),
        ),
        (WORD, np.where(WORD == "a", "x", "y")),
        ([f"A{i}" for i in range(N)], [f"B{(i * 7) % N}" for i in range(N)]),
        (X, np.exp(rng.normal(0, 4, N))),
    ],
)
def test_what_is_not_the_same(first, second):
    assert _groups({"p": OTHER, "q": first, "r": second}) == []


def test_several_copies_make_one_group_and_gaps_must_agree():
    gaps = pa.array(X, mask=np.arange(N) % 3 == 0)
    assert _groups({"a": X, "b": X * 2, "c": X * 3 + 1, "d": OTHER}) == [("linear", ("a", "b", "c"))]
    assert _groups({"a": gaps, "b": gaps}) == [("copy", ("a", "b"))]
    assert _groups({"a": X, "b": gaps}) == []


def test_one_row_no_rows_and_nothing_but_missing():
    for columns in (
        {"a": [1]},
        {"a": pa.array([], pa.int64())},
        {"a": pa.nulls(50, pa.float64()), "b": pa.nulls(50, pa.string())},
    ):
        assert _groups(columns) == []
