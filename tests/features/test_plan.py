import json
from dataclasses import replace

import pyarrow as pa
import pytest

from holdgood.core.declaration import parse
from holdgood.core.errors import BundleError, DataError, DeclarationError
from holdgood.core.protocols import Parts
from holdgood.core.table import Table
from holdgood.features.builders.plan import FeaturePlan, make_plan

TARGET = {"jobs": {"late": "the target"}}


def names(plan, table=None):
    return [f.name for f in plan.features if table in (None, f.table)]


def test_types_decide_the_builders(workshop, declared):
    plan = make_plan(declared, workshop, exclude=TARGET)
    by_name = {f.name: f for f in plan.features}
    assert by_name["machine"].type == "category"
    assert by_name["weight"].type == by_name["urgent"].type == "number"
    assert by_name["note"].type == "text"
    assert by_name["due (hour)"].builder == "calendar"
    assert by_name["due (hours from the decision)"].builder == "to decision"
    assert by_name["readings (age in hours)"].builder == "age of the fact"
    assert by_name["label"].type == "category"
    assert by_name["heavy"].type == "number"
    assert by_name["heavy"].origin == ("jobs.weight",)


def test_a_column_of_dates_has_no_hours():
    days = pa.array([0, 86_400_000_000, None], pa.timestamp("us"))
    table = Table.of(pa.table({"day": days, "at": pa.array([0, 86_400_000_001, 5], pa.timestamp("us"))}), "t")
    plan = make_plan(parse({"tables": {"t": {}}}), {"t": table})
    assert "day (hour)" not in names(plan)
    assert "day (minute of the day)" not in names(plan)
    assert {"day (week)", "day (days)", "at (hour)", "at (minute of the day)"} <= set(names(plan))
    assert plan.left_out == {"day (hour, minute of the day)": "every time is midnight: it holds dates"}


def test_what_is_left_out_has_a_reason(workshop, declared):
    plan = make_plan(declared, workshop, exclude=TARGET)
    assert plan.left_out["jobs.late"] == "the target"
    assert "after the decision" in plan.left_out["jobs.finished"]
    assert "names a row" in plan.left_out["jobs.job"]
    assert "key of the join" in plan.left_out["readings.unit"]
    assert "age of the fact" in plan.left_out["readings.at"]
    used = {o for f in plan.features for o in f.origin}
    everything = {f"{n}.{c}" for n, t in workshop.items() for c in t.names}
    assert used | set(plan.left_out) == everything
    assert not [c.name for c in plan.inputs if c.name in ("late", "finished", "job")]


def test_a_plan_ignores_values(workshop, declared):
    empty = {n: t.with_data(t.data.slice(0, 0)) for n, t in workshop.items()}
    assert make_plan(declared, empty, exclude=TARGET) == make_plan(declared, workshop, exclude=TARGET)


def test_identifiers_and_ignored_columns_may_still_join(workshop, said):
    said["tables"]["jobs"] |= {"ids": ["machine"], "ignore": ["weight"]}
    plan = make_plan(parse(said), workshop, exclude=TARGET, identifiers={"jobs": {"urgent": "found to name rows"}})
    assert "machine" not in names(plan)
    assert plan.left_out["jobs.urgent"] == "found to name rows"
    assert plan.left_out["jobs.weight"] == "declared to be ignored"
    assert "readings.heat" in names(plan)
    assert "label" in names(plan)
    assert "heavy" in names(plan)


def test_a_join_by_a_late_column_is_left_out(workshop, said):
    plan = make_plan(parse(said), workshop, exclude={"jobs": {"late": "the target", "machine": "found late"}})
    assert plan.joins == ()
    assert plan.left_out["readings.heat"] == "joined by machine, which is left out: found late"
    assert plan.left_out["features.label"] == "it uses machine: found late"


@pytest.mark.parametrize("expression", ["finished > due", "late", '"late" AND urgent', "COALESCE(finished, due)"])
def test_an_expression_over_a_late_column_is_left_out(workshop, said, expression):
    said["features"] = {"own": expression}
    plan = make_plan(parse(said), workshop, exclude=TARGET)
    assert plan.expressions == {}
    assert plan.left_out["features.own"].startswith("it uses ")


