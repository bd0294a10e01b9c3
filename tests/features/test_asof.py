import datetime as dt

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdgood.core.declaration import parse
from holdgood.core.errors import DataError
from holdgood.core.table import Table
from holdgood.features.builders.build import build
from holdgood.features.builders.plan import make_plan

DAY = dt.datetime(2024, 1, 1)


def moment(hour):
    return None if hour is None else DAY + dt.timedelta(hours=hour)


def tables(rows, facts):
    main = pa.table(
        {
            "k": pa.array([r[0] for r in rows], pa.string()),
            "t": pa.array([moment(r[1]) for r in rows], pa.timestamp("us")),
            "x": pa.array([1.0] * len(rows)),
        }
    )
    other = pa.table(
        {
            "k": pa.array([f[0] for f in facts], pa.string()),
            "t": pa.array([moment(f[1]) for f in facts], pa.timestamp("us")),
            "v": pa.array([f[2] for f in facts], pa.int64()),
        }
    )
    return {"main": Table.of(main, "main"), "facts": Table.of(other, "facts")}


def joined(given_tables, delay="0s", tolerance=None):
    declared = parse(
        {
            "tables": {
                "main": {"time": "t"},
                "facts": {"time": "t", "delay": delay, "join": {"on": {"k": "k"}, "tolerance": tolerance}},
            }
        }
    )
    plan = make_plan(declared, given_tables)
    return build(plan, given_tables["main"], {"facts": given_tables["facts"]})


keys = st.sampled_from(["a", "b", "c", None])
hours = st.one_of(st.none(), st.integers(0, 12))


@settings(max_examples=50, deadline=None)
@given(
    rows=st.lists(st.tuples(keys, hours), min_size=1, max_size=8),
    facts=st.lists(st.tuples(keys, hours, st.integers(0, 9)), max_size=14),
    delay=st.integers(0, 3),
    tolerance=st.one_of(st.none(), st.integers(1, 6)),
)
def test_against_brute_force(rows, facts, delay, tolerance):
    frame, (entry,) = joined(tables(rows, facts), f"{delay}h", None if tolerance is None else f"{tolerance}h")
    old = matched = 0
    for at, (key, hour) in enumerate(rows):
        known = []
        if key is not None and hour is not None:
            known = [(h, v) for k, h, v in facts if k == key and h is not None and h + delay <= hour]
        value, age = frame.column("facts.v")[at], frame.column("facts (age in hours)")[at]
        if known and tolerance is not None and hour - max(known)[0] > tolerance:
            old += 1
            known = []
        if not known:
            assert np.isnan(value)
            assert np.isnan(age)
            continue
        matched += 1
        # of facts at one instant the largest by content wins
        assert (age, value) == (hour - max(known)[0], max(known)[1])
    assert entry.too_old == old
    assert entry.matched_share == matched / len(rows)


def test_against_duckdb_asof_join():
    draw = np.random.default_rng(0)
    facts = {(f"k{k}", int(t)) for k, t in zip(draw.integers(0, 40, 3000), draw.integers(0, 5000, 3000), strict=True)}
    facts = [(k, t, i) for i, (k, t) in enumerate(sorted(facts))]
    rows = [(f"k{k}", int(t)) for k, t in zip(draw.integers(0, 45, 5000), draw.integers(0, 5000, 5000), strict=True)]
    both = tables(rows, facts)
    frame, _ = joined(both, "2h")
    connection = duckdb.connect()
    connection.register("m", both["main"].data.append_column("row", pa.array(range(len(rows)))))
    connection.register("f", both["facts"].data)
    found = connection.sql(
        "SELECT f.v FROM m ASOF LEFT JOIN f ON m.k = f.k AND m.t >= f.t + INTERVAL 2 HOUR ORDER BY m.row"
    ).fetchall()
    expected = np.array([np.nan if v is None else float(v) for (v,) in found])
    np.testing.assert_array_equal(frame.column("facts.v"), expected)
    assert 0.5 < np.isfinite(expected).mean() < 1


def test_facts_at_one_instant_are_counted_and_resolved_by_content():
    facts = [("a", 1, 5), ("a", 1, 7), ("a", 1, 7), ("b", 1, 3), ("b", 1, 3), ("b", 2, None), ("b", 2, 1)]
    for order in (facts, facts[::-1], facts[3:] + facts[:3]):
        frame, (entry,) = joined(tables([("a", 4), ("b", 1), ("b", 4)], order))
        assert frame.column("facts.v").tolist() == [7.0, 3.0, 1.0]
        # three rows of a, and the two of b at hour 2; equal rows say nothing different
        assert entry.same_instant_rows == 5
        assert "5 of its rows share key and moment" in entry.sentence


