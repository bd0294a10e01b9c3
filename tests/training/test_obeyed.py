"""The folds that are given reach everything that learns: encoders, learners, early stopping; no row is seen that should not be."""

from __future__ import annotations

import numpy as np
import pytest

from holdgood.core.budget import Budget, Clock
from holdgood.core.frame import Feature, Frame, Matrix
from holdgood.core.protocols import Candidate, Parts
from holdgood.core.task import Task
from holdgood.models.tabular.prior import PriorFamily
from holdgood.splitting import folds
from holdgood.training import train

N = 240
SEEN: list[tuple[str, frozenset[int]]] = []


class SpyEncoder:
    part = "spy-encoder"

    def fit_transform(self, frame, y, context):
        SEEN.append(("encoder", frozenset(frame.column("id").astype(int))))
        return self.transform(frame)

    def transform(self, frame):
        return Matrix(np.column_stack([frame.column("id"), frame.column("x")]), ("id", "x"))

    def to_parts(self):
        return Parts()


class SpyModel:
    part = "spy-model"
    rounds = None

    def fit(self, matrix, y, weight, context):
        ids = matrix.values[:, 0].astype(int)
        SEEN.append(("model", frozenset(ids)))
        if context.stop_rows is not None:
            SEEN.append(("stop", frozenset(ids[context.stop_rows])))
            SEEN.append(("learned", frozenset(np.delete(ids, context.stop_rows))))
        self.slope = float(np.cov(matrix.values[:, 1], y)[0, 1])
        return self

    def predict(self, matrix):
        return self.slope * matrix.values[:, 1]

    def to_parts(self):
        return Parts()


@pytest.mark.parametrize("kind", ["random", "group", "time", "purged"])
def test_nothing_learns_from_rows_that_a_fold_keeps_from_it(kind):
    rng = np.random.default_rng(0)
    x, time, groups = rng.normal(size=N), rng.integers(0, 60, N) * 3_600_000_000, rng.integers(0, 30, N)
    y = x + 0.3 * rng.normal(size=N)
    task = Task(kind="regression", metric="rmse")
    frame = Frame((Feature("id", "number"), Feature("x", "number")), (np.arange(N, dtype=float), x))
    by = groups if kind == "group" else None
    found = folds(task, y, kind=kind, time=time, groups=by, n_folds=4, outcome_after="2h", embargo="1h")
    spies = [
        Candidate("prior", "prior", 0, "codes", SpyEncoder, lambda: PriorFamily.make({})),
        Candidate("spy", "spy", 1, "codes", SpyEncoder, SpyModel),
        Candidate("spy-2", "spy", 1, "codes", SpyEncoder, SpyModel),
    ]
    SEEN.clear()
    made = train(
        frame, y, task, spies, found, clock=Clock(Budget(trials=3)), workers=0, prefer="best", groups=by,
        time=time if kind in ("time", "purged") else None, apart=7_200_000_000 if kind in ("time", "purged") else 0,
    )  # fmt: skip
    allowed = [frozenset(t.tolist()) for t, _ in found]
    everything = frozenset(range(N))
    for who, rows in SEEN:
        inside = any(rows <= part for part in allowed)
        assert inside or (rows == everything and who != "stop"), who
    assert sum(who == "stop" for who, _ in SEEN) >= 4
    assert np.array_equal(np.sort(made.oof_rows), np.sort(np.concatenate([v for _, v in found])))
    if kind in ("time", "purged"):  # what ends a fit is as far from what is learned from as a fold's rows are
        stops, learned = ([time[list(rows)] for who, rows in SEEN if who == w] for w in ("stop", "learned"))
        assert all(s.min() - t.max() > 7_200_000_000 for s, t in zip(stops, learned, strict=True))
