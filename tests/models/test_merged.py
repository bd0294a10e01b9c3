"""Several boosters in one text: the mean of their raw scores."""

from __future__ import annotations

import numpy as np
import pytest

from holdgood.core.frame import Matrix
from holdgood.core.protocols import FitContext
from holdgood.core.task import Task
from holdgood.models.tabular.booster import Booster, merged
from holdgood.models.tabular.forest import Forest
from holdgood.models.tabular.lightgbm import Boosting
from holdgood.models.tabular.tree import Tree

TASKS = {
    "binary": Task(kind="binary", classes=(0, 1)),
    "multiclass": Task(kind="multiclass", classes=("a", "b", "c")),
    "regression": Task(kind="regression", metric="rmse"),
}


def fitted(make, kind, parts=3, n=300):
    rng = np.random.default_rng(7)
    x = np.column_stack([rng.normal(size=(n, 2)), rng.integers(0, 5, n)])
    x[rng.random(n) < 0.1, 0] = np.nan
    raw = np.nan_to_num(x[:, 0]) + (x[:, 2] == 3)
    y = {"binary": (raw > 0.3) * 1.0, "multiclass": np.digitize(raw, [-0.3, 0.6]) * 1.0, "regression": 1000 + 50 * raw}
    models = []
    for i in range(parts):
        rows = np.arange(n) % parts != i
        context = FitContext(TASKS[kind], seed=i, rounds=12 + i)
        models.append(make().fit(Matrix(x[rows], ("a", "b", "c"), (2,)), y[kind][rows], None, context))
    return models, Matrix(x, ("a", "b", "c"), (2,))


def raw_scores(p, kind):
    return np.log(p / (1 - p)) if kind == "binary" else np.log(p) if kind == "multiclass" else p


@pytest.mark.parametrize("kind", sorted(TASKS))
def test_boosting_answers_with_the_mean_raw_score(kind):
    models, matrix = fitted(lambda: Boosting({"num_leaves": 7}), kind)
    one = models[0].merged(models)
    mean = np.mean([raw_scores(m.predict(matrix), kind) for m in models], axis=0)
    got = raw_scores(one.predict(matrix), kind)
    if kind == "multiclass":  # raw scores of classes are known up to a number a row
        mean, got = (v - v.mean(axis=1, keepdims=True) for v in (mean, got))
    assert np.allclose(got, mean, rtol=1e-9, atol=1e-9)
    assert one.rounds == sum(m.rounds for m in models)
    again = Booster.from_parts(one.to_parts())
    assert (again.predict(matrix) == one.predict(matrix)).all()
    assert again.predict(matrix.take(np.array([5])))[0].tolist() == one.predict(matrix)[5].tolist()


@pytest.mark.parametrize("kind", sorted(TASKS))
@pytest.mark.parametrize("make", [Tree, lambda: Forest(trees=6)])
def test_trees_and_forests_answer_with_the_mean(kind, make):
    models, matrix = fitted(make, kind)
    one = models[0].merged(models)
    assert np.allclose(one.predict(matrix), np.mean([m.predict(matrix) for m in models], axis=0), rtol=1e-9)
    again = Booster.from_parts(one.to_parts())
    assert (again.predict(matrix) == one.predict(matrix)).all()


def test_what_is_not_of_one_kind_is_not_merged():
    one, matrix = fitted(Tree, "binary", parts=2)
    two, _ = fitted(lambda: Boosting({}), "binary", parts=2)
    three, _ = fitted(Tree, "regression", parts=2)
    assert merged([one[0].fitted, two[0].fitted]) is None
    assert merged([one[0].fitted, three[0].fitted]) is None
    narrow = Matrix(matrix.values[:, :2], ("a", "b"))
    other = Tree().fit(narrow, (np.arange(len(matrix)) % 2).astype(float), None, FitContext(TASKS["binary"]))
    assert merged([one[0].fitted, other.fitted]) is None