def test_keys_that_do_not_match_are_missing_and_counted():
    frame, (entry,) = joined(tables([("a", 4), ("z", 4), (None, 4), ("a", 0)], [("a", 1, 5), (None, 1, 9)]))
    np.testing.assert_array_equal(frame.column("facts.v"), [5, np.nan, np.nan, np.nan])
    assert entry.matched_share == 0.25
    assert entry.median_age_seconds == 3 * 3600
    assert entry.as_of


def static(main_keys, other_keys, values, on=None):
    main = pa.table({"k": main_keys, "x": pa.array([1.0] * len(main_keys))})
    other = pa.table({"k": other_keys, "v": values})
    both = {"main": Table.of(main, "main"), "facts": Table.of(other, "facts")}
    declared = parse({"tables": {"main": {}, "facts": {"join": {"on": on or {"k": "k"}}}}})
    return build(make_plan(declared, both), both["main"], {"facts": both["facts"]})


def test_duplicate_keys_of_a_static_table_are_refused_unless_they_agree():
    frame, _ = static(["a", "b"], ["a", "a", "b"], [1, 1, 2])
    assert frame.column("facts.v").tolist() == [1.0, 2.0]
    with pytest.raises(DataError, match=r"2 rows share their key(.|\n)*AUD013"):
        static(["a"], ["a", "a", "b", None, None], [1, 2, 2, 3, 4])


def test_whole_numbers_and_floats_compare_by_value():
    ints, floats = pa.array([1, 2, None, 4]), pa.array([1.0, 2.5, None, 4.0])
    frame, _ = static(ints, floats, [10, 20, 30, 40])
    np.testing.assert_array_equal(frame.column("facts.v"), [10, np.nan, np.nan, 40])
    frame, _ = static(floats, ints, [10, 20, 30, 40])
    np.testing.assert_array_equal(frame.column("facts.v"), [10, np.nan, np.nan, 40])
    # many rows take another road than few
    many = pa.array(np.tile([1.0, 2.5, 4.0], 60))
    frame, _ = static(many, ints, [10, 20, 30, 40])
    np.testing.assert_array_equal(frame.column("facts.v"), np.tile([10, np.nan, 40], 60))


@pytest.mark.parametrize(
    "rows", [1, 100]
)  # few rows take another road than many: a served row must find what a batch finds
def test_keys_of_value_find_the_same_facts_one_by_one_and_together(rows):
    zero = pa.array([-0.0] * rows)
    frame, _ = static(zero, pa.array([0.0, 1.5, 2.5, 3.5]), [10, 20, 30, 40])
    np.testing.assert_array_equal(frame.column("facts.v"), [10] * rows)
    # 2**53 + 1 and 2**63 - 1 are whole numbers that no float is equal to
    odd = pa.array([2**53 + 1, 2**63 - 1, 2**53][: min(rows, 3)] * max(1, rows // 3))
    frame, _ = static(odd, pa.array([2.0**53, 2.0**63, 2.5, 3.5]), [10, 20, 30, 40])
    want = [10.0 if v == 2**53 else np.nan for v in odd.to_pylist()]
    np.testing.assert_array_equal(frame.column("facts.v"), want)


@pytest.mark.parametrize(
    ("main", "other"),
    [
        (pa.array([1, 2]), pa.array(["1", "2"])),
        (pa.array(["1", "2"]), pa.array([1.0, 2.0])),
        (pa.array([True, False]), pa.array([1, 0])),
        (pa.array([DAY, DAY]), pa.array(["2024", "2025"])),
    ],
)
def test_keys_of_different_kinds_are_refused(main, other):
    with pytest.raises(DataError, match="keys of the same type"):
        static(main, other, [1, 2])


def test_composite_keys():
    draw = np.random.default_rng(1)
    grid = [(a, b, c) for a in range(7) for b in range(8) for c in range(9)]
    picked = [grid[i] for i in draw.permutation(len(grid))[:300]]
    other = pa.table(
        {
            "p": [str(a) for a, _, _ in picked],
            "q": [b for _, b, _ in picked],
            "r": [float(c) for *_, c in picked],
            "v": range(300),
        }
    )
    asked = [tuple(int(v) for v in row) for row in draw.integers(0, 10, (500, 3))]
    main = pa.table({"a": [str(a) for a, _, _ in asked], "b": [b for _, b, _ in asked], "c": [c for *_, c in asked]})
    both = {"main": Table.of(main, "main"), "facts": Table.of(other, "facts")}
    declared = parse({"tables": {"main": {}, "facts": {"join": {"on": {"a": "p", "b": "q", "c": "r"}}}}})
    frame, _ = build(make_plan(declared, both), both["main"], {"facts": both["facts"]})
    where = {key: float(i) for i, key in enumerate(picked)}
    np.testing.assert_array_equal(frame.column("facts.v"), [where.get(key, np.nan) for key in asked])
