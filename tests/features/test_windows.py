"""Aggregates over windows: the same by SQL over plain rows, row by row to the bit, and nothing from after the decision."""

import datetime as dt

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdgood.core.declaration import parse
from holdgood.core.errors import DeclarationError
from holdgood.core.protocols import Parts
from holdgood.core.table import Table
from holdgood.features.builders.build import Builder, build, ledger
from holdgood.features.builders.plan import FeaturePlan, make_plan
from holdgood.features.builders.running import running, running_back

DAY = dt.datetime(2024, 1, 1)
EVERY = ["count", "mean", "trend", "min", "max", "sum", "sd", "first", "last", "since"]


def moment(hour):
    return None if hour is None else DAY + dt.timedelta(hours=hour)


def tables(rows, facts):
    main = {
        "k": pa.array([r[0] for r in rows], pa.string()),
        "t": pa.array([moment(r[1]) for r in rows], pa.timestamp("us")),
        "x": pa.array(np.arange(len(rows), dtype=float)),
    }
    other = {
        "k": pa.array([f[0] for f in facts], pa.string()),
        "t": pa.array([moment(f[1]) for f in facts], pa.timestamp("us")),
        "v": pa.array([f[2] for f in facts], pa.float64()),
        "w": pa.array([float(i) for i in range(len(facts))], pa.float64()),
    }
    return Table.of(pa.table(main), "main"), Table.of(pa.table(other), "facts")


def declared(windows, delay="0s", aggregate=EVERY, **join):
    return parse(
        {
            "tables": {
                "main": {"time": "t"},
                "facts": {
                    "time": "t",
                    "delay": delay,
                    "join": {"on": {"k": "k"}, "windows": windows, "aggregate": aggregate, **join},
                },
            }
        }
    )


def by_sql(main, facts, hours, delay_hours):
    """One row a main row: the aggregates of v over the facts known at its decision, by a plain join."""
    connection = duckdb.connect()
    connection.register("m", main.data.append_column("at", pa.array(range(main.rows))))
    connection.register("f", facts.data)
    since = "TRUE" if hours is None else f"f.t > m.t - INTERVAL '{hours} hours'"
    return connection.sql(f"""
        SELECT count(f.t) AS n, avg(f.v) AS mean, min(f.v) AS low, max(f.v) AS high, sum(f.v) AS total,
               stddev_samp(f.v) AS sd, regr_slope(f.v, epoch(f.t) / 86400.0) AS trend,
               date_diff('second', max(f.t), any_value(m.t)) / 3600.0 AS since,
               arg_max(f.v, (f.t, f.v, f.w)) FILTER (f.v IS NOT NULL) AS last,
               count(DISTINCT f.t) FILTER (f.v IS NOT NULL) AS moments
        FROM m LEFT JOIN f ON m.k = f.k AND f.t <= m.t - INTERVAL '{delay_hours} hours' AND {since}
        GROUP BY m.at ORDER BY m.at
    """).to_arrow_table()


def column(frame, name):
    return frame.arrays[[f.name for f in frame.features].index(name)]


keys = st.sampled_from(["a", "b", None])
hours = st.one_of(st.none(), st.integers(0, 60))
amounts = st.one_of(st.none(), st.integers(-50, 50).map(float))


@settings(max_examples=50, deadline=None)
@given(
    rows=st.lists(st.tuples(keys, hours), min_size=1, max_size=12),
    facts=st.lists(st.tuples(keys, hours, amounts), max_size=25),
    window=st.sampled_from([None, 3, 10, 24]),
    delay=st.integers(0, 2),
)
def test_the_same_as_sql(rows, facts, window, delay):
    main, other = tables(rows, facts)
    label = "all" if window is None else f"{window} hours"
    plan = make_plan(declared([label], f"{delay} hours"), {"main": main, "facts": other})
    frame, _ = build(plan, main, {"facts": other})
    told = "so far" if window is None else label
    truth = by_sql(main, other, window, delay)

    def same(name, wanted):
        want = np.array([np.nan if v is None else float(v) for v in wanted])
        np.testing.assert_allclose(column(frame, name), want, rtol=1e-7, atol=1e-7)

    same(f"facts (rows, {told})", truth["n"].to_pylist())
    same(f"facts (hours since the last, {told})", truth["since"].to_pylist())
    for aggregate, wanted in (("mean", "mean"), ("min", "low"), ("max", "high"), ("sum", "total"), ("sd", "sd")):
        same(f"facts.v ({aggregate}, {told})", truth[wanted].to_pylist())
    slope = [
        s if m and m > 1 else None
        for s, m in zip(truth["trend"].to_pylist(), truth["moments"].to_pylist(), strict=True)
    ]
    same(f"facts.v (trend, {told})", slope)
    same(f"facts.v (last, {told})", truth["last"].to_pylist())


