from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from holdgood.core.frame import Feature, Frame
from holdgood.core.protocols import Candidate, Space
from holdgood.core.task import Task
from holdgood.features.encode.for_needs import encoder_for
from holdgood.models.tabular.lightgbm import LightgbmFamily
from holdgood.models.tabular.linear import LinearFamily
from holdgood.models.tabular.prior import PriorFamily
from holdgood.models.tabular.tree import TreeFamily
from holdgood.training.progress import Progress
from holdgood.training.work import FoldFit


@pytest.fixture
def make_data():
    """Frame and target of a problem that a linear rule solves in part."""

    def make(n=400, kind="binary", seed=0, signal=1.5):
        rng = np.random.default_rng(seed)
        x, level = rng.normal(size=(n, 3)), rng.integers(0, 4, n)
        raw = signal * (x[:, 0] - x[:, 1] + 0.5 * (level % 2))
        names = ("a", "b", "c")
        features = (*(Feature(f, "number") for f in names), Feature("d", "category"))
        arrays = (*(x[:, i].copy() for i in range(3)), np.array([f"L{v}" for v in level], object))
        if kind == "binary":
            y, task = (rng.random(n) < 1 / (1 + np.exp(-raw))).astype(float), Task(kind="binary", classes=(0, 1))
        elif kind == "regression":
            y, task = raw + rng.normal(size=n), Task(kind="regression", metric="rmse")
        else:
            y, task = (
                np.digitize(raw + rng.normal(size=n), [-1, 1]).astype(float),
                Task(kind="multiclass", classes=("x", "y", "z")),
            )
        return Frame(features, arrays), y, task

    return make


@pytest.fixture
def make_folds():
    def make(n, k=3, seed=0):
        order = np.random.default_rng(seed).permutation(n)
        return [
            (np.sort(np.concatenate([order[j::k] for j in range(k) if j != i])), np.sort(order[i::k])) for i in range(k)
        ]

    return make


@pytest.fixture
def families():
    """Candidates of the named families, by the same road as the workflow's, each family's first ``most`` configurations."""

    def make(task, *names, rows=400, most=1):
        known = {"prior": PriorFamily, "linear": LinearFamily, "tree": TreeFamily, "lightgbm": LightgbmFamily}
        found = []
        for name in names:
            family = known[name]
            for i, (_, parameters) in enumerate(family.configurations(task, rows, 4)[:most]):
                made = partial(family.make, dict(parameters))
                encoder = partial(encoder_for, family.needs)
                called = name if i == 0 else f"{name}-{i}"
                found.append(Candidate(called, name, family.rung, family.needs, encoder, made, dict(parameters)))
        return found

    return make


@pytest.fixture
def spaces():
    """Search spaces of the named families, by the same road as the workflow's."""

    def make(task, *names, rows=400):
        known = {"linear": LinearFamily, "lightgbm": LightgbmFamily}
        found = []
        for name in names:
            family = known[name]
            base = dict(family.configurations(task, rows, 4)[0][1])
            found.append(Space(name, family.space(task, rows, 4), partial(_candidate, family), base))
        return found

    return make


def _candidate(family, name, parameters):
    encoder = partial(encoder_for, family.needs)
    made = partial(family.make, dict(parameters))
    return Candidate(name, family.name, family.rung, family.needs, encoder, made, dict(parameters))


@pytest.fixture
def trial():
    """A trial as if its folds were done: losses of ``level`` with what ``spread`` draws around it."""

    def make(index, family="a", level=1.0, *, folds=4, base=0, done=None, seconds=1.0, parameters=None, **more):
        candidate = Candidate(f"{family}-{index}", family, 1, "codes", list, list, parameters or {})
        p = Progress(index, candidate, folds, more.pop("first", False), base=base, **more)
        for f in range(folds if done is None else done):
            p.done[f] = FoldFit(f, np.zeros(50), fit_seconds=seconds, learned_rows=100, row_ms=0.2, encode_ms=0.1)
            p.losses[f] = np.full(50, level) + np.random.default_rng([7, f]).normal(size=50)
        p.status = "ok" if p.complete else "open"
        return p

    return make


@pytest.fixture
def custom():
    """A candidate whose model does what is asked when it is fitted. Local classes travel to workers by value."""

    def make(task, action, name="custom", family="custom", rung=2, answer=None):
        class Custom:
            part = "custom"
            rounds = None

            def fit(self, matrix, y, weight, context):
                action(y, context)
                self.mean = y.mean()
                return self

            def predict(self, matrix):
                import numpy as np

                if answer is not None:
                    return answer(len(matrix))
                return np.full(len(matrix), self.mean)

            def to_parts(self):
                from holdgood.core.protocols import Parts

                return Parts({"mean": float(self.mean)})

        return Candidate(name, family, rung, "codes", partial(encoder_for, "codes"), Custom)

    return make
