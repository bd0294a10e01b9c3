"""Converted trees answer as scikit-learn's own predict does."""

import warnings

import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor, RandomForestClassifier, RandomForestRegressor
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from holdgood.core.errors import BundleError
from holdgood.core.frame import Matrix
from holdgood.core.protocols import FitContext, Parts
from holdgood.core.task import Task
from holdgood.models.tabular.booster import Booster, as_float32
from holdgood.models.tabular.forest import Forest
from holdgood.models.tabular.tree import Tree
from holdgood.models.tabular.trees import Grown

BINARY = Task(kind="binary", classes=(0, 1))


def _fitted(kind, which, x, y):
    makers = {
        "tree": (DecisionTreeRegressor, DecisionTreeClassifier, {"max_depth": 7}),
        "forest": (RandomForestRegressor, RandomForestClassifier, {"n_estimators": 12}),
        "extra": (ExtraTreesRegressor, ExtraTreesClassifier, {"n_estimators": 12, "max_leaf_nodes": 40}),
    }[which]
    return makers[0 if kind == "regression" else 1](random_state=0, **makers[2]).fit(x, y)


@pytest.mark.parametrize("which", ["tree", "forest", "extra"])
@pytest.mark.parametrize("gaps", [0.0, 0.2])
def test_parity_with_sklearn_predict(task, make_rows, which, gaps):
    matrix, y = make_rows(task, n=600, gaps=gaps)
    model = _fitted(task.kind, which, as_float32(matrix.values), y)
    fresh, _ = make_rows(task, n=900, seed=9, gaps=gaps)
    values = as_float32(fresh.values)
    wanted = model.predict(values) if task.kind == "regression" else model.predict_proba(values)
    wanted = wanted[:, 1] if task.kind == "binary" else wanted
    booster = Grown.of(model, task, 0.0).booster(6)
    for scorer in (booster, Booster.from_parts(booster.to_parts())):
        assert np.abs(scorer.predict(fresh) - wanted).max() <= 1e-9 * max(1, np.abs(wanted).max())


@pytest.mark.parametrize("seen", [(0, 2), (1, 3), (1, 2, 3)])
@pytest.mark.parametrize("which", ["tree", "forest"])
def test_classes_keep_their_places_where_some_are_absent(make_rows, which, seen):
    task = Task(kind="multiclass", classes=(0, 1, 2, 3))
    matrix, _ = make_rows(task)
    y = np.array(seen, dtype=float)[np.arange(500) % len(seen)]
    model = _fitted(task.kind, which, as_float32(matrix.values), y)
    answers = Grown.of(model, task, 0.0).booster(6).predict(matrix)
    assert np.abs(answers[:, list(seen)] - model.predict_proba(as_float32(matrix.values))).max() <= 1e-9
    assert np.delete(answers, seen, axis=1).max() == 0


def test_values_on_and_beside_a_threshold_go_the_same_way():
    task = Task(kind="regression")
    base = np.array([0.1, 0.2, 0.3, 1e-40, -1e-40, 0.0, 16777217.0, 3e38, -3e38, 1 / 3])
    x = np.repeat(base, 10)[:, None]
    y = np.arange(100.0)
    with np.errstate(over="ignore", invalid="ignore"):
        tree = DecisionTreeRegressor().fit(as_float32(x), y)
    beside = np.unique(np.concatenate([base, np.nextafter(base, 1e300), np.nextafter(base, -1e300)]))
    beside = np.concatenate([beside, tree.tree_.threshold[tree.tree_.children_left >= 0]])[:, None]
    booster = Grown.of(tree, task, 0.0).booster(1)
    assert np.array_equal(booster.predict(Matrix(beside, ("a",))), tree.predict(as_float32(beside)))


def test_missing_against_present_is_a_split():
    x = np.where(np.arange(40) % 2 == 0, np.nan, 5.0)[:, None]
    y = (np.arange(40) % 2).astype(float)
    tree = DecisionTreeClassifier().fit(as_float32(x), y)
    booster = Booster.from_parts(Grown.of(tree, BINARY, 0.0).booster(1).to_parts())
    assert booster.predict(Matrix(x, ("a",))).tolist() == y.tolist()


def test_single_leaf(task):
    matrix = Matrix(np.zeros((30, 2)), ("a", "b"))
    y = np.arange(30.0) % 2
    answers = Tree().fit(matrix, y, None, FitContext(task)).predict(matrix)
    share = answers[:, 1] if answers.ndim == 2 else answers
    assert np.allclose(share, 0.5)


