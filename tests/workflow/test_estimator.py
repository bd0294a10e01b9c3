"""``fit(X, y)``: what scikit-learn users may expect of an estimator, and errors in words."""

import datetime as dt
import re

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import cross_val_score

from holdgood.core.errors import DataError, DeclarationError, HoldgoodWarning, TargetError
from holdgood.workflow.estimator import HoldgoodClassifier, HoldgoodRegressor, fit

N = 160
QUICK = {"budget": "trials=2", "models": ("prior", "linear"), "workers": 1, "split": {"folds": 3}}


def rows(seed=0):
    random = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "size": random.normal(0, 1, N),
            "kind": random.choice(["a", "b"], N),
            "gone": np.where(random.random(N) < 0.1, np.nan, random.normal(0, 1, N)),
        }
    )


X = rows()
AMOUNT = (2.0 * X["size"] + (X.kind == "a")).to_numpy()


def test_two_classes():
    y = np.where(AMOUNT > 0, "late", "on time")
    made = fit(X, y, **QUICK)
    assert isinstance(made, HoldgoodClassifier)
    assert is_classifier(made)
    assert made.task_.kind == "binary"
    assert made.classes_.tolist() == ["late", "on time"]
    p = made.predict_proba(X)
    assert p.shape == (N, 2)
    assert np.allclose(p.sum(axis=1), 1.0)
    assert made.score(X, y) > 0.9
    assert set(made.predict(X)) == {"late", "on time"}


def test_an_amount():
    made = fit(X, AMOUNT, **QUICK)
    assert isinstance(made, HoldgoodRegressor)
    assert is_regressor(made)
    assert made.score(X, AMOUNT) > 0.95


@pytest.mark.parametrize(
    "make", [lambda y: fit(X, y, task="multiclass", **QUICK), lambda y: HoldgoodClassifier(**QUICK).fit(X, y)]
)
def test_fifteen_whole_numbers_are_fifteen_classes_where_classes_are_asked_for(make):
    y = np.tile(np.arange(15), N)[:N]
    made = make(y)
    assert made.task_.kind == "multiclass"
    assert made.predict_proba(X).shape == (N, 15)
    assert set(made.predict(X).tolist()) <= set(range(15))
    assert isinstance(fit(X, y, **QUICK), HoldgoodRegressor), "unless said, many numbers are an amount"


def test_an_asked_task_is_obeyed_or_refused():
    two = (AMOUNT > 0).astype(int)
    assert fit(X, two, task="regression", **QUICK).task_.kind == "regression"
    assert HoldgoodRegressor(**QUICK).fit(X, two).task_.kind == "regression"
    with pytest.raises(TargetError, match="two for a binary task"):
        fit(X, np.arange(N) % 3, task="binary", **QUICK)
    with pytest.raises(DeclarationError, match="task = 'regression' for a HoldgoodClassifier"):
        HoldgoodClassifier(task="regression", **QUICK).fit(X, two)
    with pytest.raises(DeclarationError, match="did you mean 'multiclass'"):
        fit(X, two, task="multiclas", **QUICK)
    with pytest.raises(TargetError, match="numbers for a regression"):
        HoldgoodRegressor(**QUICK).fit(X, np.where(two, "x", "y"))
    with pytest.raises(TargetError, match="use HoldgoodClassifier for classes"):
        HoldgoodRegressor(**QUICK).fit(X, np.where(two, "x", "y"))
    with pytest.raises(DeclarationError, match="(?s)prefer = 'fast'.*say for example prefer="):
        fit(X, two, prefer="fast", **QUICK)
    with pytest.raises(DataError, match="None where a table was expected"):
        fit(None, two, **QUICK)


@pytest.mark.parametrize("kind", ["pandas", "polars", "arrow", "numpy"])
def test_every_kind_of_frame_gives_the_same_predictions(kind):
    numbers = X[["size", "gone"]]
    given = {
        "pandas": numbers.rename(columns={"size": "x0", "gone": "x1"}),
        "polars": pl.DataFrame({"x0": numbers["size"].to_numpy(), "x1": numbers["gone"].to_numpy()}),
        "arrow": pa.table({"x0": numbers["size"].to_numpy(), "x1": numbers["gone"].to_numpy()}),
        "numpy": numbers.to_numpy(),
    }
    y = {
        "pandas": pd.Series(AMOUNT),
        "polars": pl.Series("y", AMOUNT),
        "arrow": pa.array(AMOUNT),
        "numpy": AMOUNT[:, None],
    }
    first = HoldgoodRegressor(**QUICK).fit(given["numpy"], AMOUNT).predict(given["numpy"])
    made = HoldgoodRegressor(**QUICK).fit(given[kind], y[kind])
    assert made.predict(given[kind]).tobytes() == first.tobytes()
    assert made.n_features_in_ == 2
    assert made.feature_names_in_.tolist() == ["x0", "x1"]


