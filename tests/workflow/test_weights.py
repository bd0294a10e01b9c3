"""Weights through the whole line: a column that counts rows, weights of classes, and money that neither bends."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import log_loss

import holdgood as hg
from holdgood.core.errors import DataError, DeclarationError
from holdgood.workflow.folder import Project
from holdgood.workflow.predict import Predictor
from holdgood.workflow.run import run

N = 900


def table(seed=0):
    rng = np.random.default_rng(seed)
    size, site = rng.normal(size=N), rng.choice(["north", "south"], N)
    chance = 1 / (1 + np.exp(-(1.5 * size + (site == "north") - 2.0)))
    frame = pd.DataFrame({"size": size.round(4), "site": site, "late": rng.random(N) < chance})
    frame["stands_for"] = np.where(rng.random(N) < 0.1, 0.0, rng.integers(1, 5, N).astype(float))
    return frame


def walk(folder, frame, **task):
    return hg.run(
        frame,
        declaration={
            "task": {"target": "late", **task},
            "split": {"kind": "stratified", "folds": 3},
            "costs": {"miss": 9, "false_alarm": 2, "currency": "EUR"},
            "budget": {"trials": 2, "workers": 1, "models": ["linear"]},
        },
        project=folder,
    )


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    frame = table()
    folder = tmp_path_factory.mktemp("weighted")
    return frame, walk(folder, frame, weight="stands_for")


def kept(made):
    return pq.read_table(made.folder.find("evaluate").path / "predictions.parquet").to_pandas()


def test_rows_of_no_weight_are_not_used(done):
    frame, made = done
    assert made.split.unused == int((frame.stands_for == 0).sum())
    assert made.split.development + made.split.holdout + made.split.unused == N
    held = kept(made)
    assert (frame.stands_for.to_numpy()[held.row] > 0).all()


def test_the_weight_is_no_feature_and_prediction_does_without_it(done):
    frame, made = done
    assert "how much a row counts" in made.features.left_out["table.stands_for"]
    model = Predictor.load(made.bundle)
    rows = model.table_of(frame.drop(columns=["stands_for", "late"]).head(3))
    assert len(model.predict(rows)) == 3


def test_scores_and_money_count_rows_by_weight(done):
    frame, made = done
    held = kept(made)
    weight = frame.stands_for.to_numpy()[held.row]
    found = made.holdout.metrics["log_loss"]
    assert found.value == pytest.approx(log_loss(held.y, held.prediction, sample_weight=weight))
    assert found.value != pytest.approx(log_loss(held.y, held.prediction))
    assert found.low < found.value < found.high
    act = held.prediction >= made.leaderboard.threshold
    spent = np.where(held.y == 1, np.where(act, 0, 9), np.where(act, 2, 0))
    saved = np.where(held.y == 1, 9, 0) - spent
    assert made.holdout.money.amount.value == pytest.approx(len(held) * np.average(saved, weights=weight))


def test_weights_of_classes_move_chances_and_not_the_answers_that_money_chooses(tmp_path, done):
    frame = table()
    (tmp_path / "plain").mkdir()
    plain = walk(tmp_path / "plain", frame)
    (tmp_path / "even").mkdir()
    even = walk(tmp_path / "even", frame, class_weight="balanced")
    one, two = kept(plain), kept(even)
    assert two.prediction.mean() > one.prediction.mean() + 0.1
    assert even.leaderboard.threshold > plain.leaderboard.threshold
    first, second = plain.holdout.money.amount, even.holdout.money.amount
    assert second.low <= first.value <= second.high
    act = two.prediction >= even.leaderboard.threshold
    saved = np.where(two.y == 1, np.where(act, 9, 0), np.where(act, -2, 0))
    assert second.value == pytest.approx(float(saved.sum()))  # money counts rows as they are
    assert len(Predictor.load(even.bundle).class_weight) == 2


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"weight": "stands_for"}, DataError, "negative or infinite in 1 of"),
        ({"weight": "site"}, DataError, "holds string"),
        ({"class_weight": {"yes": 2.0}}, DeclarationError, "names the class 'yes'"),
    ],
)
def test_what_cannot_be_a_weight_is_refused_before_anything_is_spent(tmp_path, change, error, said):
    frame = table()
    frame.loc[3, "stands_for"] = -1.0
    with pytest.raises(error, match=said):
        walk(tmp_path, frame, **change)


def test_a_weight_may_be_an_expression(project):
    declared = project.declaration
    changed = declared.model_copy(
        update={"task": declared.task.model_copy(update={"weight": "CASE WHEN site = 'north' THEN 2 ELSE 1 END"})}
    )
    made = run(Project(project.path, changed), until="features")
    assert "orders.site" in {o for f in made.features.features for o in f.origin}


def test_new_rows_that_rank_runs_count_as_declared_where_they_tell_their_weight(done, tmp_path):
    from holdgood.workflow.new_rows import rank_on

    _, made = done
    later = table(seed=1)
    later.to_parquet(tmp_path / "later.parquet")
    board = rank_on(made.project.path, ["1"], str(tmp_path / "later.parquet"))
    counted = later[later.stands_for > 0]
    mine = next(e for e in board.entrants if e.role == "delivered")
    stated = made.model.predict(made.model.table_of(tmp_path / "later.parquet"), {})[counted.index]
    assert board.rows == len(counted)
    assert mine.score.value == pytest.approx(log_loss(counted.late, stated, sample_weight=counted.stands_for), rel=1e-6)
    assert any("count as declared (stands_for)" in n for n in board.notes)
    later.drop(columns="stands_for").to_parquet(tmp_path / "bare.parquet")
    bare = rank_on(made.project.path, ["1"], str(tmp_path / "bare.parquet"))
    assert bare.rows == N
    assert any("count once each: the declared weight cannot be had" in n for n in bare.notes)
