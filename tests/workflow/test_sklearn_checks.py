"""scikit-learn's own checks of an estimator, on the cheapest families."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from holdgood.core.errors import DataError, DeclarationError, TargetError
from holdgood.workflow.estimator import HoldgoodClassifier, HoldgoodRegressor

CHEAP = {"budget": "trials=2", "models": ("prior", "linear"), "workers": 0}
FEW = {**CHEAP, "split": {"folds": 2}}


def expected_to_fail(estimator):
    return {
        "check_sample_weight_equivalence_on_dense_data": "folds are drawn from rows: a row of weight two sits in one fold, "
        "two equal rows may sit in two"
    }


@parametrize_with_checks(
    [HoldgoodClassifier(**FEW), HoldgoodRegressor(**CHEAP)], expected_failed_checks=expected_to_fail
)
def test_scikit_learn_says_so(estimator, check):
    check(estimator)


N = 160
random = np.random.default_rng(0)
X = pd.DataFrame({"size": random.normal(size=N), "kind": random.choice(["a", "b"], N)})
AMOUNT = 2.0 * X["size"].to_numpy() + (X.kind == "a").to_numpy()


def test_a_grid_of_its_own_parameters_is_searched():
    grid = GridSearchCV(HoldgoodRegressor(**CHEAP), {"prefer": ["simple", "best"], "seed": [0, 1]}, cv=2)
    assert grid.fit(X, AMOUNT).best_score_ > 0.9
    assert set(grid.best_params_) == {"prefer", "seed"}


def test_it_ends_a_pipeline():
    before = ColumnTransformer([("numbers", StandardScaler(), ["size"]), ("words", OneHotEncoder(), ["kind"])])
    made = make_pipeline(before, HoldgoodClassifier(**CHEAP)).fit(X, AMOUNT > 0)
    assert made.score(X, AMOUNT > 0) > 0.9


def test_a_fitted_one_travels_to_the_bit():
    made = HoldgoodClassifier(class_weight="balanced", **CHEAP).fit(X, AMOUNT > 0)
    copy = pickle.loads(pickle.dumps(made))
    assert copy.predict_proba(X).tobytes() == made.predict_proba(X).tobytes()
    assert copy.feature_names_in_.tolist() == ["size", "kind"]


def test_a_zero_weight_leaves_a_row_out_to_the_bit():
    y, weight = AMOUNT.copy(), np.ones(N)
    y[::3], weight[::3] = 1e6, 0.0
    kept = weight > 0
    with_zeros = HoldgoodRegressor(**CHEAP).fit(X, y, sample_weight=weight)
    without = HoldgoodRegressor(**CHEAP).fit(X[kept], y[kept], sample_weight=weight[kept])
    assert with_zeros.predict(X).tobytes() == without.predict(X).tobytes()


def test_the_unit_of_weights_does_not_matter():
    weight = random.gamma(2.0, size=N)
    one = HoldgoodClassifier(**CHEAP).fit(X, AMOUNT > 1, sample_weight=weight)
    two = HoldgoodClassifier(**CHEAP).fit(X, AMOUNT > 1, sample_weight=1024.0 * weight)
    assert np.allclose(one.predict_proba(X), two.predict_proba(X))
    first, second = ([t.score.value for t in e.leaderboard_.trials if t.score is not None] for e in (one, two))
    assert first == pytest.approx(second)


def test_balanced_classes_are_answered_equally_often():
    """One row in seventeen is of the rare class: plain, it is hardly ever answered; balanced, as often as the other."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"size": rng.normal(size=800), "kind": rng.choice(["a", "b"], 800)})
    score = table["size"].to_numpy() + rng.normal(size=800)
    rare = score > np.quantile(score, 0.94)
    even_weight = np.where(rare, (~rare).sum() / rare.sum(), 1.0)
    given = {**CHEAP, "prefer": "best"}
    plain = HoldgoodClassifier(**given).fit(table, rare)
    even = HoldgoodClassifier(class_weight="balanced", **given).fit(table, rare)
    named = HoldgoodClassifier(class_weight={True: even_weight.max()}, **given).fit(table, rare)
    assert abs(plain.predict_proba(table)[:, 1].mean() - 0.06) < 0.01
    assert plain.predict(table)[rare].mean() < 0.3
    assert even.predict_proba(table)[:, 1].mean() - plain.predict_proba(table)[:, 1].mean() > 0.15
    assert abs(np.average(even.predict_proba(table)[:, 1], weights=even_weight) - 0.5) < 0.02
    assert abs(np.average(even.predict(table), weights=even_weight) - 0.5) < 0.05
    assert even.predict(table)[rare].mean() > 0.75
    assert np.allclose(named.predict_proba(table), even.predict_proba(table), atol=1e-6)


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ({"class_weight": {"maybe": 2.0}}, DeclarationError, "names the class 'maybe'"),
        ({"class_weight": {True: -1.0}}, DeclarationError, "is -1.0"),
        ({"class_weight": {True: 0.0}}, DeclarationError, "leave its rows out"),
        ({"class_weight": "even"}, DeclarationError, "class_weight = 'even'"),
    ],
)
def test_class_weights_that_say_nothing_are_refused(given, error, said):
    with pytest.raises(error, match=said):
        HoldgoodClassifier(**given, **CHEAP).fit(X, AMOUNT > 0)


def test_class_weights_are_not_for_amounts():
    with pytest.raises(DeclarationError, match="for a regression"):
        HoldgoodRegressor(class_weight="balanced", **CHEAP).fit(X, AMOUNT)


@pytest.mark.parametrize(
    ("weight", "said"), [(-1.0, "negative or infinite in 1"), (np.inf, "negative or infinite in 1")]
)
def test_impossible_weights_are_refused(weight, said):
    given = np.ones(N)
    given[7] = weight
    with pytest.raises(DataError, match=said):
        HoldgoodRegressor(**CHEAP).fit(X, AMOUNT, sample_weight=given)


def test_weights_that_leave_one_class_are_told():
    with pytest.raises(TargetError, match="one class"):
        HoldgoodClassifier(**CHEAP).fit(X, AMOUNT > 0, sample_weight=(AMOUNT > 0).astype(float))