def test_a_clone_has_the_parameters_and_nothing_learned():
    made = HoldgoodClassifier(task="binary", seed=3, **QUICK).fit(X, AMOUNT > 0)
    copy = clone(made)
    assert copy.get_params() == made.get_params()
    assert copy.get_params()["task"] == "binary"
    assert not hasattr(copy, "chain_")
    with pytest.raises(NotFittedError):
        copy.predict(X)
    assert copy.set_params(seed=4).seed == 4
    assert copy.fit(X, AMOUNT > 0).classes_.tolist() == [False, True]


def test_scikit_learn_walks_its_folds_with_it():
    scores = cross_val_score(HoldgoodRegressor(**QUICK), X, AMOUNT, cv=2)
    assert (scores > 0.9).all()


def test_a_second_fit_forgets_the_first():
    texts = X.assign(size=[f"{v:.1f} kg" for v in X["size"]])
    again = HoldgoodRegressor(**QUICK).fit(texts, AMOUNT)
    assert again.columns_["size"] == "category"
    again.fit(X, AMOUNT)
    assert again.columns_["size"] == "number"
    fresh = HoldgoodRegressor(**QUICK).fit(X, AMOUNT)
    assert again.predict(X).tobytes() == fresh.predict(X).tobytes()


def test_types_of_fit_hold_in_predict():
    made = HoldgoodRegressor(**QUICK).fit(X, AMOUNT)
    as_text = X.assign(size=X["size"].map(repr))
    assert np.array_equal(made.predict(as_text), made.predict(X))


def test_the_same_seed_gives_the_same_bits():
    one, two = (fit(X, AMOUNT, seed=5, **QUICK).predict(X) for _ in range(2))
    assert one.tobytes() == two.tobytes()


def test_a_work_budget_is_counted():
    made = fit(X, AMOUNT, budget="trials=3", workers=1)
    done = [t for t in made.leaderboard_.trials if t.status == "ok"]
    assert len(done) == 3
    assert made.leaderboard_.budget == "trials=3"


DAYS = [dt.datetime(2024, 1, 1) + dt.timedelta(days=i) for i in range(N)]
TIMES = {
    "dates": DAYS,
    "pandas": pd.Series(DAYS),
    "numpy days": np.array(DAYS, dtype="datetime64[D]"),
    "polars": pl.Series("t", DAYS),
    "calendar days": [d.date() for d in DAYS],
    "zoned": pd.Series(DAYS).dt.tz_localize("UTC"),
    "texts": [d.isoformat() for d in DAYS],
    "day texts": np.array([d.date().isoformat() for d in DAYS]),
    "seconds": [int(d.timestamp()) for d in DAYS],
    "milliseconds": np.array(DAYS, dtype="datetime64[ms]").astype(np.int64),
    "nanoseconds": np.array(DAYS, dtype="datetime64[ns]").astype(np.int64),
    "floats": [float(d.timestamp()) for d in DAYS],
}


@pytest.fixture(scope="module")
def in_time():
    return fit(X, AMOUNT, time=DAYS, **QUICK)


@pytest.mark.parametrize("written", sorted(TIMES))
def test_time_may_be_written_in_many_ways(written, in_time):
    made = fit(X, AMOUNT, time=TIMES[written], **QUICK)
    assert made.leaderboard_.trials[-1].score == in_time.leaderboard_.trials[-1].score
    assert made.predict(X).tobytes() == in_time.predict(X).tobytes()


def last_score(estimator):
    """The score of the last trial that was judged."""
    return [t.score for t in estimator.leaderboard_.trials if t.score is not None][-1]


def test_time_makes_folds_look_forward(in_time):
    at_random = fit(X, AMOUNT, **QUICK)
    assert last_score(in_time) != last_score(at_random)


