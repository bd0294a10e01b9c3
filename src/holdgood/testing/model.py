"""The contract of a tabular model family. A new family is done when ``check_model_family`` is silent."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, cast

import numpy as np

from holdgood.core.frame import Matrix
from holdgood.core.protocols import FitContext, Model, ModelFamily, Parts
from holdgood.core.task import Task

ROWS, NEW_ROWS = 420, 300
_TASKS = {
    "binary": Task(kind="binary", classes=("no", "yes")),
    "multiclass": Task(kind="multiclass", classes=("a", "b", "c")),
    "regression": Task(kind="regression", metric="rmse"),
}


def check_model_family(family: Any, lighter: Mapping[str, Any] | None = None) -> None:
    """Hold every configuration of a family, for each kind of task it names, to the contract; AssertionError says what broke.

    Uses only small data that it makes itself. ``lighter`` parameters replace those of each configuration where a family
    is slow (fewer trees). The corners of a search space, where the family has one, must make models too.
    """
    assert family.name, "a family needs a name"
    assert 0 <= family.rung <= 9, "a rung is a small whole number, simplest first"
    assert family.needs in ("codes", "dense", "text"), f"needs = {family.needs!r}"
    for kind in family.kinds:
        task = _TASKS[kind]
        named = family.configurations(task, ROWS, 5)
        assert named, f"{kind}: no configuration"
        assert len({n for n, _ in named}) == len(named), f"{kind}: two configurations of one name"
        for _, parameters in named:
            assert json.loads(json.dumps(dict(parameters))) == dict(parameters), (
                f"{kind}: parameters are not plain JSON"
            )
        sets = {name: dict(parameters) | dict(lighter or {}) for name, parameters in named}
        first = sets.pop(named[0][0])
        for check in (check_shapes, check_bits, check_odd_data, check_weights, check_learning, check_monotone):
            check(family, task, partial(family.make, first))
        for name, parameters in sets.items():
            try:
                check_bits(family, task, partial(family.make, parameters))
                check_monotone(family, task, partial(family.make, parameters))
            except AssertionError as error:
                raise AssertionError(f"configuration {name!r}: {error}") from error
        check_space(family, task, first)


def made_up(task: Task, seed: int = 0, rows: int = ROWS + NEW_ROWS) -> tuple[Matrix, np.ndarray]:
    """Rows with a plain signal: three numbers (one with gaps), a category code with gaps, and noise. Outcomes follow ``task``."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 5))
    x[:, 3] = rng.integers(0, 4, rows)
    signal = 1.5 * x[:, 0] - x[:, 1] + (x[:, 3] >= 2) + 0.3 * rng.normal(size=rows)
    x[rng.random(rows) < 0.1, 1] = np.nan
    x[rng.random(rows) < 0.05, 3] = np.nan
    if task.kind == "regression":
        y = 100 + 20 * signal
    elif task.kind == "binary":
        y = (signal > 0.5).astype(np.float64)
    else:
        y = np.digitize(signal, [-0.7, 1.2]).astype(np.float64)
    return Matrix(np.ascontiguousarray(x), ("u", "v", "w", "g", "n"), (3,)), y


def split(matrix: Matrix, y: np.ndarray) -> tuple[Matrix, np.ndarray, Matrix, np.ndarray]:
    """Training rows and their outcomes, new rows and theirs."""
    old, new = np.arange(ROWS), np.arange(ROWS, len(y))
    return matrix.take(old), y[old], matrix.take(new), y[new]


def loss(task: Task, answers: np.ndarray, y: np.ndarray) -> float:
    """Log loss, or mean squared error."""
    if task.kind == "regression":
        return float(np.mean((answers - y) ** 2))
    hit = np.where(y == 1, answers, 1 - answers) if task.kind == "binary" else answers[np.arange(len(y)), y.astype(int)]
    return float(-np.mean(np.log(np.maximum(hit, 1e-15))))


def check_shapes(family: ModelFamily, task: Task, make: Callable[[], Model]) -> None:
    """Shapes of Task; probabilities between zero and one, and adding up to one; none for no rows."""
    train, y, new, _ = split(*made_up(task))
    model = make().fit(train, y, None, FitContext(task, stop_rows=np.arange(0, ROWS, 6)))
    _well_formed(task, model.predict(new), len(new))
    _well_formed(task, model.predict(new.take(np.arange(0))), 0)


