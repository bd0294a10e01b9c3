"""A contract is inferred from what held in all rows."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from holdgood.audit.contract_rules import infer, shape_of
from holdgood.audit.verdicts import verdicts
from holdgood.core.table import Table


def orders(rows=600, seed=0):
    rng = np.random.default_rng(seed)
    placed = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.uniform(0, 300, rows), unit="D")
    return pd.DataFrame(
        {
            "code": [f"AB-{i:05d}" for i in rng.permutation(rows)],
            "weight": rng.gamma(3, 2, rows).round(2),
            "count": rng.integers(1, 9, rows),
            "colour": rng.choice(["red", "green"], rows),
            "rare": np.where(np.arange(rows) < 3, [f"x{i}" for i in range(rows)], "often"),
            "placed": placed,
            "left": placed + pd.to_timedelta(rng.uniform(0, 5, rows), unit="D"),
            "gaps": np.where(rng.random(rows) < 0.2, np.nan, rng.normal(size=rows)),
        }
    )


def rules():
    return {c.name: c for c in infer(Table.of(orders(), "orders"), key=["code"]).columns}


def test_bounds_have_room_and_do_not_cross_zero():
    rule = rules()["weight"]
    seen = orders().weight
    assert rule.low == 0.0
    assert seen.max() < rule.high < seen.max() * 1.2
    assert not rule.whole
    assert rules()["count"].whole
    assert rules()["count"].high >= 8


def test_what_was_never_missing_is_warned_of_and_what_was_is_allowed():
    assert rules()["weight"].missing == "warn"
    assert rules()["gaps"].missing == "allow"
    assert rules()["gaps"].missing_share == pytest.approx(orders().gaps.isna().mean(), abs=1e-6)


def test_a_vocabulary_is_closed_only_where_it_covers_the_rows():
    assert rules()["colour"].levels == ("green", "red")
    assert rules()["colour"].unseen == "warn"
    assert rules()["rare"].levels == ("often",)
    assert rules()["rare"].unseen == "allow"


def test_codes_have_a_shape_and_moments_an_order():
    contract = infer(Table.of(orders(), "orders"))
    assert re.fullmatch(next(c.shape for c in contract.columns if c.name == "code"), "QX-12345")
    assert [r.rule for r in contract.rules] == ['"placed" <= "left"']


def test_nothing_inferred_refuses_and_the_rows_it_came_from_keep_it():
    table = Table.of(orders(), "orders")
    contract = infer(table)
    said = verdicts(table, contract)
    assert said.count("refused") == 0
    assert said.count("ok") == table.rows
    assert all("refuse" not in c.model_dump().values() for c in contract.columns)


def test_empty_tables_and_columns_ask_nothing():
    empty = Table.of(pd.DataFrame({"a": pd.Series([], dtype=float)}), "t")
    assert infer(empty).columns[0].missing == "allow"
    nothing = Table.of(pd.DataFrame({"a": [None] * 200}), "t")
    rule = infer(nothing).columns[0]
    assert rule.missing_share == 1.0
    assert not rule.levels


@limits(max_examples=50, deadline=None)
@given(st.text(min_size=1, max_size=20))
def test_a_shape_matches_its_own_text(text):
    assert re.fullmatch(shape_of(text), text)


def only(values):
    table = Table.of(pd.DataFrame({"v": values}), "t")
    return table, infer(table)


NUMBERS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(1.7e9, 1.7e9 + 50),
    st.integers(-(2**63), 2**63 - 1).map(float),
    st.integers(12_345_600, 12_345_678).map(float),
)


@limits(max_examples=50, deadline=None)
@given(st.lists(NUMBERS, min_size=1, max_size=8))
def test_no_number_lies_outside_the_bounds_that_it_gave(values):
    table, contract = only(values)
    assert [b.kind for b in verdicts(table, contract).broken] == []
    assert contract.columns[0].low <= min(values) <= max(values) <= contract.columns[0].high


@pytest.mark.parametrize(
    "values",
    [
        1_700_000_000 + 60 * np.arange(300),
        np.full(300, 12_345_678),
        np.full(300, 0.123456789),
        np.random.default_rng(0).normal(1e7, 3, 300),
        np.array([5e-324, 0.0, 1e308, -1e308]),
        np.array([2**62, 2**62 + 4096]),
    ],
)
def test_bounds_are_rounded_outward_in_digits_of_the_span(values):
    table, contract = only(values)
    assert verdicts(table, contract).broken == ()
    rule = contract.columns[0]
    span = float(values.max()) - float(values.min())
    if span == 0:
        assert rule.low == rule.high == values[0]
    elif np.isfinite(span):
        assert rule.high - rule.low <= 1.2001 * span + max(2, 2 * np.spacing(rule.high))


@pytest.mark.parametrize("fill", ["a" * 1001, "x" * 90, "\u00fc-" * 60])
def test_long_texts_have_no_shape(fill):
    texts = [f"AB-{i:05d}" for i in range(299)]
    assert only([*texts, fill])[1].columns[0].shape == ""


@pytest.mark.parametrize("rows", [300, 5000])
def test_the_shape_does_not_depend_on_the_order_of_rows(rows):
    texts = [f"AB-{i:05d}" for i in range(rows - 1)]
    found = set()
    for place in (0, 1, 2, rows // 3, rows // 2, rows - 2, rows - 1):
        found.add(only([*texts[:place], "odd 1", *texts[place:]])[1].columns[0].shape)
    (shape,) = found
    assert all(re.fullmatch(shape, t) for t in ("odd 1", "AB-00000"))
    assert not re.fullmatch(shape, "AB-0000")
    crowd = [*texts, "odd 1", "odder", "Odd"]
    assert {only(c)[1].columns[0].shape for c in (crowd, crowd[::-1])} == {""}