def test_weights_groups_and_missing_outcomes_are_heeded():
    y = np.where(np.arange(N) % 2 == 0, AMOUNT, AMOUNT + 100.0)
    heavy = np.where(np.arange(N) % 2 == 0, 1.0, 0.0)
    weighted = fit(X, y, sample_weight=heavy, models=("linear",), budget="trials=1", workers=1)
    assert abs(weighted.predict(X).mean() - AMOUNT.mean()) < 20
    gone = y.copy()
    gone[1::2] = np.nan
    with pytest.warns(HoldgoodWarning, match="80 of 160 rows"):
        assert abs(fit(X, gone, **QUICK).predict(X).mean() - AMOUNT.mean()) < 5
    named = fit(X, AMOUNT, groups=[None if i < 5 else f"g{i % 9}" for i in range(N)], **QUICK)
    assert last_score(named) != last_score(fit(X, AMOUNT, **QUICK))


def test_gains_count_groups_not_rows():
    learned = fit(X, AMOUNT, groups=np.arange(N) % 16, models=("linear",), budget="trials=2", workers=1)
    assert "16 clusters" in learned.leaderboard_.ladder[1].gain.method


def test_missing_labels_are_left_out_and_told_of():
    y = [None if i % 7 == 0 else "late" if v > 0 else "on time" for i, v in enumerate(AMOUNT)]
    said = "23 of 160 rows have no outcome in y (missing or infinite) and were left out"
    for given in (y, [float("nan") if v is None else v for v in y]):
        with pytest.warns(HoldgoodWarning, match=re.escape(said)):
            made = fit(X, given, **QUICK)
        assert made.classes_.tolist() == ["late", "on time"]
        assert said in made.leaderboard_.notes
    y[1:] = [v or "late" for v in y[1:]]
    with pytest.warns(HoldgoodWarning, match=r"1 of 160 rows has no outcome in y .* and was left out"):
        fit(X, y, **QUICK)


@pytest.mark.parametrize("task", ["auto", "regression"])
def test_a_moment_as_outcome_is_refused_without_a_word_of_expressions(task):
    moments = pd.Series(pd.date_range("2024-01-01", periods=N, freq="h"))
    with pytest.raises(TargetError, match="Timedelta") as told:
        fit(X, moments, task=task, **QUICK)
    assert "date_diff" not in str(told.value)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"y": AMOUNT[:-1]}, "y has 159"),
        ({"sample_weight": np.ones(N + 1)}, "sample_weight has 161"),
        ({"sample_weight": -np.ones(N)}, "sample_weight"),
        ({"sample_weight": np.zeros(N)}, "sample_weight"),
        ({"sample_weight": ["heavy"] * N}, "sample_weight"),
        ({"sample_weight": np.full(N, np.nan)}, "sample_weight"),
        ({"groups": np.ones(3)}, "groups has 3"),
        ({"time": DAYS[:-1]}, "time has 159"),
        ({"time": ["soon"] * N}, "texts that are no dates"),
        ({"time": [None, *DAYS[1:]]}, "1 of 160 rows have no time"),
        ({"time": [float("inf"), *range(1, N)]}, "time"),
        ({"y": np.ones((N, 2))}, "y has 2 dimensions"),
        ({"y": [1, "a"] * (N // 2)}, "y mixes kinds"),
        ({"y": None}, "y is a NoneType"),
        ({"y": pd.DataFrame({"a": AMOUNT, "b": AMOUNT})}, "y has 2 columns"),
        ({"X": np.ones((N, 2, 2))}, "X has 3 dimensions"),
        ({"X": np.ones((N, 0))}, "X has no columns"),
        ({"y": np.full(N, np.nan)}, "no value"),
        ({"y": np.ones(N)}, "nothing can be learned|at least two"),
    ],
)
def test_what_does_not_fit_together_is_told(arguments, said):
    given = {"X": X, "y": AMOUNT, **arguments}
    with pytest.raises(DataError, match=said):
        fit(given.pop("X"), given.pop("y"), **given, **QUICK)


def test_other_columns_in_predict_are_told():
    made = fit(X, AMOUNT, **QUICK)
    with pytest.raises(DataError, match="lacks 1 column: size"):
        made.predict(X.drop(columns="size"))
    assert np.array_equal(made.predict(X[["gone", "kind", "size"]].assign(more=1)), made.predict(X))
    plain = fit(X[["size", "gone"]].to_numpy(), AMOUNT, **QUICK)
    with pytest.raises(DataError, match="X has 3 features, but HoldgoodRegressor is expecting 2"):
        plain.predict(np.ones((4, 3)))
