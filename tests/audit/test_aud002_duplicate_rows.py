import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdgood.audit.aud002_duplicate_rows import CHECK, equal_rows
from holdgood.core.table import Table

rng = np.random.default_rng(1)


def _rich(n):
    return {f"x{i}": rng.normal(size=n).round(2) for i in range(5)} | {"c": rng.choice(list("abc"), n)}


def test_planted_copies_are_counted_as_sql_counts_them(tables_of):
    whole = pa.table(_rich(800))
    data = pa.concat_tables([whole, whole.slice(100, 40), whole.slice(100, 10)])
    (finding,) = CHECK.run(tables_of({"t": {n: data.column(n) for n in data.column_names}}))
    assert (finding.level, finding.rows) == ("issue", 50)
    distinct = duckdb.sql("SELECT count(*) FROM (SELECT DISTINCT * FROM data)").fetchall()[0][0]
    assert data.num_rows - distinct == finding.rows
    assert finding.proposal.repair == "drop-duplicate-rows"


def test_rows_that_meet_by_chance_are_no_finding(tables_of):
    few = {"a": rng.integers(0, 4, 500), "b": rng.integers(0, 3, 500), "c": rng.choice(["x", "y"], 500)}
    assert CHECK.run(tables_of({"t": few})) == []


def test_with_a_declared_key_every_copy_counts(tables_of):
    few = {"id": [*range(200), 7], "b": [*([1, 2] * 100), 2]}
    (finding,) = CHECK.run(tables_of({"t": few}, specs={"t": {"key": ["id"]}}))
    assert (finding.level, finding.severity, finding.rows) == ("issue", "high", 1)


def test_a_handful_of_copies_is_a_tip_and_one_row_is_not_applicable(tables_of, refuses):
    whole = pa.table(_rich(5000))
    data = pa.concat_tables([whole, whole.slice(0, 3)])
    (finding,) = CHECK.run(tables_of({"t": {n: data.column(n) for n in data.column_names}}))
    assert (finding.level, finding.rows) == ("tip", 3)
    assert refuses(CHECK, tables_of({"t": {"a": [1]}}))


def test_copies_that_agree_in_a_column_that_hardly_repeats_are_no_chance(tables_of):
    random, n = np.random.default_rng(0), 800
    columns = {
        "id": [f"K{i}" for i in range(n)],
        "w": np.where(np.arange(n) % 20 == 0, -999.0, random.normal(10, 2, n).round(2)).tolist(),
        "k": random.choice(["a", "b", "c"], n).tolist(),
        "d": random.integers(0, 28, n).tolist(),
    }
    (finding,) = CHECK.run(tables_of({"t": {name: values + values[:29] for name, values in columns.items()}}))
    assert (finding.level, finding.rows) == ("issue", 29)


@pytest.mark.parametrize("seed", range(10))
def test_crowds_of_equal_rows_in_a_table_of_few_values_meet_by_chance(tables_of, seed):
    own, n = np.random.default_rng(seed), 4000
    columns = {
        "kind": own.choice(["A-1", "A-2", "A-10", "A-11", "B-1", "B-2"], n),
        "calls": np.where(own.random(n) < 0.6, 0, own.poisson(5, n)),
        "new": own.random(n) < 0.1,
        "people": own.poisson(2, n),
    }
    assert CHECK.run(tables_of({"t": columns})) == []


def test_one_row_that_comes_hundreds_of_times_is_no_chance(tables_of):
    whole = _rich(2000)
    (finding,) = CHECK.run(tables_of({"t": {c: np.concatenate([v, np.repeat(v[:1], 500)]) for c, v in whole.items()}}))
    assert finding.rows == 500


@pytest.mark.parametrize("seed", range(10))
def test_rounded_numbers_that_hardly_repeat_meet_by_chance_too(tables_of, seed):
    own = np.random.default_rng(seed)
    one = {"a": own.normal(size=300).round(3), "b": own.integers(0, 2, 300)}
    assert len(np.unique(one["a"])) >= 0.9 * 300
    assert CHECK.run(tables_of({"t": one})) == []
    assert CHECK.run(tables_of({"t": {"a": one["a"]}})) == []
    days = np.datetime64("2023-01-01", "us") + own.integers(0, 1500, 300).astype("timedelta64[D]")
    zips = [f"{z:05d}" for z in own.integers(0, 3000, 300)]
    for other in (days, zips):
        assert CHECK.run(tables_of({"t": {"a": other, "b": one["b"]}})) == []


@pytest.mark.parametrize(
    "number",
    [
        np.arange(1000),
        np.random.default_rng(0).normal(size=1000),
        np.array([f"{i:06d}" for i in range(1000)]),
        np.datetime64("2023-01-01", "us") + np.arange(1000).astype("timedelta64[h]"),
    ],
)
def test_copies_of_running_and_of_exact_numbers_are_no_chance(tables_of, number):
    columns = {"number": number, "b": np.random.default_rng(1).integers(0, 2, 1000)}
    for copies in (1, 60):
        (finding,) = CHECK.run(tables_of({"t": {c: np.concatenate([v, v[:copies]]) for c, v in columns.items()}}))
        assert (finding.rows, finding.sure) == (copies, "certain")


def test_copies_stand_out_among_rows_that_often_come_near_each_other(tables_of):
    own, n = np.random.default_rng(6), 6000
    columns = {f"c{i}": own.integers(0, 2, n) for i in range(8)} | {"weight": own.integers(0, 60_000, n)}
    assert CHECK.run(tables_of({"t": columns})) == []
    (finding,) = CHECK.run(tables_of({"t": {c: np.concatenate([v, v[:120]]) for c, v in columns.items()}}))
    assert finding.rows == 120
    assert set(finding.examples[::2]) <= set(range(120))


@given(st.lists(st.tuples(st.integers(0, 2) | st.none(), st.sampled_from("ab"), st.booleans()), max_size=30))
@settings(max_examples=40, deadline=None)
def test_equal_rows_agree_with_python(rows):
    table = Table.of(pa.table({c: pa.array([r[i] for r in rows]) for i, c in enumerate("xyz")}), "t")
    first, again, pairs = equal_rows(table)
    assert again.tolist() == [i for i, r in enumerate(rows) if r in rows[:i]]
    assert [rows.index(rows[i]) for i in again] == first.tolist()
    assert pairs == sum(a == b for i, a in enumerate(rows) for b in rows[:i])
