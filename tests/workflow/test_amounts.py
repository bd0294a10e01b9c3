"""A regression with declared costs answers with the amount that costs least, and states intervals that are checked."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import holdgood as hg
from holdgood.bundle import load
from holdgood.core.declaration import parse
from holdgood.core.errors import DeclarationError
from holdgood.workflow.estimator import HoldgoodClassifier, HoldgoodRegressor
from holdgood.workflow.predict import Predictor

N = 1200
OVER, UNDER = 2.0, 9.0
QUANTILES = ["quantile_0.1", "quantile_0.5", "quantile_0.9"]


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
            "task": {"interval": 0.9, "quantiles": [0.1, 0.5, 0.9]},
            "split": {"kind": "random", "folds": 4, **split},
            "budget": {"trials": 2, "workers": 1, "models": ["linear"]},
        },
        project=folder,
    )


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    return walk(tmp_path_factory.mktemp("amounts"), table())


def test_the_bundle_knows_what_loss_to_expect_of_a_row(done):
    """Squared errors grow with size; facts and outcomes stand apart, a model of losses stands in for them."""
    parts = load(done.bundle).parts
    usual = parts["usual"]
    assert len(usual.expected) == len(usual.outcome) > 800
    came = np.square(usual.outcome - usual.prediction)
    more = usual.expected > np.median(usual.expected)
    assert came[more].mean() > 1.5 * came[~more].mean()
    sizes = usual.frame.column("size")
    expected = parts["losses"].predict(usual.frame)
    assert expected[sizes > 15].mean() > 2 * expected[sizes < 5].mean()


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
    assert list(out.columns) == ["row", "prediction", "low", "high", *QUANTILES, "answer"]
    assert (out.low < out.prediction).all()
    assert (out.prediction < out.high).all()
    need = table(1).need
    assert abs(((out.low <= need) & (need <= out.high)).mean() - 0.9) < 0.04


def test_quantiles_stand_beside_predictions_and_are_judged(done):
    model = Predictor.load(done.bundle)
    rows = model.table_of(table(1).drop(columns="need"))
    out = model.output(rows, model.predict(rows))
    assert (np.diff(out[QUANTILES].to_numpy(), axis=1) > 0).all()
    for name, q in zip(QUANTILES, (0.1, 0.5, 0.9), strict=True):
        assert abs((table(1).need <= out[name]).mean() - q) < 0.05
        share = done.holdout.metrics[f"below_{name}"]
        assert share.low <= q + 0.02 and q - 0.02 <= share.high
    assert done.holdout.metrics["pinball_0.9"].value < done.holdout.metrics["pinball_0.5"].value
    assert "at or below each quantile" in " ".join(done.holdout.notes)


@pytest.mark.parametrize("levels", [[0.0], [0.9, 0.1], [0.5, 0.5], [1.2]])
def test_levels_that_are_none_are_refused(levels):
    with pytest.raises(DeclarationError, match="each once and rising"):
        parse({"task": {"quantiles": levels}})


def test_classes_have_no_quantiles():
    frame = table()
    with pytest.raises(DeclarationError, match="take task.quantiles away"):
        HoldgoodClassifier(budget="trials=2", quantiles=(0.5,), workers=0).fit(frame[["size"]], frame.need > 30)


def test_outer_folds_have_intervals_of_their_own(tmp_path):
    made = walk(tmp_path, table(), holdout="none", outer=3)
    assert abs(made.holdout.metrics["below_quantile_0.9"].value - 0.9) < 0.04
    found = made.holdout.metrics["interval_coverage"]
    assert found.n == N
    assert found.low <= 0.92
    assert found.high >= 0.88
    assert made.holdout.money.amount.low > 0


def test_an_estimator_gives_them_too():
    frame = table()
    X, y = frame[["size", "noise"]], frame.need
    quick = {"budget": "trials=2", "models": ("prior", "linear"), "workers": 0, "split": {"folds": 3}}
    made = HoldgoodRegressor(interval=0.8, quantiles=(0.25, 0.75), costs=hg.Costs(over=OVER, under=UNDER), **quick).fit(
        X, y
    )
    ends = made.predict_interval(X)
    assert ends.shape == (N, 2)
    assert abs(((ends[:, 0] <= y) & (y <= ends[:, 1])).mean() - 0.8) < 0.05
    assert (made.predict(X) > HoldgoodRegressor(**quick).fit(X, y).predict(X)).all()
    quarters = made.predict_quantiles(X)
    assert quarters.shape == (N, 2) and abs((y <= quarters[:, 0]).mean() - 0.25) < 0.05
    plain = HoldgoodRegressor(**quick).fit(X, y)
    with pytest.raises(DeclarationError, match="no quantiles were asked for"):
        plain.predict_quantiles(X)
    with pytest.raises(DeclarationError, match="no interval was asked for"):
        plain.predict_interval(X)
