"""Who is acted on within a capacity a day, in what a bundle writes."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import holdgood as hg
from holdgood.audit.verdicts import Verdicts
from holdgood.core.declaration import Declaration
from holdgood.core.errors import DeclarationError
from holdgood.core.table import Table
from holdgood.core.task import Task
from holdgood.workflow.predict import Predictor
from holdgood.workflow.scoring import predict_file

P = np.array([0.9, 0.7, 0.8, 0.2, 0.6, 0.95])


def predictor(capacity, time="at"):
    declared = Declaration.model_validate(
        {
            "task": {"target": "late"},
            "costs": {"miss": 1, "false_alarm": 1, "capacity": capacity},
            "tables": {"orders": {"source": "orders.csv", "key": ["id"]} | ({"time": time} if time else {})},
        }
    )
    task = Task(kind="binary", classes=(False, True))
    return Predictor(None, task, declared, None, None, None, None, threshold=0.5)  # type: ignore[arg-type]


def rows():
    at = [
        "2026-01-05T08:00",
        "2026-01-05T23:59",
        "2026-01-05T12:00",
        "2026-01-06T00:00",
        "2026-01-06T09:00",
        "2026-01-06T09:00",
    ]
    return Table.of(pa.table({"id": range(6), "at": np.array(at, "datetime64[us]")}), "orders")


def written(model, verdicts=None):
    return model.output(rows(), P, "arrow", verdicts).to_pydict()


def test_of_each_days_rows_the_likeliest_are_acted_on():
    found = written(predictor(2))
    assert found["answer"] == [True, True, True, False, True, True]
    assert found["act"] == [True, False, True, False, True, True]
    assert written(predictor(1))["act"] == [True, False, False, False, False, True]
    assert written(predictor(0))["act"] == [False] * 6


def test_a_row_that_is_refused_takes_nobodys_place():
    rank = np.array([2, 0, 0, 0, 0, 0])
    found = written(predictor(2), Verdicts(rank, ()))
    assert found["act"] == [None, True, True, False, True, True]


def test_without_a_capacity_nothing_is_added():
    assert "act" not in written(predictor(None))


def test_rows_without_a_day_are_told():
    with pytest.raises(DeclarationError, match="a capacity of 2 a day"):
        written(predictor(2, time=None))


def test_in_a_run_on_its_holdout_and_in_the_file_that_it_predicts(tmp_path):
    rng = np.random.default_rng(0)
    n, a_day = 600, 20
    x = rng.normal(size=n)
    data = pd.DataFrame(
        {
            "at": pd.Timestamp("2026-01-05") + pd.to_timedelta(np.arange(n) // a_day, unit="D"),
            "x": x,
            "late": rng.random(n) < 1 / (1 + np.exp(-2 * x)),
        }
    )
    made = hg.run(
        data,
        "late",
        time="at",
        costs=hg.Costs(miss=5, false_alarm=1, currency="EUR", capacity=3),
        declaration={"fairness": {"groups": ["x"]}, "budget": {"trials": 2, "workers": 1, "models": ["linear"]}},
        project=tmp_path,
    )
    limit = made.holdout.capacity
    assert limit.full_days == limit.days == made.holdout.rows // a_day
    assert limit.acted == 3 * limit.days
    assert sum(row[1] for row in made.holdout.confusion.counts) == limit.acted
    assert "at most 3 acted on a day" in made.holdout.money_sentence
    flat = made.holdout.threshold
    assert 0 <= flat.flat_low <= flat.value <= flat.flat_high <= 1
    assert flat.flat_low == made.leaderboard.threshold_flat_low
    data.to_csv(tmp_path / "new.csv", index=False)
    scored = predict_file(made.bundle, str(tmp_path / "new.csv"), [], to=tmp_path / "out.csv")
    out = pd.read_csv(scored.path)
    acted = out[out.act]
    assert acted.answer.all() and len(acted) == 3 * (n // a_day)
    assert (out.act.groupby(np.arange(n) // a_day).sum() == 3).all()
    assert any("at most 3 a day" in note for note in scored.notes)


def test_a_run_without_a_time_is_refused_before_anything_is_spent(tmp_path):
    data = pd.DataFrame({"x": np.arange(60.0), "late": np.arange(60) % 3 == 0})
    with pytest.raises(DeclarationError, match="a capacity of 3 a day"):
        hg.run(data, "late", costs=hg.Costs(miss=5, false_alarm=1, capacity=3), project=tmp_path)
