"""Small real parts to save: a linear model, a booster, a chain-like nest with arrays in folders."""

import numpy as np
import pytest

from holdgood.bundle import save
from holdgood.core.frame import Matrix
from holdgood.core.protocols import FitContext
from holdgood.core.records import Leaderboard
from holdgood.core.task import Task
from holdgood.models.tabular.lightgbm import Boosting
from holdgood.models.tabular.linear import Linear
from holdgood.models.tabular.tree import Tree

TASK = Task(kind="multiclass", classes=("low", "high", "odd"), target="what")


@pytest.fixture(scope="session")
def matrix():
    rng = np.random.default_rng(0)
    return Matrix(np.ascontiguousarray(rng.normal(size=(120, 3))), ("a", "b", "c"))


@pytest.fixture(scope="session")
def parts(matrix):
    y = np.digitize(matrix.values[:, 0], [-0.5, 0.5]).astype(float)
    context = FitContext(TASK, rounds=4)
    return {
        "linear": Linear(strength=1.0).fit(matrix, y, None, context),
        "booster": Boosting({"num_leaves": 4}).fit(matrix, y, None, context),
        "tree": Tree(max_depth=2).fit(matrix, y, None, context),
    }


@pytest.fixture(scope="session")
def records():
    return {"leaderboard": Leaderboard(metric="log_loss", higher_is_better=False, trials=(), chosen="tree")}


@pytest.fixture
def saved(tmp_path, parts, records):
    folder = tmp_path / "bundle"
    save(folder, name="demo", parts=parts, records=records, task=TASK, run="r1", extra_json={"threshold": 0.25})
    return folder


@pytest.fixture(scope="session")
def task():
    return TASK
