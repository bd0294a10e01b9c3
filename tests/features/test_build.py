import datetime as dt

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from holdgood.core.declaration import parse
from holdgood.core.errors import DataError, DeclarationError
from holdgood.core.table import Table
from holdgood.features.builders.build import Builder, build, ledger
from holdgood.features.builders.plan import make_plan

TARGET = {"jobs": {"late": "the target"}}


def same(a, b):
    if a.dtype == object:
        return a.tolist() == b.tolist()
    return a.tobytes() == b.tobytes()


def assert_same(one, two):
    assert one.features == two.features
    for feature, a, b in zip(one.features, one.arrays, two.arrays, strict=True):
        assert same(a, b), feature.name


@pytest.fixture
def built(workshop, declared):
    plan = make_plan(declared, workshop, exclude=TARGET)
    others = {k: v for k, v in workshop.items() if k != "jobs"}
    return plan, others, *build(plan, workshop["jobs"], others)


def shuffled(table, seed):
    return table.take(np.random.default_rng(seed).permutation(table.rows))


def test_columns_come_through_as_they_are(workshop, built):
    _, _, frame, _ = built
    jobs = workshop["jobs"].data
    weight = jobs.column("weight").to_numpy()
    assert np.isinf(weight).any()
    np.testing.assert_array_equal(frame.column("weight"), np.where(np.isinf(weight), np.nan, weight))
    assert frame.column("machine").tolist() == jobs.column("machine").to_pylist()
    assert [None if np.isnan(v) else bool(v) for v in frame.column("urgent")] == jobs.column("urgent").to_pylist()
    np.testing.assert_array_equal(frame.column("due (hours from the decision)"), 3.0)
    heavy = [None if v is None else float(v > 0.5) for v in jobs.column("weight").to_pylist()]
    assert [None if np.isnan(v) else v for v in frame.column("heavy")] == heavy
    assert frame.column("label").tolist() == [
        None if m is None else m + "!" for m in jobs.column("machine").to_pylist()
    ]


def test_a_row_alone_equals_the_batch(workshop, built):
    plan, others, frame, _ = built
    builder = Builder(plan, others)
    for row in range(workshop["jobs"].rows):
        alone, _ = builder.build(workshop["jobs"].take(np.array([row])))
        assert_same(frame.take(np.array([row])), alone)


def test_the_order_of_rows_does_not_matter(workshop, built):
    plan, others, frame, joins = built
    again, joins2 = build(plan, workshop["jobs"], {k: shuffled(t, 5) for k, t in others.items()})
    assert_same(frame, again)
    assert [j.model_dump_json() for j in joins] == [j.model_dump_json() for j in joins2]
    turned = np.arange(frame.arrays[0].size)[::-1].copy()
    assert_same(frame.take(turned), build(plan, workshop["jobs"].take(turned), others)[0])


def test_facts_changed_after_the_decision_change_nothing_before(workshop, built):
    plan, others, frame, _ = built
    cutoff = np.datetime64("2024-01-09T00", "us")
    readings = others["readings"].data
    # the delay is an hour: what happens at or after the cutoff is known later than any decision before it
    late = pc.greater_equal(readings.column("at"), pa.scalar(cutoff.astype(dt.datetime)))
    assert 0 < pc.sum(late).as_py() < len(readings)
    heat = pc.if_else(late, pa.scalar(1e9), readings.column("heat"))
    changed = others | {"readings": others["readings"].with_data(readings.set_column(2, "heat", heat))}
    gone = others | {"readings": others["readings"].with_data(readings.filter(pc.invert(late)))}
    decision = workshop["jobs"].data.column("due").to_numpy() - np.timedelta64(3, "h")
    before = np.flatnonzero(decision <= cutoff)
    assert 5 < len(before) < len(decision)
    for other in (changed, gone):
        again, _ = build(plan, workshop["jobs"], other)
        assert_same(frame.take(before), again.take(before))
        assert not all(same(a, b) for a, b in zip(frame.arrays, again.arrays, strict=True))


