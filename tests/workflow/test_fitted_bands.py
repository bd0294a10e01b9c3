"""A run whose facts tell how far off it is delivers a fitted band, and every road answers with it to the bit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import holdgood as hg
from holdgood.bundle import load
from holdgood.core.budget import Budget, Clock
from holdgood.core.declaration import parse
from holdgood.core.errors import BundleError
from holdgood.core.frame import Feature, frame_of
from holdgood.core.task import Task
from holdgood.training.fitted_band import FittedBand
from holdgood.workflow.bands import for_training
from holdgood.workflow.estimator import HoldgoodRegressor
from holdgood.workflow.predict import Predictor
from holdgood.workflow.scoring import predict_file
from holdgood.workflow.single.scorer import RowScorer

LEVELS = [0.1, 0.5, 0.9]
NAMES = ["low", "high", "quantile_0.1", "quantile_0.5", "quantile_0.9"]


def table(seed=0, n=2400):
    """The mean follows ``size`` in a line; how far needs scatter follows ``age`` and ``kind`` alone."""
    rng = np.random.default_rng(seed)
    size, age, kind = rng.uniform(0, 10, n), rng.uniform(0, 1, n), rng.choice(["calm", "wild"], n)
    spread = np.exp(2 * age) * np.where(kind == "wild", 2.5, 1.0)
    return pd.DataFrame({"size": size, "age": age, "kind": kind, "need": 3 * size + spread * rng.normal(size=n)})


def walk(folder, frame, **beside):
    declared = {
        "task": {"interval": 0.8, "quantiles": LEVELS},
        "split": {"kind": "random"},
        "budget": {"trials": 3, "workers": 1, "models": ["linear", "lightgbm"], "prefer": "balanced"},
    }
    return hg.run(frame, "need", declaration=declared | beside, project=folder)


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    return walk(tmp_path_factory.mktemp("fitted"), table())


def test_the_run_says_which_band_it_is_what_it_gained_and_what_it_covers(done):
    choice = done.leaderboard.band
    assert choice.kind == "fitted" and choice.levels == (0.1, 0.5, 0.9)
    assert choice.gain.verdict == "better" and choice.relative > 0.05
    for q in LEVELS:
        share = done.holdout.metrics[f"below_quantile_{q:g}"]
        assert share.method == "exact binomial" and share.low <= q <= share.high
    inside = done.holdout.metrics["interval_coverage"]
    assert inside.low <= 0.8 <= inside.high
    told = dict(next(s for s in done.card.sections if s.title == "How it was made").table)
    assert told["Quantiles and intervals"] == choice.sentence
    page = done.report.read_text(encoding="utf-8")
    assert "a learner a level, calibrated out of fold" in page


def test_the_bundle_holds_it_and_every_road_gives_the_same(done, tmp_path):
    model = Predictor.load(done.bundle)
    assert isinstance(model.band, FittedBand)
    facts = table(1, 40).drop(columns="need")
    rows = model.table_of(facts)
    prediction, frame = model.scored(rows)
    out = model.output(rows, prediction, frame=frame)
    assert list(out.columns) == ["row", "prediction", *NAMES]
    assert (np.diff(out[NAMES[2:]].to_numpy(), axis=1) >= 0).all()
    scorer = RowScorer(model)
    assert scorer.compiled
    asked = facts.to_dict("records")
    many, alone = scorer.rows(asked), [scorer.row(one) for one in asked]
    for i, (one, other) in enumerate(zip(many, alone, strict=True)):
        assert one.answer == other.answer
        assert {n: one.answer[n] for n in NAMES} == {n: out[n][i] for n in NAMES}
    facts.to_csv(tmp_path / "rows.csv", index=False)
    said = pd.DataFrame(predict_file(done.bundle, str(tmp_path / "rows.csv"), (), size=7).records)
    assert (said[NAMES].to_numpy() == out[NAMES].to_numpy()).all()
    wide = out.high - out.low
    assert (
        wide[(facts.kind == "wild") & (facts.age > 0.7)].mean()
        > 3 * wide[(facts.kind == "calm") & (facts.age < 0.3)].mean()
    )


def test_what_is_restored_is_what_was_trained(done):
    kept = load(done.folder.find("train").path / "model").parts["band"]
    model = Predictor.load(done.bundle)
    prediction, frame = model.scored(model.table_of(table(2, 30).drop(columns="need")))
    for name, values in kept.beside(prediction, frame).items():
        assert (values == model.beside(prediction, frame)[name]).all()


def test_a_band_that_is_none_is_refused(done, monkeypatch):
    parts = load(done.bundle).parts
    assert isinstance(parts["band"], FittedBand)
    monkeypatch.setattr(
        "holdgood.workflow.predict.load",
        lambda path: (lambda it: it.parts.__setitem__("band", parts["plan"]) or it)(load(path)),
    )
    with pytest.raises(BundleError, match="a band that is none"):
        Predictor.load(done.bundle)


def test_onnx_gives_the_prediction_alone_and_says_so(done, tmp_path):
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    from holdgood.workflow.onnx.export import export_onnx

    assert export_onnx(done.bundle, tmp_path / "m.onnx").left_out == "intervals and quantiles"


def test_outer_folds_judge_fitted_bands_of_their_own(tmp_path):
    made = walk(tmp_path, table(3, 1500), split={"kind": "random", "holdout": "none", "outer": 2})
    found = made.holdout.metrics["interval_coverage"]
    assert found.n == 1500 and abs(found.value - 0.8) < 0.06
    assert made.leaderboard.band.kind == "fitted"


def test_families_that_are_left_out_learn_no_quantiles(tmp_path):
    frame = table(4, 900)
    made = HoldgoodRegressor("trials=2", models=("linear",), workers=0, quantiles=(0.1, 0.9)).fit(
        frame[["size"]], frame.need
    )
    assert "leaves out lightgbm" in made.leaderboard_.band.sentence
    assert made.predict_quantiles(frame[["size"]]).shape == (900, 2)


def test_an_estimator_over_time_and_groups(tmp_path):
    frame = table(5, 2000)
    X, y, n = frame[["size", "age", "kind"]], frame.need, len(frame)
    quick = {"budget": "trials=2", "models": ("linear", "lightgbm"), "workers": 0, "prefer": "balanced"}
    days = np.datetime64("2024-01-01") + np.arange(n) // 8
    over_time = HoldgoodRegressor(quantiles=(0.1, 0.9), **quick).fit(X, y, time=days)
    assert over_time.leaderboard_.band.gain is not None
    grouped = HoldgoodRegressor(interval=0.8, **quick).fit(X, y, groups=np.arange(n) // 5)
    assert grouped.leaderboard_.band.kind == "fitted" and "cluster" in grouped.leaderboard_.band.gain.method
    low, high = grouped.predict_interval(X).T
    assert (low <= high).all()


def test_training_leaves_a_small_share_of_the_time_and_none_where_nothing_is_asked():
    frame = frame_of([(Feature("x", "number"), np.zeros(5000))])
    task = Task(kind="regression", metric="rmse")
    asked, plain = parse({"task": {"quantiles": [0.1, 0.9]}}), parse({})
    clock = Clock(Budget.parse("60s"))
    assert 0 < clock.left() - for_training(clock, asked, task, frame).left() <= 0.12 * 60
    assert for_training(clock, plain, task, frame) is clock
    assert for_training(clock, asked, Task(kind="binary", classes=("a", "b")), frame) is clock
    by_work = Clock(Budget.parse("trials=3"))
    assert for_training(by_work, asked, task, frame) is by_work