@pytest.mark.parametrize(
    ("expression", "part"),
    [
        ("random()", "each time"),
        ("date_diff('hour', now(), due)", "each time"),
        ("1 + 1", "uses no column"),
        ("COLUMNS(*)", ""),
        ("weigth * 2", "cannot be evaluated"),
        ("avg(weight)", ""),
        ("due - due", "gives"),
        ("(SELECT 1)", ""),
    ],
)
def test_an_expression_that_cannot_be_a_feature_is_refused(workshop, said, expression, part):
    said["features"] = {"own": expression}
    with pytest.raises(DeclarationError, match="own") as error:
        make_plan(parse(said), workshop, exclude=TARGET)
    assert part in str(error.value)


def test_a_decision_that_uses_a_late_column_is_refused(workshop, said):
    said["task"]["decision_time"] = "finished - 1 hour"
    with pytest.raises(DeclarationError, match="uses 'finished'"):
        make_plan(parse(said), workshop, exclude=TARGET)


def test_a_table_with_a_time_needs_a_decision(workshop, said):
    del said["task"]["decision_time"], said["tables"]["jobs"]["time"]
    with pytest.raises(DeclarationError, match="no moment of decision"):
        make_plan(parse(said), workshop, exclude=TARGET)


def test_absolute_time_only_without_a_time_order(workshop, said):
    del said["task"]["decision_time"], said["tables"]["jobs"]["time"], said["tables"]["readings"]
    plan = make_plan(parse(said), workshop, exclude=TARGET)
    assert "due (days)" in names(plan)
    assert not plan.needs_decision
    said["tables"]["jobs"]["time"] = "due"
    assert "due (days)" not in names(make_plan(parse(said), workshop, exclude=TARGET))


def test_a_column_with_its_own_moment_needs_a_decision(workshop, said):
    said["tables"]["jobs"]["known"]["weight"] = "due - 10 hours"
    plan = make_plan(parse(said), workshop, exclude=TARGET)
    assert {c.name: c.known for c in plan.inputs}["weight"] == "due - 10 hours"
    del said["task"]["decision_time"], said["tables"]["jobs"]["time"], said["tables"]["readings"]
    plan = make_plan(parse(said), workshop, exclude=TARGET)
    assert "no decision time is declared" in plan.left_out["jobs.weight"]


def test_a_table_without_a_join_is_left_out(workshop, said):
    del said["tables"]["machines"]["join"]
    plan = make_plan(parse(said), workshop, exclude=TARGET)
    assert "declares no join" in plan.left_out["machines.built"]


def test_names_never_collide():
    main = Table.of(pa.table({"k": [1, 2], "b.v": [1.0, 2.0]}), "a")
    other = Table.of(pa.table({"k": [1, 2], "v": [1.0, 2.0]}), "b")
    declared = parse({"tables": {"a": {}, "b": {"join": {"on": {"k": "k"}}}}})
    assert names(make_plan(declared, {"a": main, "b": other})) == ["k", "b.v", "b.v (2)"]


def test_no_feature_at_all_is_refused():
    table = Table.of(pa.table({"y": [1, 0]}), "t")
    with pytest.raises(DataError, match="no feature is left"):
        make_plan(parse({"tables": {"t": {}}}), {"t": table}, exclude={"t": {"y": "the target"}})


def test_an_absent_main_table_and_a_wrong_key_are_refused(workshop, declared, said):
    with pytest.raises(DataError, match="no table 'jobs'"):
        make_plan(declared, {"job": workshop["jobs"]})
    said["tables"]["machines"]["join"]["on"] = {"machin": "unit"}
    with pytest.raises(DataError, match="did you mean 'machine'"):
        make_plan(parse(said), workshop)


def test_round_trip_through_json(workshop, declared):
    plan = make_plan(declared, workshop, exclude=TARGET)
    assert FeaturePlan.from_parts(Parts(json.loads(json.dumps(plan.to_parts().json)))) == plan


@pytest.mark.parametrize("harm", ["main", "features", "joins"])
def test_a_damaged_plan_is_refused(workshop, declared, harm):
    json_ = make_plan(declared, workshop, exclude=TARGET).to_parts().json
    with pytest.raises(BundleError):
        FeaturePlan.from_parts(Parts({k: v for k, v in json_.items() if k != harm}))
    wrong = replace(make_plan(declared, workshop, exclude=TARGET), main="elsewhere").to_parts()
    with pytest.raises(BundleError):
        FeaturePlan.from_parts(wrong)
    json_["features"][0]["builder"] = "os.system"
    with pytest.raises(BundleError, match=r"os\.system"):
        FeaturePlan.from_parts(Parts(json_))
