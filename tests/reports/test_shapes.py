"""Columns as they are shown: findings first, folded where many, a shape without numbers."""

import numpy as np
import pytest

from holdgood.core.records import ColumnProfile, Finding, Profile
from holdgood.reports.shapes import FOLDED_ABOVE, MOST_COLUMNS, _spread, shown_tables

RANKS = (0.001, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 0.999)


def a_column(name, type="number", rows=100, missing=0, **more):
    return ColumnProfile(name=name, type=type, rows=rows, missing=missing, distinct=5, **more)


def about(*columns):
    return Finding(code="AUD007", title="t", level="tip", severity="low", table="t", columns=columns, message="m")


def test_columns_with_findings_come_first_and_few_columns_are_one_group():
    profile = Profile(table="t", rows=100, columns=tuple(a_column(n) for n in "abc"))
    (table,) = shown_tables([profile], [about("c"), about("c")])
    ((title, columns),) = table.groups
    assert title == "All columns"
    assert [(c.profile.name, c.codes) for c in columns] == [("c", ("AUD007",)), ("a", ()), ("b", ())]


def test_many_columns_are_folded_by_type_and_too_many_are_counted():
    names = [f"n{i}" for i in range(MOST_COLUMNS)]
    columns = (*(a_column(n) for n in names), a_column("w", "category"), a_column("x", "datetime"))
    (table,) = shown_tables([Profile(table="t", rows=100, columns=columns)], [about("x", "n3")])
    assert [(title, len(group)) for title, group in table.groups] == [
        ("Columns with findings", 2),
        ("Numbers", MOST_COLUMNS - 2),
    ]
    assert table.hidden == 2
    small = Profile(table="u", rows=100, columns=columns[-FOLDED_ABOVE - 1 :])
    (table,) = shown_tables([small], [])
    assert [title for title, _ in table.groups] == ["Numbers", "Words", "Moments"]


def test_a_spread_is_the_share_of_rows_in_each_bin():
    values = np.random.default_rng(0).gamma(2, 3, 100_000)
    found = np.array(_spread(np.quantile(values, RANKS[1:8]), RANKS[1:8]))
    assert found.sum() == pytest.approx(0.98)
    edges = np.linspace(*np.quantile(values, [0.01, 0.99]), 17)
    true = np.histogram(values, edges)[0] / len(values)
    assert np.abs(np.cumsum(found) - np.cumsum(true)).max() < 0.12
    assert _spread([1.0] * 7, RANKS[1:8]) == []
    steps = _spread([0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0], RANKS[1:8])
    assert steps[0] == pytest.approx(0.74 + 0.2 / 16)


def test_a_shape_shows_no_value():
    column = a_column("a", quantiles=tuple(float(v) for v in np.linspace(4983.5, 4999.5, 9)))
    words = a_column("b", "category", levels=(("LYON-SECRET", 60), ("PARIS", 40)))
    few = a_column("c", rows=9, quantiles=tuple(np.linspace(0, 1, 9)))
    (table,) = shown_tables([Profile(table="t", rows=100, columns=(column, words, few))], [])
    first, second, third = (str(c.shape) for c in table.groups[0][1])
    assert first.count("M") == 16
    assert "49" not in first.split("path")[1]
    assert second.count("M") == 2
    assert "LYON" not in second
    assert third == ""
