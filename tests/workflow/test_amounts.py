"""A regression with declared costs answers with the amount that costs least, and states intervals that are checked."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import holdgood as hg
from holdgood.core.errors import DeclarationError
from holdgood.workflow.estimator import HoldgoodRegressor
from holdgood.workflow.predict import Predictor

N = 1200
OVER, UNDER = 2.0, 9.0


def table(seed=0):
    rng = np.random.default_rng(seed)
    size = rng.gamma(2.0, 5.0, N)
    return pd.DataFrame({"size": size, "noise": rng.normal(size=N), "need": size * (2 + 0.6 * rng.gamma(2.0, 1.0, N))})


def walk(folder, frame, **split):
    return hg.run(
        frame,
        "need",
        costs=hg.Costs(over=OVER, under=UNDER, currency="EUR"),
        declaration={
            "task": {"interval": 0.9},
            "split": {"kind": "random", **split},
            "budget": {"trials": 2, "workers": 1, "models": ["linear"]},
        },
        project=folder,
    )


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    return walk(tmp_path_factory.mktemp("amounts"), table())


def paid(y, answer):
    return np.where(answer > y, OVER * (answer - y), UNDER * (y - answer))


def test_the_answer_costs_less_than_the_expected_amount(done):
    held = pq.read_table(done.folder.find("evaluate").path / "predictions.parquet").to_pandas()
    model = Predictor.load(done.bundle)
    answer = model.answers(held.prediction.to_numpy())
    assert paid(held.y, answer).mean() < 0.9 * paid(held.y, held.prediction).mean()
    assert (answer >= held.y).mean() == pytest.approx(UNDER / (OVER + UNDER), abs=0.06)
    # against the best constant, which is moved too: a fair opponent
    constant = next(c for c in done.holdout.money_against if c.second.startswith("the same value"))
    dev = table().need.drop(index=held.row)
    assert constant.difference == pytest.approx(
        (paid(held.y, dev.quantile(UNDER / (OVER + UNDER))) - paid(held.y, answer)).sum(), rel=0.05
    )
    assert done.leaderboard.ladder[1].money_gain.verdict == "better"


def test_the_coverage_is_reported_with_an_exact_interval(done):
    found = done.holdout.metrics["interval_coverage"]
    assert found.method == "exact binomial"
    assert found.low <= 0.9 <= found.high
    assert any("Intervals at 90% held" in n for n in done.holdout.notes)
    assert done.holdout.metrics["interval_width"].value > 0


def test_predictions_come_with_their_ends_and_the_answer(done):
    model = Predictor.load(done.bundle)
    rows = model.table_of(table(1).drop(columns="need"))
    out = model.output(rows, model.predict(rows))
    assert list(out.columns) == ["row", "prediction", "low", "high", "answer"]
    assert (out.low < out.prediction).all()
    assert (out.prediction < out.high).all()
    need = table(1).need
    assert abs(((out.low <= need) & (need <= out.high)).mean() - 0.9) < 0.04


def test_outer_folds_have_intervals_of_their_own(tmp_path):
    made = walk(tmp_path, table(), holdout="none", outer=3)
    found = made.holdout.metrics["interval_coverage"]
    assert found.n == N
    assert found.low <= 0.92
    assert found.high >= 0.88
    assert made.holdout.money.amount.low > 0


def test_an_estimator_gives_them_too():
    frame = table()
    X, y = frame[["size", "noise"]], frame.need
    quick = {"budget": "trials=2", "models": ("prior", "linear"), "workers": 0}
    made = HoldgoodRegressor(interval=0.8, costs=hg.Costs(over=OVER, under=UNDER), **quick).fit(X, y)
    ends = made.predict_interval(X)
    assert ends.shape == (N, 2)
    assert abs(((ends[:, 0] <= y) & (y <= ends[:, 1])).mean() - 0.8) < 0.05
    assert (made.predict(X) > HoldgoodRegressor(**quick).fit(X, y).predict(X)).all()
    with pytest.raises(DeclarationError, match="no interval was asked for"):
        HoldgoodRegressor(**quick).fit(X, y).predict_interval(X)