def check_bits(family: ModelFamily, task: Task, make: Callable[[], Model]) -> None:
    """To the bit: a row alone or among others, after a way through parts, and for the same seed again."""
    train, y, new, _ = split(*made_up(task))
    context = FitContext(task, seed=5, stop_rows=np.arange(0, ROWS, 6))
    model = make().fit(train, y, None, context)
    answers = model.predict(new)
    alone = np.concatenate([model.predict(new.take(np.array([i]))) for i in range(25)])
    assert np.array_equal(alone, answers[:25]), f"{task.kind}: a row alone gets another answer than among others"
    assert np.array_equal(model.predict(new.take(np.arange(7, 20))), answers[7:20]), (
        f"{task.kind}: batches change answers"
    )
    again = make().fit(train, y, None, context).predict(new)
    assert np.array_equal(again, answers), f"{task.kind}: the same seed gives other answers"
    rebuilt = cast("Model", type(model).from_parts(through_disk(model.to_parts())))
    assert rebuilt.part == model.part, f"{task.kind}: parts rebuild under another name"
    assert np.array_equal(rebuilt.predict(new), answers), f"{task.kind}: parts rebuild to other answers"
    assert rebuilt.to_parts().json == model.to_parts().json, f"{task.kind}: parts of parts differ"


def check_odd_data(family: ModelFamily, task: Task, make: Callable[[], Model]) -> None:
    """Survives constant and empty columns, twelve rows, unseen codes, huge values, one outcome only, a class without rows."""
    train, y, new, _ = split(*made_up(task))
    values = train.values.copy()
    values[:, 2], values[:, 4] = 7.0, np.nan
    odd = Matrix(values, train.names, train.categorical)
    for matrix, outcome in ((odd, y), (train.take(np.arange(12)), y[:12]), (odd.take(np.arange(12)), y[:12])):
        model = make().fit(matrix, outcome, None, FitContext(task))
        _well_formed(task, model.predict(new), len(new))
        _well_formed(task, type(model).from_parts(through_disk(model.to_parts())).predict(new), len(new))  # type: ignore[attr-defined]
    far = new.values.copy()
    far[0], far[1], far[2, :3], far[3, 3], far[4, 0] = np.nan, 0.0, 1e300, 99.0, np.inf
    model = make().fit(train, y, None, FitContext(task))
    _well_formed(task, model.predict(Matrix(far, new.names, new.categorical)), len(new))
    same = make().fit(train, np.full(ROWS, y[0]), None, FitContext(task)).predict(new)
    _well_formed(task, same, len(new))
    if task.kind == "multiclass":
        for gone in (0, 2):
            seen = y != gone
            absent = make().fit(train.take(np.flatnonzero(seen)), y[seen], None, FitContext(task)).predict(new)
            _well_formed(task, absent, len(new))
            assert absent[:, gone].max() < 0.05, (
                f"class {gone} has no training row and gets {absent[:, gone].max():.3g}"
            )


def check_weights(family: ModelFamily, task: Task, make: Callable[[], Model]) -> None:
    """Answers follow the weights: of two halves that contradict each other, the one that counts wins."""
    train, _, new, _ = split(*made_up(task))
    high, unit = {"binary": (1.0, 1.0), "multiclass": (2.0, 1.0), "regression": (10.0, 10.0)}[task.kind]
    outcome = np.where(np.arange(ROWS) % 2 == 0, 0.0, high)
    heavy = np.where(outcome == high, 9.0, 1.0)
    plain, weighted = (make().fit(train, outcome, w, FitContext(task, rounds=20)).predict(new) for w in (None, heavy))
    toward = [a[:, 2] if a.ndim == 2 else a for a in (plain, weighted)]
    assert toward[1].mean() > toward[0].mean() + 0.2 * unit, f"{task.kind}: weights do not matter"


