"""The contract of a transformer: learns from training rows alone, scores rows one by one, and survives being saved."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from holdgood.core.frame import Feature, Frame, Matrix
from holdgood.core.protocols import FitContext, Parts, Transformer
from holdgood.core.task import Task

Make = Callable[[], Transformer]

BINARY = Task(kind="binary", classes=(False, True))
MULTICLASS = Task(kind="multiclass", classes=("a", "b", "c"))
REGRESSION = Task(kind="regression", metric="rmse")
_WORDS = ("pump", "seal", "leaks", "noise", "bearing", "hot", "ok", "réparé", "交换", "42", "!")


def sample(rows: int = 240, seed: int = 0) -> Frame:
    """A small frame with every kind of column: gaps, few and many levels, texts, a constant, a column with nothing in it."""
    draw = np.random.default_rng(seed)
    number = draw.normal(size=rows)
    number[draw.random(rows) < 0.1] = np.nan
    skewed = np.exp(draw.normal(size=rows) * 3) * draw.choice([-1.0, 1.0], rows)
    few = _objects([None if v == 3 else f"level {v}" for v in draw.integers(0, 4, rows)])
    many = _objects([None if v == 0 else f"ürün {v}" for v in draw.integers(0, 90, rows)])
    texts = _objects(
        [" ".join(draw.choice(_WORDS, draw.integers(0, 9))) if draw.random() > 0.05 else None for _ in range(rows)]
    )
    columns = {
        "number": ("number", number),
        "skewed": ("number", skewed),
        "constant": ("number", np.ones(rows)),
        "nothing": ("number", np.full(rows, np.nan)),
        "few": ("category", few),
        "many": ("category", many),
        "single": ("category", _objects(["only"] * rows)),
        "no category": ("category", _objects([None] * rows)),
        "as text": ("category", _objects([str(v) for v in draw.integers(0, 7, rows)])),
        "text": ("text", texts),
        "empty text": ("text", _objects([""] * rows)),
    }
    features = tuple(Feature(name, kind, (f"table.{name}",)) for name, (kind, _) in columns.items())  # type: ignore[arg-type]
    return Frame(features, tuple(values for _, values in columns.values()))


def outcome(task: Task, rows: int = 240, seed: int = 1) -> np.ndarray:
    """An outcome for the sample: float64 of shape (rows,)."""
    draw = np.random.default_rng(seed)
    if task.kind == "regression":
        return draw.normal(1e6, 3.0, rows)
    return draw.integers(0, max(2, task.n_classes), rows).astype(np.float64)


def check_transformer(make: Make) -> None:
    """Run the whole contract for each kind of task; AssertionError says what does not hold."""
    for task in (BINARY, MULTICLASS, REGRESSION):
        check_shape(make, task)
        check_deterministic(make, task)
        check_training_rows_only(make, task)
        check_row_by_row(make, task)
        check_round_trip(make, task)
        check_names(make, task)
        check_unseen(make, task)
    check_absent_class(make)


def check_shape(make: Make, task: Task = BINARY) -> None:
    """float64, C-contiguous, one row a row; the same names, codes and width at training and after."""
    encoder, frame = make(), sample()
    first = encoder.fit_transform(frame, outcome(task), FitContext(task))
    second = encoder.transform(frame.take(np.arange(7)))
    for matrix, rows in ((first, 240), (second, 7)):
        assert matrix.values.dtype == np.float64, f"a matrix of {matrix.values.dtype}, expected float64"
        assert matrix.values.flags.c_contiguous, "a matrix that is not C-contiguous"
        assert matrix.values.shape == (rows, len(matrix.names)), (
            f"shape {matrix.values.shape} for {rows} × {len(matrix.names)}"
        )
    assert first.names == second.names, "names change between fit_transform and transform"
    assert first.categorical == second.categorical, "code columns change between fit_transform and transform"
    assert len(set(first.names)) == len(first.names), "two columns of one name"
    for at in first.categorical:
        codes = first.values[:, at][~np.isnan(first.values[:, at])]
        assert np.array_equal(codes, np.floor(codes)), (
            f"column {first.names[at]!r} is flagged categorical and holds no codes"
        )
        assert (codes >= 0).all(), f"column {first.names[at]!r} holds codes below zero"


def check_deterministic(make: Make, task: Task = BINARY) -> None:
    """The same rows and seed give the same bits."""
    runs = []
    for _ in range(2):
        encoder = make()
        training = encoder.fit_transform(sample(), outcome(task), FitContext(task, seed=5))
        runs.append((training, encoder.transform(sample(60, seed=9))))
    _same(runs[0][0], runs[1][0], "training rows differ between two fits with one seed")
    _same(runs[0][1], runs[1][1], "other rows differ between two fits with one seed")


def check_training_rows_only(make: Make, task: Task = BINARY) -> None:
    """Transforming other rows, or the same ones, before and between changes nothing; nor does it change what it is given."""
    encoder, frame, y = make(), sample(), outcome(task)
    before = [a.copy() for a in frame.arrays]
    encoder.fit_transform(frame, y, FitContext(task))
    first = encoder.transform(sample(50, seed=3))
    for seed in (7, 8):
        encoder.transform(sample(80, seed=seed))
    _same(first, encoder.transform(sample(50, seed=3)), "transform learns from the rows that it is given")
    for feature, old, new in zip(frame.features, before, frame.arrays, strict=True):
        assert _equal(old, new), f"the values of {feature.name!r} were changed in place"


def check_row_by_row(make: Make, task: Task = BINARY) -> None:
    """A row alone, in a batch, and in a batch in another order gives the same bits."""
    encoder, other = make(), sample(300, seed=4)
    encoder.fit_transform(sample(), outcome(task), FitContext(task))
    batch = encoder.transform(other)
    for row in range(0, 300, 13):
        alone = encoder.transform(other.take(np.array([row])))
        _same(batch.take(np.array([row])), alone, f"row {row} alone differs from row {row} in a batch")
    turned = np.arange(300)[::-1]
    _same(batch.take(turned), encoder.transform(other.take(turned)), "rows depend on their order")


def check_round_trip(make: Make, task: Task = BINARY) -> None:
    """Through JSON and npy files (no objects) and back: the same bits."""
    encoder, other = make(), sample(70, seed=4)
    encoder.fit_transform(sample(), outcome(task), FitContext(task))
    rebuilt = type(encoder).from_parts(through_files(encoder.to_parts()))
    _same(encoder.transform(other), rebuilt.transform(other), "a saved and loaded transformer gives other values")  # type: ignore[attr-defined]


def check_names(make: Make, task: Task = BINARY) -> None:
    """Features of other names give the same values; features in another order are found by name."""
    frame, y = sample(), outcome(task)
    renamed = Frame(
        tuple(replace(f, name=f"x{len(frame.features) - i}") for i, f in enumerate(frame.features)), frame.arrays
    )
    one, two = make(), make()
    first, second = one.fit_transform(frame, y, FitContext(task)), two.fit_transform(renamed, y, FitContext(task))
    assert _equal(first.values, second.values), "values depend on the names of the features"
    turned = frame.select(reversed(frame.names))
    _same(one.transform(frame), one.transform(turned), "features in another order are not found by name")


def check_unseen(make: Make, task: Task = BINARY) -> None:
    """Levels never seen and rows with nothing in them pass; nothing infinite comes out."""
    encoder, frame = make(), sample()
    encoder.fit_transform(frame, outcome(task), FitContext(task))
    empty, new = [], []
    for feature in frame.features:
        number = feature.type == "number"
        empty.append(np.full(3, np.nan) if number else _objects([None] * 3))
        new.append(np.array([-1e12, 0.0, 1e12]) if number else _objects(["never seen", "", "κάτι άλλο"]))
    for arrays in (empty, new):
        values = encoder.transform(Frame(frame.features, tuple(arrays))).values
        assert not np.isinf(values).any(), "an infinite value comes out"


def check_absent_class(make: Make) -> None:
    """Training rows of one class alone are enough to encode."""
    for task in (BINARY, MULTICLASS):
        values = make().fit_transform(sample(), np.zeros(240), FitContext(task)).values
        assert not np.isinf(values).any(), f"{task.kind} rows of one class give infinite values"


def through_files(parts: Parts) -> Parts:
    """What comes back from disk: JSON text without NaN, npy without objects, bytes."""
    arrays = {}
    for name, array in parts.arrays.items():
        file = io.BytesIO()
        np.save(file, array, allow_pickle=False)
        arrays[name] = np.load(io.BytesIO(file.getvalue()), allow_pickle=False)
    return Parts(json.loads(json.dumps(parts.json, allow_nan=False)), arrays, dict(parts.files))


def _objects(values: list[str | None]) -> np.ndarray:
    out = np.empty(len(values), dtype=object)
    out[:] = values
    return out


def _equal(a: np.ndarray, b: np.ndarray) -> bool:
    if a.dtype == object:
        return bool(a.tolist() == b.tolist())
    return a.shape == b.shape and a.tobytes() == b.tobytes()


def _same(a: Matrix, b: Matrix, what: str) -> None:
    assert a.names == b.names, f"{what}: names differ"
    if not _equal(a.values, b.values):
        differs = ~((a.values == b.values) | (np.isnan(a.values) & np.isnan(b.values)))
        columns = [a.names[i] for i in np.flatnonzero(differs.any(axis=0))[:5]]
        raise AssertionError(f"{what}: {int(differs.sum())} cells, in {columns}")
