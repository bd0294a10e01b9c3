"""The effect of a repair: proven where it helps, not proven where it changes nothing that matters, never on the holdout."""

import numpy as np
import pandas as pd
import pytest

from holdgood.core.declaration import RepairSpec, parse
from holdgood.workflow.effect import Bench, _stand_ins, effects
from holdgood.workflow.folder import Project


def company(seed=0, rows=1500):
    """A weight that decides; the same weight with a code for missing in a tenth of the rows; noise with the same code."""
    rng = np.random.default_rng(seed)
    weight = rng.gamma(4, 3, rows).round(2)
    late = (weight + rng.normal(0, 4, rows) > 12).astype(int)
    gone = rng.random((2, rows)) < 0.1
    return pd.DataFrame(
        {
            "weight": np.where(gone[0], -999.0, weight),
            "noise": np.where(gone[1], -999.0, rng.normal(50, 9, rows).round(2)),
            "late": late,
        }
    )


def spec(*columns):
    return RepairSpec(repair="sentinel-to-missing", table="t", columns=list(columns), parameters={"values": [-999]})


def project(tmp_path, frame, **more):
    frame.to_parquet(tmp_path / "t.parquet")
    declared = {"tables": {"t": {"source": "t.parquet"}}, "task": {"target": "late"}, "split": {"folds": 3}} | more
    return Project(tmp_path, parse(declared))


def test_a_code_that_hurts_a_linear_model_is_proven_and_noise_is_not(tmp_path):
    costs = {"currency": "EUR", "miss": 10, "false_alarm": 3}
    found = effects(project(tmp_path, company(), costs=costs), [spec("weight"), spec("noise")], learner="linear")
    weight, noise, both = found.effects
    assert (weight.gain.verdict, noise.gain.verdict, both.gain.verdict) == ("better", "not proven", "better")
    assert weight.gain.difference > 0.05
    assert weight.money.verdict == "better"
    assert weight.money.unit == "EUR a row"
    assert weight.cells_changed == int((company().weight == -999).sum())
    assert (both.repair, both.cells_changed) == ("all together", weight.cells_changed + noise.cells_changed)
    assert found.fold_kind == "stratified"
    assert found.rows == pytest.approx(0.75 * 1500, abs=2)


def test_declared_repairs_are_judged_by_leaving_them_out(tmp_path):
    declared = [{"repair": "sentinel-to-missing", "columns": ["weight"], "parameters": {"values": [-999]}}]
    (one,) = effects(project(tmp_path, company(), repairs=declared), learner="linear").effects
    assert one.gain.verdict == "better"
    assert one.cells_changed > 0


def test_what_changes_no_feature_or_the_outcome_is_said_not_compared(tmp_path):
    nothing = RepairSpec(repair="sentinel-to-missing", table="t", columns=["noise"], parameters={"values": [12345]})
    outcome = RepairSpec(repair="sentinel-to-missing", table="t", columns=["late"], parameters={"values": [1]})
    wrong = RepairSpec(repair="sentinel-to-missing", table="t", columns=["nowhere"], parameters={"values": [1]})
    found = effects(project(tmp_path, company(rows=400)), [nothing, outcome, wrong]).effects
    assert [e.gain for e in found[:3]] == [None] * 3
    assert "no feature" in found[0].note
    assert "outcome" in found[1].note
    assert "nowhere" in found[2].note


DROP = RepairSpec(repair="drop-duplicate-rows", table="t", columns=[])


def test_rows_taken_out_are_compared_without_giving_copies_away(tmp_path):
    """Nothing but noise, half of it twice: a model that has seen the copy would look far better than one that has not."""
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"a": rng.normal(size=400), "b": rng.normal(size=400), "late": rng.integers(0, 2, 400)})
    doubled = pd.concat([frame, frame.iloc[:200]])
    (one,) = effects(project(tmp_path, doubled), [DROP]).effects
    assert one.rows_removed == 200
    assert one.gain is not None
    assert one.gain.verdict != "worse", "copies across the folds flatter the table that has them"
    (left_out,) = effects(project(tmp_path, doubled, repairs=[{"repair": "drop-duplicate-rows"}])).effects
    assert left_out.rows_removed == 200
    assert left_out.gain is not None
    assert left_out.gain.verdict != "worse"


def test_copies_that_mislead_are_proven_to_harm(tmp_path):
    """Thirty odd rows, each there forty times, outweigh the rest; both models are judged on the rows that both keep."""
    frame = company(rows=900).replace(-999.0, 9.0)
    odd = frame.iloc[:30].assign(weight=lambda f: f.weight + 25, late=0)
    doubled = pd.concat([frame, *[odd] * 40])
    (one,) = effects(project(tmp_path, doubled), [DROP], learner="linear").effects
    assert one.gain.verdict == "better"
    declared = [{"repair": "drop-duplicate-rows"}]
    (left_out,) = effects(project(tmp_path, doubled, repairs=declared), learner="linear").effects
    assert left_out.gain.verdict == "better"
    assert left_out.rows_removed == one.rows_removed


def test_of_copies_the_row_that_stays_stands_for_all():
    fact = np.arange(6)
    first = _stand_ins(fact, np.arange(6), np.array([0, 1, 4, 5]), np.array([0, 1, 0, 1, 2, 3]))
    assert first.tolist() == [0, 1, 0, 1, 4, 5]
    # of what is left (places 0, 1, 4, 5) the first goes, too: whoever it stood for goes with it
    second = _stand_ins(first, np.array([0, 1, 4, 5]), np.array([1, 2, 3]), np.array([7, 1, 7, 3]))
    assert second.tolist() == [4, 1, 4, 1, 4, 5]


def test_the_holdout_is_not_looked_at(tmp_path):
    frame = company(rows=800)
    frame["at"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(800), unit="h")
    time = {"tables": {"t": {"source": "t.parquet", "time": "at"}}}
    before = effects(project(tmp_path, frame, **time), [spec("weight")], learner="linear")
    frame.loc[700:, "weight"] = 1e6
    frame.loc[700:, "late"] = 1 - frame.loc[700:, "late"]
    after = effects(project(tmp_path, frame, **time), [spec("weight")], learner="linear")
    assert after.effects[0].gain == before.effects[0].gain
    assert not (tmp_path / "runs").exists()


def test_a_null_world_shows_no_gain(tmp_path):
    """Twelve worlds in which the code stands in noise: with Holm at 5% at most two may be called (p < 0.02)."""
    called = 0
    for seed in range(12):
        (one,) = effects(project(tmp_path, company(seed, 300)), [spec("noise")], learner="linear").effects
        called += one.gain.verdict != "not proven"
    assert called <= 2


def test_no_time_is_said(tmp_path):
    found = effects(project(tmp_path, company(rows=300)), [spec("weight")], seconds=1e-9)
    assert found.effects[0].note == "no time was left for it"


def test_what_comes_into_being_with_the_outcome_is_no_feature_here_either(tmp_path):
    """Rows without an outcome prove a column to be late; a bench that leaves them out would learn from it."""
    frame = company(rows=600)
    rng = np.random.default_rng(3)
    frame["after"] = np.where(frame.late == 1, 5.0, 1.0) + rng.normal(0, 0.8, len(frame))
    frame["late"] = frame["late"].astype(float)
    frame.loc[rng.random(len(frame)) < 0.15, ["late", "after"]] = np.nan
    bench = Bench(project(tmp_path, frame), {}, "linear")
    assert "after" in bench.exclude["t"]
    assert "after" not in bench.frame(bench.base)[0].names