def check_learning(family: ModelFamily, task: Task, make: Callable[[], Model]) -> None:
    """Beats the prior where there is a signal (not asked of rung 0), does not where there is none; keeps to given rounds."""
    train, y, new, truth = split(*made_up(task))
    stop = np.arange(0, ROWS, 6)
    model = make().fit(train, y, None, FitContext(task, stop_rows=stop))
    dull = (
        np.full(len(new), y.mean())
        if task.kind != "multiclass"
        else np.tile(np.bincount(y.astype(int)) / ROWS, (len(new), 1))
    )
    if family.rung > 0:
        ratio = loss(task, model.predict(new), truth) / loss(task, dull, truth)
        assert ratio < 0.85, f"{task.kind}: a strong signal is learned no better than {ratio:.2f} of the prior's loss"
    # One shuffle may lean towards the truth by chance, four of them together hardly.
    shuffles = [np.random.default_rng(s).permutation(y) for s in range(4)]
    chance = [make().fit(train, o, None, FitContext(task, stop_rows=stop)).predict(new) for o in shuffles]
    ratio = float(np.mean([loss(task, c, truth) for c in chance])) / loss(task, dull, truth)
    assert ratio > 0.95, f"{task.kind}: learns from a shuffled target, {ratio:.2f} of the prior's loss"
    if model.rounds is not None:
        given = make().fit(train, y, None, FitContext(task, rounds=7))
        assert given.rounds == 7, f"{task.kind}: asked for 7 rounds, made {given.rounds}"
    hasty = make().fit(train, y, None, FitContext(task, stop_rows=stop, seconds=0.0))
    _well_formed(task, hasty.predict(new), len(new))


def check_monotone(family: ModelFamily, task: Task, make: Callable[[], Model]) -> None:
    """A family that says ``monotone = True``: answers move one way only along a column of that sign, with the data or against."""
    if not getattr(family, "monotone", False) or task.kind == "multiclass":
        return
    train, y, new, _ = split(*made_up(task))
    for sign in (1, -1):
        model = make().fit(replace(train, monotone=(sign, 0, 0, 0, 0)), y, None, FitContext(task, rounds=30))
        rows = np.repeat(new.values[:20], 40, axis=0)
        rows[:, 0] = np.tile(np.linspace(-4.0, 4.0, 40), 20)
        steps = np.diff(model.predict(Matrix(rows, new.names, new.categorical)).reshape(20, 40), axis=1)
        worst = float((sign * steps).min())
        assert worst >= -1e-9, f"{task.kind}: a column of sign {sign} moves answers the other way, by {-worst:.3g}"


def check_space(family: ModelFamily, task: Task, base: Mapping[str, Any]) -> None:
    """A family with a ``space``: ranges and choices are in order, and its lowest and highest corner make finite models."""
    if not hasattr(family, "space"):
        return
    space = family.space(task, ROWS, 5)
    for name, dimension in space.items():
        assert len(dimension), f"{task.kind}: nothing to choose for {name!r}"
        if _is_range(dimension):
            kind, low, high, log = dimension
            assert low <= high and (low > 0 or not log), f"{task.kind}: {name!r} from {low} to {high}"
            assert kind == "float" or (low, high) == (int(low), int(high)), f"{task.kind}: {name!r} is not whole"
    train, y, new, _ = split(*made_up(task))
    for corner in (0, 1):
        drawn = {n: d[1 + corner] if _is_range(d) else d[-corner] for n, d in space.items()}
        assert json.loads(json.dumps(drawn)) == drawn, f"{task.kind}: a proposal is not plain JSON"
        model = family.make({**base, **drawn}).fit(train, y, None, FitContext(task, rounds=5))
        _well_formed(task, model.predict(new), len(new))


def _is_range(dimension: Any) -> bool:
    return isinstance(dimension, tuple) and len(dimension) == 4 and dimension[0] in ("float", "int")


def through_disk(parts: Parts) -> Parts:
    """Parts after a way through JSON text, .npy bytes without objects, and file bytes."""
    arrays = {}
    for name, array in parts.arrays.items():
        file = io.BytesIO()
        np.save(file, array, allow_pickle=False)
        arrays[name] = np.load(io.BytesIO(file.getvalue()), allow_pickle=False)
    assert all(isinstance(b, bytes) for b in parts.files.values()), "files of parts are bytes"
    return Parts(json.loads(json.dumps(parts.json, allow_nan=False)), arrays, dict(parts.files))


def _well_formed(task: Task, answers: np.ndarray, rows: int) -> None:
    shape = (rows, task.n_classes) if task.kind == "multiclass" else (rows,)
    assert answers.shape == shape, f"{task.kind}: answers of shape {answers.shape}, not {shape}"
    assert answers.dtype == np.float64, f"{task.kind}: answers of type {answers.dtype}"
    assert np.isfinite(answers).all(), f"{task.kind}: answers that are missing or infinite"
    if task.kind != "regression":
        assert ((answers >= 0) & (answers <= 1)).all(), f"{task.kind}: probabilities outside 0 to 1"
    if task.kind == "multiclass":
        assert np.allclose(answers.sum(axis=1), 1, atol=1e-9), "multiclass: probabilities do not add up to one"
