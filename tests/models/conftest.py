"""Made-up matrices with gaps, ties and a category column."""

import numpy as np
import pytest

from holdgood.core.frame import Matrix
from holdgood.core.task import Task

TASKS = {
    "binary": Task(kind="binary", classes=(0, 1)),
    "multiclass": Task(kind="multiclass", classes=(0, 1, 2, 3)),
    "regression": Task(kind="regression", metric="rmse"),
}


@pytest.fixture(params=sorted(TASKS))
def task(request):
    return TASKS[request.param]


@pytest.fixture
def make_rows():
    def make(task, n=500, d=6, seed=0, gaps=0.15):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=(n, d))
        x[:, 1] = np.round(x[:, 1], 1)
        x[:, d - 1] = rng.integers(0, 7, n)
        signal = x[:, 0] + np.abs(x[:, 1]) + (x[:, d - 1] % 2)
        x[rng.random(x.shape) < gaps] = np.nan
        if task.kind == "regression":
            y = 50 + 7 * signal + rng.normal(size=n)
        elif task.kind == "binary":
            y = (signal + rng.normal(size=n) > 1.2).astype(float)
        else:
            y = np.clip(np.floor(signal + rng.normal(size=n)), 0, task.n_classes - 1)
        return Matrix(np.ascontiguousarray(x), tuple(f"c{i}" for i in range(d)), (d - 1,)), y

    return make