def _company(seed=0, rows=400, facts=3000):
    rng = np.random.default_rng(seed)
    names = np.array(["a", "b", "c", "d"])
    main = [(names[i], float(h)) for i, h in zip(rng.integers(0, 4, rows), rng.uniform(0, 2000, rows), strict=True)]
    other = [
        (names[i], float(h), None if rng.random() < 0.1 else float(v))
        for i, h, v in zip(
            rng.integers(0, 3, facts), rng.uniform(0, 2000, facts), rng.lognormal(3, 2, facts), strict=True
        )
    ]
    return tables(main, other)


def test_a_row_alone_gives_what_it_gives_among_many_to_the_bit():
    main, other = _company()
    plan = make_plan(declared(["6 hours", "7 days", "all"]), {"main": main, "facts": other})
    builder = Builder(plan, {"facts": other})
    whole, _ = builder.build(main)
    for row in (0, 17, 399):
        alone, _ = builder.build(main.take([row]))
        for a, b in zip(whole.arrays, alone.arrays, strict=True):
            if a.dtype == np.float64:
                assert a[row : row + 1].tobytes() == b.tobytes()


def test_facts_after_the_decision_and_their_order_do_not_matter():
    main, other = _company()
    plan = make_plan(declared(["6 hours", "7 days", "all"], "1 hour"), {"main": main, "facts": other})
    before, _ = build(plan, main, {"facts": other})
    cutoff = np.datetime64(DAY + dt.timedelta(hours=1000))
    early = main.data.column("t").to_numpy() <= cutoff
    late = other.data.column("t").to_numpy() > cutoff
    values = np.where(late, 1e9, other.data.column("v").to_numpy())
    spoiled = other.with_data(other.data.set_column(2, "v", pa.array(values, from_pandas=True)))
    mixed = spoiled.take(np.random.default_rng(1).permutation(other.rows))
    after, _ = build(plan, main, {"facts": mixed})
    for a, b in zip(before.arrays, after.arrays, strict=True):
        if a.dtype == np.float64:
            assert a[early].tobytes() == b[early].tobytes()


def test_digits_are_kept_where_values_are_large_and_windows_short():
    rng = np.random.default_rng(5)
    n = 4000
    values = 1e9 + rng.normal(size=n)
    main, other = tables([("a", 3999.5)], [("a", float(i), float(v)) for i, v in enumerate(values)])
    plan = make_plan(declared(["24 hours"]), {"main": main, "facts": other})
    frame, _ = build(plan, main, {"facts": other})
    last = values[-24:]
    assert column(frame, "facts.v (sd, 24 hours)")[0] == pytest.approx(np.std(last, ddof=1), rel=1e-6)
    slope = np.polyfit(np.arange(24) / 24, last - 1e9, 1)[0]
    assert column(frame, "facts.v (trend, 24 hours)")[0] == pytest.approx(slope, rel=1e-5)


@pytest.mark.parametrize("value", [5.0, 1e9, 1e17, 999999999999.0])
@pytest.mark.parametrize("hour", [-9 * 24, 15 * 24], ids=["before the window", "after the decision"])
def test_nothing_outside_the_window_enters_to_the_bit(value, hour):
    inside = [("a", 8 * 24, 1.1), ("a", 9 * 24, 1.3), ("a", 9 * 24 + 5, 1.4), ("a", 11 * 24, None)]
    main, quiet = tables([("a", 12 * 24)], inside)
    _, loud = tables([], [*inside, ("a", hour, value)])
    plan = make_plan(declared(["10 days", "5 days", "400 hours"]), {"main": main, "facts": quiet})
    one, _ = build(plan, main, {"facts": quiet})
    two, _ = build(plan, main, {"facts": loud})
    for feature, a, b in zip(one.features, one.arrays, two.arrays, strict=True):
        if ".v (" in feature.name and ("10 days" in feature.name or "5 days" in feature.name or hour > 0):
            assert a.tobytes() == b.tobytes(), feature.name


def test_a_moment_at_the_decision_is_known_and_counted():
    main, other = tables([("a", 5)], [("a", 5, 1.0), ("a", 4, 2.0), ("a", 6, 9.0)])
    plan = make_plan(declared(["24 hours"]), {"main": main, "facts": other})
    frame, (entry,) = build(plan, main, {"facts": other})
    assert column(frame, "facts (rows, 24 hours)")[0] == 2
    assert entry.at_the_instant == 1
    assert "at the instant of their decision" in entry.sentence


def test_a_bundle_rebuilds_the_plan_and_the_ledger_says_what_each_is():
    main, other = _company(rows=20, facts=50)
    plan = make_plan(
        declared(["7 days", "all"], aggregate=["count", "trend"], over=["v"]), {"main": main, "facts": other}
    )
    again = FeaturePlan.from_parts(Parts(plan.to_parts().json))
    one, joins = build(plan, main, {"facts": other})
    two, _ = build(again, main, {"facts": other})
    assert [f.name for f in one.features] == [f.name for f in two.features]
    said = {e.name: e.sentence for e in ledger(plan, one, joins).features}
    assert said["facts.v (trend, 7 days)"] == "slope a day of facts.v over the facts known of the last 7 days"
    assert said["facts (rows, so far)"] == "number of rows of facts known so far"


