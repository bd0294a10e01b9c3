"""Pieces: a line in them is numpy.interp, and a fit with them bends."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from holdgood.core.errors import BundleError
from holdgood.core.frame import Matrix
from holdgood.core.protocols import FitContext, Parts
from holdgood.core.task import Task
from holdgood.models.tabular.linear import Linear
from holdgood.models.tabular.piecewise import Pieces


def test_a_line_in_the_pieces_is_an_interpolation():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(500, 2))
    pieces = Pieces.learn(x, 8, 100)
    rises = rng.normal(size=len(pieces))
    wanted = np.zeros(500)
    for j in range(2):
        own = pieces.column == j
        edges = np.append(pieces.low[own], pieces.low[own][-1] + pieces.width[own][-1])
        wanted += np.interp(x[:, j], edges, np.concatenate([[0.0], np.cumsum(rises[own])]))
    assert np.abs(pieces.of(x) @ rises - wanted).max() < 1e-9
    counts = [np.sum((x[:, 0] > a) & (x[:, 0] <= a + w)) for a, w in zip(pieces.low[:8], pieces.width[:8])]
    assert min(counts) > 50


def test_flags_and_constants_have_no_pieces_and_the_total_is_kept():
    rng = np.random.default_rng(1)
    x = np.column_stack([np.zeros(300), rng.integers(0, 2, 300), rng.normal(size=(300, 30))])
    pieces = Pieces.learn(x, 12, 100)
    assert set(pieces.column) == set(range(2, 32))
    assert len(pieces) <= 100
    assert len(Pieces.learn(x, 12, 50)) == 0
    few = Pieces.learn(np.tile(np.arange(5.0), 20)[:, None], 12, 100)
    assert few.low.tolist() == [0, 1, 2, 3] and few.width.tolist() == [1, 1, 1, 1]


@settings(max_examples=30, deadline=None)
@given(x=hnp.arrays(np.float64, st.tuples(st.integers(1, 30), st.just(3)), elements=st.floats(-10, 10)))
def test_any_row_alone_has_the_same_bits(x):
    pieces = Pieces.learn(np.random.default_rng(0).normal(size=(60, 3)), 7, 99)
    together = pieces.of(x)
    assert np.array_equal(together, np.concatenate([pieces.of(x[i : i + 1].copy()) for i in range(len(x))]))
    assert ((together >= 0) & (together <= 1)).all()


def test_a_spline_bends_where_a_line_cannot(task):
    rng = np.random.default_rng(3)
    x = rng.uniform(-3, 3, (3000, 2))
    signal = np.abs(x[:, 0]) + np.sin(2 * x[:, 1])
    y = {
        "regression": signal,
        "binary": (signal > 1.5).astype(float),
        "multiclass": np.digitize(signal, [0.8, 1.5, 2.2]).astype(float),
    }[task.kind]
    train, new = Matrix(x[:2000], ("a", "b")), Matrix(x[2000:].copy(), ("a", "b"))

    def loss(model):
        answers = model.fit(train, y[:2000], None, FitContext(task)).predict(new)
        truth = y[2000:]
        if task.kind == "regression":
            return np.mean((answers - truth) ** 2)
        hit = (
            np.where(truth == 1, answers, 1 - answers) if answers.ndim == 1 else answers[range(1000), truth.astype(int)]
        )
        return -np.mean(np.log(np.maximum(hit, 1e-15)))

    assert loss(Linear(pieces=12)) < 0.5 * loss(Linear())


def test_scale_of_the_pieces_is_in_the_coefficients():
    task = Task(kind="regression")
    rng = np.random.default_rng(4)
    x = rng.normal(size=(400, 3))
    y = np.abs(x[:, 0]) + x[:, 1]
    model = Linear(strength=10.0, pieces=6).fit(Matrix(x, tuple("abc")), y, None, FitContext(task))
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    wanted = np.hstack([z, model.pieces.of(z)]) @ model.coefficients[0] + model.intercept[0]
    assert np.abs(model.predict(Matrix(x, tuple("abc"))) - wanted).max() < 1e-9
    assert np.mean((wanted - y) ** 2) < 0.02


def test_models_of_before_have_no_pieces_and_damaged_ones_are_refused(make_rows):
    task = Task(kind="regression")
    matrix, y = make_rows(task)
    plain = Linear().fit(matrix, y, None, FitContext(task)).to_parts()
    assert not [n for n in plain.arrays if n.startswith("piece")]
    parts = Linear(pieces=5).fit(matrix, y, None, FitContext(task)).to_parts()
    for name, array in (
        ("piece_column", np.full(len(parts.arrays["piece_low"]), 99)),
        ("piece_low", np.zeros(2)),
        ("piece_width", -parts.arrays["piece_width"]),
        ("piece_column", parts.arrays["piece_column"].astype(float)),
    ):
        with pytest.raises(BundleError):
            Linear.from_parts(Parts(parts.json, parts.arrays | {name: array}))