def test_renaming_every_column_changes_names_alone(workshop, said, built):
    _, _, frame, joins = built
    new = {
        c: f"zz{i} ü"
        for i, c in enumerate(["unit", "state", "note", "built", "job", "late", "machine", "heat", "urgent"])
    }
    new |= {c: f"aa{i} -x" for i, c in enumerate(["weight", "finished", "at", "due"])}
    tables = {}
    for name, t in workshop.items():
        data = t.data.rename_columns([new[c] for c in t.names])
        tables[name] = Table.of(data, name, types={new["note"]: "text"} if name == "jobs" else None)
    jobs, readings, machines = said["tables"]["jobs"], said["tables"]["readings"], said["tables"]["machines"]
    jobs |= {"key": [new["job"]], "time": new["due"], "known": {new["finished"]: "after"}}
    readings |= {"time": new["at"], "join": readings["join"] | {"on": {new["machine"]: new["unit"]}}}
    machines["join"]["on"] = {new["machine"]: new["unit"]}
    said["task"] |= {"target": new["late"], "decision_time": f'"{new["due"]}" - 3 hours'}
    said["features"] = {"heavy": f'"{new["weight"]}" > 0.5', "label": f"\"{new['machine']}\" || '!'"}
    plan = make_plan(parse(said), tables, exclude={"jobs": {new["late"]: "the target"}})
    again, joins2 = build(plan, tables["jobs"], {k: v for k, v in tables.items() if k != "jobs"})
    assert len(again.features) == len(frame.features)
    assert all(same(a, b) for a, b in zip(frame.arrays, again.arrays, strict=True))
    assert [j.matched_share for j in joins] == [j.matched_share for j in joins2]


def test_a_cell_known_after_the_decision_is_missing(workshop, said):
    said["tables"]["jobs"]["known"]["weight"] = "finished - 200 hours"
    said["tables"]["jobs"]["known"].pop("finished")
    plan = make_plan(parse(said), workshop, exclude=TARGET)
    frame, _ = build(plan, workshop["jobs"], {k: v for k, v in workshop.items() if k != "jobs"})
    jobs = workshop["jobs"].data.to_pylist()
    known = [r["finished"] - dt.timedelta(hours=200) <= r["due"] - dt.timedelta(hours=3) for r in jobs]
    assert 0 < sum(known) < len(known)
    for row, seen, weight, heavy in zip(jobs, known, frame.column("weight"), frame.column("heavy"), strict=True):
        there = seen and row["weight"] is not None and np.isfinite(row["weight"])
        assert (not np.isnan(weight)) == there
        if not seen:
            assert np.isnan(heavy), "an expert's expression sees a cell before it is known"


def test_a_fact_with_its_own_moment(workshop, said, moments):
    orders = pa.table(
        {
            "unit": ["m1", "m2"],
            "opened": moments([0, 0]),
            "closed": moments([100, None]),
            "kind": ["a", "b"],
            "cost": [10.0, 20.0],
        }
    )
    workshop["orders"] = Table.of(orders, "orders")
    said["tables"]["orders"] = {"time": "opened", "join": {"on": {"machine": "unit"}}, "known": {"cost": "closed"}}
    frame, _ = build(
        make_plan(parse(said), workshop, exclude=TARGET),
        workshop["jobs"],
        {k: v for k, v in workshop.items() if k != "jobs"},
    )
    jobs = workshop["jobs"].data.to_pylist()
    seen = set()
    for row, kind, cost in zip(jobs, frame.column("orders.kind"), frame.column("orders.cost"), strict=True):
        decision = (row["due"] - dt.datetime(2024, 1, 1)).total_seconds() / 3600 - 3
        expected_kind = {"m1": "a", "m2": "b"}.get(row["machine"]) if decision >= 0 else None
        expected_cost = 10.0 if row["machine"] == "m1" and decision >= 100 else None
        assert kind == expected_kind
        assert (None if np.isnan(cost) else cost) == expected_cost
        seen.add((expected_kind, expected_cost))
    assert {("a", None), ("a", 10.0), ("b", None)} <= seen