def test_a_table_without_rows_gives_no_facts():
    main, other = tables([("a", 5), ("b", 7)], [])
    plan = make_plan(declared(["24 hours", "all"]), {"main": main, "facts": other})
    frame, _ = build(plan, main, {"facts": other})
    assert column(frame, "facts (rows, so far)").tolist() == [0, 0]
    assert np.isnan(column(frame, "facts.v (mean, 24 hours)")).all()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"windows": ["1 hour"], "delay": "1 hour"}, "not longer than the delay"),
        ({"windows": ["7 days"], "over": ["vv"]}, "no column 'vv'"),
        ({"windows": ["7 days"], "over": ["k"]}, "cannot be aggregated"),
        ({"windows": [], "over": ["v"]}, "without windows"),
    ],
)
def test_what_cannot_be_is_refused(change, said):
    main, other = tables([("a", 5)], [("a", 4, 1.0)])
    with pytest.raises(Exception, match=said):
        make_plan(declared(**change), {"main": main, "facts": other})


def test_a_row_never_sees_its_own_outcome():
    main, _ = tables([("a", 5), ("a", 7)], [])
    past = {"source": "m.csv", "time": "t", "join": {"on": {"k": "k"}, "windows": ["7 days"], "over": ["x"]}}
    both = {"main": main, "past": Table.of(main.data, "past")}
    with pytest.raises(DeclarationError, match="sees its own outcome|own past"):
        make_plan(parse({"tables": {"main": {"source": "m.csv", "time": "t"}, "past": past}}), both)
    plan = make_plan(
        parse({"tables": {"main": {"source": "m.csv", "time": "t"}, "past": past | {"delay": "1 hour"}}}), both
    )
    frame, _ = build(plan, main, {"past": both["past"]})
    assert column(frame, "past (rows, 7 days)").tolist() == [0, 1]


def test_windows_need_a_time():
    main, other = tables([("a", 5)], [("a", 4, 1.0)])
    spec = {"main": {"time": "t"}, "facts": {"join": {"on": {"k": "k"}, "windows": ["7 days"]}}}
    with pytest.raises(DeclarationError, match="without a time"):
        make_plan(parse({"tables": spec}), {"main": main, "facts": other})


@settings(max_examples=50, deadline=None)
@given(
    lengths=st.lists(st.one_of(st.integers(1, 5), st.integers(30, 60)), max_size=12),
    seed=st.integers(0, 99),
)
def test_running_totals_are_those_of_each_group(lengths, seed):
    values = np.random.default_rng(seed).normal(size=(sum(lengths), 2))
    starts = np.cumsum([0, *lengths[:-1]]) if lengths else np.empty(0, np.int64)
    pieces = np.split(values, starts[1:]) if lengths else []
    for op in (np.add, np.maximum):
        want = np.concatenate([op.accumulate(p, axis=0) for p in pieces]) if pieces else values
        assert running(op, values, starts).tobytes() == want.tobytes()
        back = np.concatenate([op.accumulate(p[::-1], axis=0)[::-1] for p in pieces]) if pieces else values
        np.testing.assert_array_equal(running_back(op, values, starts), back)


def test_a_column_with_a_known_of_its_own_counts_from_when_it_became_known():
    """Told by a plain join over the moments of knowing: what happened long ago and was learned lately is in; the reverse is not."""
    rng = np.random.default_rng(4)
    main, other = tables(
        [("a", int(h)) for h in rng.integers(0, 100, 40)], [("a", int(h), 1.0) for h in rng.integers(0, 100, 60)]
    )
    learned = [None if rng.random() < 0.1 else moment(int(h)) for h in rng.integers(0, 120, 60)]
    at_v = other.names.index("v")
    data = other.data.set_column(at_v, "v", pa.array(rng.normal(size=60)))
    other = Table.of(data.append_column("learned", pa.array(learned, pa.timestamp("us"))), "facts")
    declaration = declared(["24 hours"], aggregate=["mean", "last"], over=["v"])
    spec = declaration.tables["facts"].model_copy(update={"known": {"v": "learned"}, "ignore": ["learned"]})
    declaration = declaration.model_copy(update={"tables": {**declaration.tables, "facts": spec}})
    frame, _ = build(make_plan(declaration, {"main": main, "facts": other}), main, {"facts": other})
    at, known, v = (
        main.data.column("t").to_numpy(),
        other.data.column("learned").to_numpy(),
        other.data.column("v").to_numpy(),
    )
    for row, decision in enumerate(at):
        inside = np.flatnonzero((known <= decision) & (known > decision - np.timedelta64(24, "h")))
        mean = column(frame, "facts.v (mean, 24 hours)")[row]
        np.testing.assert_allclose(mean, v[inside].mean() if len(inside) else np.nan, rtol=1e-9)