def test_smoothing_draws_to_the_root():
    x = np.repeat([0.0, 1.0], [10, 30])[:, None]
    y = np.repeat([1.0, 0.0], [10, 30])
    tree = DecisionTreeClassifier().fit(as_float32(x), y)
    answers = Grown.of(tree, BINARY, 2.0).booster(1).predict(Matrix(np.array([[0.0], [1.0]]), ("a",)))
    assert answers == pytest.approx([(10 + 2 * 0.25) / 12, (0 + 2 * 0.25) / 32])


def test_save_time_check_finds_a_wrong_text(make_rows, task):
    matrix, y = make_rows(task)
    model = Tree(max_depth=3).fit(matrix, y, None, FitContext(task))
    model.to_parts()
    other = Tree(max_depth=2).fit(matrix, y[::-1].copy(), None, FitContext(task))
    model.scorer = other.scorer
    with pytest.raises(BundleError, match="differ"):
        model.to_parts()


def test_forest_is_the_same_grown_at_once_or_in_batches(make_rows, task):
    matrix, y = make_rows(task)
    settings = {"trees": 17, "leaf_rows": 3}
    once = Forest(**settings).fit(matrix, y, None, FitContext(task, seed=4)).predict(matrix)
    batches = Forest(**settings).fit(matrix, y, None, FitContext(task, seed=4, seconds=1e6)).predict(matrix)
    assert np.array_equal(once, batches)


def test_a_hint_bounds_the_trees_and_a_hasty_forest_tells_its_share(make_rows):
    task = Task(kind="binary", classes=(0, 1))
    matrix, y = make_rows(task)
    hasty = Forest(trees=50)
    hasty.fit(matrix, y, None, FitContext(task, seconds=0.0))
    assert hasty.finished == hasty.hints["trees"] / 50 < 1
    whole = Forest(trees=50)
    whole.fit(matrix, y, None, FitContext(task))
    assert (whole.finished, whole.hints) == (1.0, {"trees": 50})
    hinted = Forest(trees=50)
    hinted.hints = {"trees": 7.0}
    hinted.fit(matrix, y, None, FitContext(task))
    assert (hinted.finished, hinted.hints) == (1.0, {"trees": 7})
    assert (hinted.predict(matrix) != whole.predict(matrix)).any()


def test_forest_size_is_bounded():
    for classes in (0, 2, 3, 26, 200, 2000):
        for leaf_rows in (1, 5):
            trees, leaves = Forest(leaf_rows=leaf_rows)._sizes(20_000, classes)
            per_leaf = 90 + (8 * classes if classes > 2 else 0)
            assert trees >= 60
            assert trees * (leaves or 20_000 // leaf_rows) * per_leaf <= 28e6


def test_forest_does_not_warn_and_knows_its_sizes(make_rows):
    task = Task(kind="binary", classes=(0, 1))
    matrix, y = make_rows(task, n=800)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = Forest(trees=20, leaf_rows=1).fit(matrix, y, np.linspace(0.1, 2, 800), FitContext(task))
        parts = model.to_parts()
    leaves = parts.files["model.txt"].count(b"Tree=")
    assert leaves == 20
    numbers = [
        int(line.split(b"=")[1]) for line in parts.files["model.txt"].split(b"\n") if line.startswith(b"num_leaves=")
    ]
    assert len(parts.files["model.txt"]) / sum(numbers) < 90


def test_leaf_table_is_checked(make_rows):
    task = Task(kind="multiclass", classes=(0, 1, 2, 3))
    matrix, y = make_rows(task)
    parts = Tree().fit(matrix, y, None, FitContext(task)).to_parts()
    table, start = parts.arrays["leaf_shares"], parts.arrays["leaf_start"]
    bad = [
        {"leaf_shares": table[:-1]},
        {"leaf_shares": table * np.nan},
        {"leaf_start": start + 1},
        {"leaf_shares": table[:, :3]},
    ]
    bad.append({"leaf_shares": table.astype(np.float32)})
    for change in bad:
        with pytest.raises(BundleError):
            Booster.from_parts(Parts(parts.json, parts.arrays | change, parts.files))
    with pytest.raises(BundleError):
        Booster.from_parts(Parts(parts.json, {"leaf_shares": table}, parts.files))
