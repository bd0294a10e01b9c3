"""Differences between two contracts, or the data behind them."""

import numpy as np
import pandas as pd

from holdgood.audit.contract_diff import differences
from holdgood.audit.contract_rules import infer
from holdgood.core.records import ColumnRule, Contract, RowRule, TableContract
from holdgood.core.table import Table


def contract(frame, name="t"):
    return Contract(tables=(infer(Table.of(frame, name)),))


def data(seed=0, rows=2000):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "a": rng.choice(["x", "y"], rows),
            "b": np.where(rng.random(rows) < 0.1, np.nan, rng.integers(0, 5, rows)),
        }
    )


def kinds(old, new):
    return [(d.column, d.kind) for d in differences(old, new)]


def test_the_same_data_and_data_like_it_do_not_differ():
    assert kinds(contract(data()), contract(data())) == []
    assert kinds(contract(data()), contract(data(1))) == []


def test_chance_is_no_change_in_the_share_of_missing_cells():
    found = [kinds(contract(data(s, 300)), contract(data(s + 1000, 300))) for s in range(40)]
    assert sum(bool(f) for f in found) <= 1


def test_what_came_went_and_moved_is_told():
    old, new = data(), data(1)
    new["c"] = 1.0
    new["a"] = np.where(np.arange(len(new)) % 3 == 0, "z", new["a"])
    new["b"] = new["b"].where(np.arange(len(new)) % 2 == 0)
    assert kinds(contract(old), contract(new)) == [("a", "levels"), ("b", "missing"), ("c", "added")]
    assert ("c", "removed") in kinds(contract(new), contract(old))


def test_types_ranges_rules_and_breaches():
    one = TableContract(
        name="t",
        columns=(ColumnRule(name="a", type="number", low=0, high=1), ColumnRule(name="b", type="number")),
        rules=(RowRule(rule="a <= b"),),
        key=("a",),
    )
    two = TableContract(
        name="t",
        columns=(
            ColumnRule(name="a", type="number", low=0, high=2, missing="refuse"),
            ColumnRule(name="b", type="text"),
        ),
    )
    told = {d.kind: d.sentence for d in differences(Contract(tables=(one,)), Contract(tables=(two,)))}
    assert told["range"] == "a had the bounds 0 to 1 and has 0 to 2"
    assert told["breach"] == "a: missing was allow and is refuse"
    assert told["type"] == "b was a number and is a text"
    assert told["rule"] == "a <= b is asked no more"
    assert told["key"] == "the key was a and is none"


def test_tables_that_came_and_went():
    one, two = contract(data(), "one"), contract(data(), "two")
    assert [d.kind for d in differences(one, two)] == ["removed", "added"]


def sample(rng, rows=2000):
    return pd.DataFrame(
        {
            "normal": rng.normal(1e7, 3, rows),
            "amount": rng.gamma(3, 2, rows).round(2),
            "even": rng.uniform(0, 1, rows),
            "count": rng.integers(0, 5, rows),
            "mostly_whole": np.where(rng.random(rows) < 0.001, 0.5, rng.integers(0, 9, rows)),
            "seldom_missing": np.where(rng.random(rows) < 0.001, np.nan, rng.random(rows)),
            "level": rng.choice(["x", "y"], rows),
        }
    )


def test_two_halves_of_a_random_sample_do_not_differ():
    apart = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        whole = sample(rng)
        one = rng.random(len(whole)) < 0.5
        apart += kinds(contract(whole[one]), contract(whole[~one]))
    assert len(apart) <= 1, apart


def test_a_range_that_moved_by_more_than_chance_is_told():
    old, new = sample(np.random.default_rng(0)), sample(np.random.default_rng(1))
    new["amount"] *= 10
    new["normal"] += 1000
    assert kinds(contract(old), contract(new)) == [("normal", "range"), ("amount", "range")]


def test_what_people_set_is_told_whatever_the_rows():
    old = contract(sample(np.random.default_rng(0)))
    (table,) = old.tables

    def edited(signed=False, **changes):
        first = table.columns[0].model_copy(update=changes)
        tables = (table.model_copy(update={"columns": (first, *table.columns[1:])}),)
        return old.model_copy(update={"tables": tables, "reviewed_by": "Ada" if signed else ""})

    for changes in ({"missing": "refuse"}, {"missing": "allow"}, {"outside": "allow"}, {"required": False}):
        assert kinds(old, edited(**changes)) == [("normal", "breach")], changes
    assert kinds(edited(signed=True), edited(signed=True, low=table.columns[0].low + 1, whole=True)) == [
        ("normal", "range"),
        ("normal", "breach"),
    ]
