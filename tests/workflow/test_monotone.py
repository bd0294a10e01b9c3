"""Predictions move one way only along a column that is declared so, whatever the other columns say."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import holdgood as hg
from holdgood.core.errors import DeclarationError
from holdgood.workflow.estimator import HoldgoodClassifier, HoldgoodRegressor
from holdgood.workflow.predict import Predictor

N = 500
QUICK = {"budget": "trials=3", "models": ("lightgbm", "tree"), "workers": 0, "prefer": "best", "split": {"folds": 3}}


def table(seed=0):
    rng = np.random.default_rng(seed)
    price, size = rng.gamma(2.0, 10.0, N), rng.normal(size=N)
    site = rng.choice(["a", "b", "c"], N)
    demand = 30 - 0.5 * price + 8 * np.sin(price / 4) + 5 * size * (site == "a") + rng.normal(0, 3, N)
    frame = pd.DataFrame({"price": np.where(rng.random(N) < 0.05, np.nan, price), "size": size, "site": site})
    return frame, demand


FRAME, DEMAND = table()


@pytest.fixture(scope="module")
def regressor():
    return HoldgoodRegressor(monotone={"price": "decreasing", "size": "increasing"}, **QUICK).fit(FRAME, DEMAND)


@pytest.fixture(scope="module")
def classifier():
    return HoldgoodClassifier(monotone={"price": "decreasing"}, **QUICK).fit(FRAME, DEMAND > 20)


def ways(predict, column, row, low, high):
    rows = pd.concat([row] * 60, ignore_index=True)
    rows[column] = np.linspace(low, high, 60)
    return np.diff(predict(rows))


@settings(max_examples=40, deadline=None)
@given(size=st.floats(-3, 3), site=st.sampled_from(["a", "b", "c", "new", None]), price=st.floats(0, 90))
def test_predictions_move_one_way_only(regressor, classifier, size, site, price):
    row = pd.DataFrame({"price": [price], "size": [size], "site": pd.Series([site], dtype=object)})
    assert (ways(regressor.predict, "price", row, -5.0, 120.0) <= 1e-9).all()
    assert (ways(regressor.predict, "size", row, -5.0, 5.0) >= -1e-9).all()
    assert (ways(lambda r: classifier.predict_proba(r)[:, 1], "price", row, -5.0, 120.0) <= 1e-9).all()


def test_without_the_declaration_they_do_not_and_with_it_something_is_learned(regressor):
    free = HoldgoodRegressor(**QUICK).fit(FRAME, DEMAND)
    row = FRAME.iloc[[0]]
    assert (ways(free.predict, "price", row, 0.0, 60.0) > 0.1).any()
    assert regressor.score(FRAME, DEMAND) > 0.5
    families = {t.family for t in regressor.leaderboard_.trials}
    assert families == {"prior", "lightgbm"}


@pytest.mark.parametrize("models", [("linear",), ("additive",)])
def test_what_a_person_can_read_whole_keeps_it_too(models):
    made = HoldgoodRegressor(
        monotone={"price": "decreasing", "size": "increasing"}, **{**QUICK, "models": models, "budget": "trials=6"}
    ).fit(FRAME, DEMAND)
    assert {t.family for t in made.leaderboard_.trials} == {"prior", *models}
    assert made.score(FRAME, DEMAND) > 0.4
    for at in range(12):
        row = FRAME.iloc[[at]]
        assert (ways(made.predict, "price", row, -5.0, 120.0) <= 1e-9).all()
        assert (ways(made.predict, "size", row, -5.0, 5.0) >= -1e-9).all()


def test_a_run_keeps_it_says_what_was_left_out_and_so_does_its_bundle(tmp_path):
    frame = FRAME.assign(demand=DEMAND)
    made = hg.run(
        frame,
        "demand",
        declaration={
            "task": {"monotone": {"price": "decreasing"}},
            "features": {"double": "price * 2"},
            "split": {"kind": "random", "folds": 3},
            "budget": {"trials": 2, "workers": 1, "models": ["tree", "lightgbm"], "prefer": "best"},
        },
        project=tmp_path,
    )
    assert "left out, because they do not keep a column monotone: tree" in made.leaderboard.notes
    assert "declared monotone" in made.features.left_out["double"]
    model = Predictor.load(made.bundle)
    rows = pd.concat([frame.drop(columns="demand").iloc[[3]]] * 50, ignore_index=True)
    rows["price"] = np.linspace(0, 100, 50)
    assert (np.diff(model.predict(model.table_of(rows))) <= 1e-9).all()


@pytest.mark.parametrize(
    ("monotone", "y", "said"),
    [
        ({"prize": "increasing"}, DEMAND, "did you mean 'price'"),
        ({"site": "increasing"}, DEMAND, "no feature that is a number"),
        ({"price": "up"}, DEMAND, "increasing"),
    ],
)
def test_what_cannot_be_monotone_is_refused(monotone, y, said):
    with pytest.raises(DeclarationError, match=said):
        HoldgoodRegressor(monotone=monotone, **QUICK).fit(FRAME, y)


def test_several_classes_have_no_direction():
    with pytest.raises(DeclarationError, match="several classes"):
        HoldgoodClassifier(monotone={"price": "increasing"}, **QUICK).fit(FRAME, np.arange(N) % 3)
