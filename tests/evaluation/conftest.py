from dataclasses import dataclass

import numpy as np
import pytest

from holdgood.core.frame import Feature, Frame
from holdgood.core.task import Task


@dataclass(frozen=True)
class Holdout:
    task: Task
    frame: Frame
    y: np.ndarray
    prediction: np.ndarray
    prior: np.ndarray
    simple: np.ndarray
    predict: object


def logistic(z):
    return 1.0 / (1.0 + np.exp(-z))


@pytest.fixture
def binary():
    """3,000 rows whose stated chances are exactly true; ``noise`` tells nothing; ``site`` is not used by the model."""
    rng = np.random.default_rng(7)
    n = 3000
    strong, noise = rng.normal(size=n), rng.normal(size=n)
    site = np.array(["A", "B", "C", None], dtype=object)[rng.integers(0, 4, n)]
    frame = Frame(
        (
            Feature("strong", "number", ("t.strong",)),
            Feature("noise", "number", ("t.noise",)),
            Feature("site", "category", ("t.site",)),
        ),
        (strong, noise, site),
    )

    def predict(f):
        return logistic(-1.2 + 1.5 * f.column("strong"))

    p = predict(frame)
    y = (rng.random(n) < p).astype(float)
    simple = np.where(strong > 0.5, 0.55, 0.15)
    return Holdout(Task(kind="binary", classes=("no", "yes")), frame, y, p, np.full(n, 0.28), simple, predict)


@pytest.fixture
def regression():
    rng = np.random.default_rng(8)
    n = 1500
    x = rng.normal(size=n)
    frame = Frame((Feature("x", "number", ("t.x",)),), (x,))

    def predict(f):
        return 10.0 + 3.0 * f.column("x")

    y = predict(frame) + rng.normal(size=n)
    task = Task(kind="regression", metric="rmse")
    return Holdout(task, frame, y, predict(frame), np.full(n, 10.0), 10.0 + 2.0 * np.sign(x), predict)


@pytest.fixture
def multiclass():
    rng = np.random.default_rng(9)
    n = 1200
    x = rng.normal(size=(n, 3))
    frame = Frame(tuple(Feature(f"x{i}", "number", (f"t.x{i}",)) for i in range(3)), tuple(x.T.copy()))

    def predict(f):
        z = np.exp(1.5 * np.column_stack(f.arrays))
        return z / z.sum(axis=1, keepdims=True)

    p = predict(frame)
    y = (rng.random(n)[:, None] > np.cumsum(p, axis=1)).sum(axis=1).astype(float)
    prior = np.full((n, 3), 1 / 3)
    return Holdout(Task(kind="multiclass", classes=("a", "b", "c")), frame, y, p, prior, prior, predict)