def test_decision_times_may_be_given(workshop, built):
    plan, others, frame, _ = built
    decision = workshop["jobs"].data.column("due").to_numpy().astype("datetime64[us]") - np.timedelta64(3, "h")
    assert_same(frame, build(plan, workshop["jobs"], others, decision_time=decision)[0])
    assert_same(frame, build(plan, workshop["jobs"], others, decision_time=decision.astype(np.int64))[0])
    with pytest.raises(DataError, match="decision times"):
        build(plan, workshop["jobs"], others, decision_time=decision[:3])


def test_late_columns_are_not_needed_in_use(workshop, built):
    plan, others, frame, _ = built
    assert_same(frame, build(plan, workshop["jobs"].drop(["late", "finished", "job"]), others)[0])


def test_columns_and_tables_that_are_absent_are_named(workshop, built):
    plan, others, _, _ = built
    with pytest.raises(DataError, match="lacks 1 column.*weight"):
        build(plan, workshop["jobs"].drop(["weight"]), others)
    with pytest.raises(DataError, match="--table readings"):
        build(plan, workshop["jobs"], {"machines": others["machines"]})
    with pytest.raises(DataError, match="lacks the column 'heat'"):
        build(plan, workshop["jobs"], others | {"readings": others["readings"].drop(["heat"])})


def test_a_changed_type_is_refused(workshop, built):
    plan, others, _, _ = built
    data = workshop["jobs"].data
    text = data.set_column(3, "weight", data.column("weight").cast(pa.string()))
    with pytest.raises(DataError, match="'weight' of jobs holds string where it was a number"):
        build(plan, Table.of(text, "jobs"), others)


def test_a_column_that_came_empty_has_no_type_and_is_missing(workshop, built):
    plan, others, _, _ = built
    data = workshop["jobs"].data
    empty = data
    for name in ("weight", "machine", "urgent", "note"):
        empty = empty.set_column(empty.column_names.index(name), name, pa.nulls(len(data), pa.string()))
    frame, joins = build(plan, Table.of(empty, "jobs"), others)
    assert np.isnan(frame.column("weight")).all()
    assert frame.column("machine").tolist() == [None] * len(data)
    assert all(j.matched_share == 0 for j in joins)


def test_no_rows_give_no_rows(workshop, built):
    plan, others, frame, _ = built
    empty, joins = build(plan, workshop["jobs"].take(np.array([], np.int64)), others)
    assert len(empty) == 0
    assert empty.features == frame.features
    assert joins[0].matched_share == 0


def test_an_empty_reference_table_matches_nothing(workshop, built):
    plan, others, _, _ = built
    none = {k: t.take(np.array([], np.int64)) for k, t in others.items()}
    frame, joins = build(plan, workshop["jobs"], none)
    assert np.isnan(frame.column("readings.heat")).all()
    assert np.isnan(frame.column("readings (age in hours)")).all()
    assert [j.matched_share for j in joins] == [0.0, 0.0]


def test_an_expression_that_fails_on_the_rows_says_so(workshop, said):
    said["features"] = {"own": "CAST(machine AS INTEGER)"}
    plan = make_plan(parse(said), workshop, exclude=TARGET)
    with pytest.raises(DeclarationError, match=r"features\.own.*cannot be evaluated"):
        build(plan, workshop["jobs"], {k: v for k, v in workshop.items() if k != "jobs"})


def test_the_ledger_counts(workshop, built):
    plan, _, frame, joins = built
    book = ledger(plan, frame, joins)
    assert [e.name for e in book.features] == list(frame.names)
    by_name = {e.name: e for e in book.features}
    weight = frame.column("weight")
    assert by_name["weight"].missing_share == np.isnan(weight).mean()
    assert by_name["weight"].distinct == len(np.unique(weight[~np.isnan(weight)]))
    assert by_name["machine"].distinct == 6
    assert by_name["heavy"].sentence == "an expert's expression over jobs.weight"
    assert book.left_out["jobs.late"] == "the target"
    assert book.joins == joins
    assert type(book).model_validate(book.payload()).payload() == book.payload()
