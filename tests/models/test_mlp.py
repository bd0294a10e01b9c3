"""MLP: bits, parity with JAX, rounds, the clock, shared compilations, scoring without JAX."""

import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdgood.core.errors import BundleError, DataError
from holdgood.core.frame import Matrix
from holdgood.core.protocols import FitContext, Parts
from holdgood.core.task import Task
from holdgood.models.tabular import mlp_training
from holdgood.models.tabular.mlp import Mlp, MlpFamily
from holdgood.models.tabular.mlp_network import Network
from holdgood.models.tabular.piecewise import Pieces
from holdgood.models.tabular.standard import moments, standardised

BINARY = Task(kind="binary", classes=(0, 1))
# as in test_families, so that both share JAX's compilations
SMALL = {"members": 4, "width": 32, "pieces": 4, "epochs": 12}


def _network(rng, members, inputs, width, outputs):
    def drawn(*shape):
        return rng.normal(size=shape).astype(np.float32)

    return Network(
        drawn(members, inputs),
        drawn(inputs, width),
        drawn(width),
        drawn(width, width),
        drawn(width),
        drawn(members, outputs, width),
        drawn(members, outputs),
    )


@settings(max_examples=25, deadline=None)
@given(
    members=st.integers(1, 9),
    inputs=st.integers(1, 700),
    width=st.sampled_from([1, 7, 64, 130]),
    outputs=st.integers(1, 4),
    seed=st.integers(0, 99),
)
def test_any_row_alone_has_the_same_bits(members, inputs, width, outputs, seed):
    rng = np.random.default_rng(seed)
    network = _network(rng, members, inputs, width, outputs)
    x = rng.normal(size=(23, inputs)).astype(np.float32)
    kind = "multiclass" if outputs > 1 else "binary"
    together = network.answers(x, kind)
    assert np.array_equal(together, np.concatenate([network.answers(x[i : i + 1].copy(), kind) for i in range(23)]))
    assert np.array_equal(together[5:16], network.answers(x[5:16].copy(), kind))


def test_scores_are_the_plain_sums():
    rng = np.random.default_rng(0)
    n = _network(rng, 4, 300, 40, 3)
    x = rng.normal(size=(5, 300)).astype(np.float32)
    for i in range(5):
        shares = []
        for m in range(4):
            a = np.maximum((x[i] * n.adapter[m]).astype(float) @ n.first.astype(float) + n.first_bias, 0)
            a = np.maximum(a @ n.second.astype(float) + n.second_bias, 0)
            raw = n.head[m].astype(float) @ a + n.head_bias[m]
            shares.append(np.exp(raw - raw.max()) / np.exp(raw - raw.max()).sum())
        assert np.abs(n.answers(x, "multiclass")[i] - np.mean(shares, axis=0)).max() < 1e-3


def test_importing_and_scoring_need_no_jax(tmp_path):
    network = _network(np.random.default_rng(0), 2, 3, 8, 1)
    arrays = {"center": np.zeros(3), "unit": np.ones(3), "scale": np.array([0.0, 1.0, -1e9, 1e9])}
    np.savez(tmp_path / "parts.npz", **arrays, **network.to_arrays())
    script = f"""
import sys
import tracemalloc
sys.modules["jax"] = sys.modules["optax"] = None
import numpy as np
from holdgood.core.frame import Matrix
from holdgood.core.protocols import Parts
from holdgood.models.tabular.mlp import FAMILY, Mlp
arrays = dict(np.load(r"{tmp_path / "parts.npz"}"))
model = Mlp.from_parts(Parts({{"kind": "regression"}}, arrays))
assert np.isfinite(model.predict(Matrix(np.ones((2, 3)), ("a", "b", "c")))).all()
"""
    subprocess.run([sys.executable, "-c", script], check=True)


def test_damaged_and_unfitted():
    with pytest.raises(DataError):
        Mlp().predict(Matrix(np.zeros((1, 1)), ("a",)))
    with pytest.raises(DataError):
        Mlp().to_parts()
    network = _network(np.random.default_rng(0), 2, 3, 8, 1)
    arrays = {"center": np.zeros(3), "unit": np.ones(3), "scale": np.array([0.0, 1.0, -1.0, 1.0])}
    arrays |= network.to_arrays()
    Mlp.from_parts(Parts({"kind": "regression"}, arrays))
    for name, array in (
        ("center", np.zeros(4)),
        ("unit", np.full(3, np.nan)),
        ("scale", np.zeros(2)),
        ("adapter", np.zeros((2, 5), np.float32)),
        ("first", np.zeros((3, 8))),
        ("second", np.full((8, 8), np.inf, np.float32)),
        ("head", np.zeros((2, 2, 8), np.float32)),
        ("head_bias", np.zeros((2, 2), np.float32)),
    ):
        with pytest.raises(BundleError):
            Mlp.from_parts(Parts({"kind": "regression"}, arrays | {name: array}))
    with pytest.raises(BundleError):
        Mlp.from_parts(Parts({"kind": "nonsense"}, arrays))


class TestTraining:
    """What needs the extra ``deep``."""

    @pytest.fixture(autouse=True)
    def _needs_the_extra(self):
        pytest.importorskip("jax", reason="the extra deep is not installed")
        pytest.importorskip("optax", reason="the extra deep is not installed")

    def test_early_stopping_rounds_and_the_clock(self, make_rows):
        matrix, y = make_rows(BINARY)
        stop = np.arange(0, 500, 5)
        early = Mlp(**SMALL).fit(matrix, y, None, FitContext(BINARY, stop_rows=stop))
        assert 1 <= early.rounds <= 12
        given = Mlp(**SMALL).fit(matrix, y, None, FitContext(BINARY, stop_rows=stop, rounds=4))
        assert (given.rounds, given.finished) == (4, 1.0)
        none = Mlp(**SMALL).fit(matrix, y, None, FitContext(BINARY, seconds=0.0))
        assert (none.rounds, none.finished) == (0, 0.0)
        assert np.abs(none.predict(matrix) - y.mean()).max() < 1e-6

    def test_where_time_is_short_the_schedule_is_and_a_refit_has_the_same(self, make_rows, monkeypatch):
        clock, real = [0.0], mlp_training._order

        def later(*given):
            clock[0] += 1.0
            return real(*given)

        monkeypatch.setattr(mlp_training, "_order", later)
        monkeypatch.setattr(mlp_training.time, "monotonic", lambda: clock[0])
        matrix, y = make_rows(BINARY)
        stop = np.arange(0, 500, 5)
        short = Mlp(**SMALL | {"epochs": 100}).fit(matrix, y, None, FitContext(BINARY, stop_rows=stop, seconds=6.0))
        assert short.hurried
        assert short.rounds <= short.hints["epochs"] < 12
        assert short.finished == 1.0
        whole = Mlp(**SMALL).fit(matrix, y, None, FitContext(BINARY, stop_rows=stop))
        assert (whole.hurried, whole.hints["epochs"]) == (False, SMALL["epochs"])
        refit = Mlp(**SMALL | {"epochs": 100})
        refit.hints = dict(short.hints)
        refit.fit(matrix, y, None, FitContext(BINARY, rounds=short.rounds))
        assert refit.hints["epochs"] == max(short.rounds, short.hints["epochs"])

    def test_stop_rows_are_not_learned_from(self, make_rows):
        matrix, y = make_rows(BINARY, n=400)
        stop = np.arange(0, 400, 4)
        other = matrix.values.copy()
        other[stop] = np.random.default_rng(1).normal(size=(100, 6))
        settings = SMALL | {"epochs": 1}  # one epoch: there is nothing to choose by the stop rows
        a, b = (
            Mlp(**settings).fit(Matrix(v, matrix.names), y, None, FitContext(BINARY, stop_rows=stop))
            for v in (matrix.values, other)
        )
        assert a.rounds == b.rounds == 1
        assert np.array_equal(a.center, b.center)
        assert np.array_equal(a.network.adapter, b.network.adapter)

    def test_a_bend_and_an_interaction_are_learned(self):
        task = Task(kind="regression")
        rng = np.random.default_rng(0)
        x = rng.normal(size=(900, 4))
        y = np.abs(x[:, 0]) + x[:, 1] * x[:, 2]
        names = tuple("abcd")
        context = FitContext(task, stop_rows=np.arange(0, 600, 6))
        model = Mlp(**SMALL | {"epochs": 80, "learning_rate": 0.005}).fit(
            Matrix(x[:600], names), y[:600], None, context
        )
        error = np.mean((model.predict(Matrix(x[600:].copy(), names)) - y[600:]) ** 2)
        assert error < 0.4 * np.var(y[600:])

    def test_folds_share_one_compilation(self, make_rows):
        matrix, y = make_rows(BINARY, n=410)
        settings = SMALL | {"width": 17, "epochs": 1}
        for rows in (301, 333, 410):
            model = Mlp(**settings)
            model.fit(matrix.take(np.arange(rows)), y[:rows], None, FitContext(BINARY))
        epoch, _, _ = mlp_training.compiled(model._settings(BINARY, 405))
        assert epoch._cache_size() == 1

    def test_numpy_that_does_not_answer_as_jax_did_is_not_saved(self, task, make_rows):
        matrix, y = make_rows(task)
        model = Mlp(**SMALL).fit(matrix, y, None, FitContext(task, rounds=2))
        model.to_parts()
        model.network.second_bias[:] += 0.01
        with pytest.raises(BundleError, match="JAX"):
            model.to_parts()

    def test_the_environment_is_left_as_it_was(self, make_rows, monkeypatch):
        import os

        monkeypatch.setenv("XLA_FLAGS", "")
        monkeypatch.delenv("NPROC", raising=False)
        matrix, y = make_rows(BINARY)
        Mlp(**SMALL).fit(matrix, y, None, FitContext(BINARY, rounds=1))
        assert os.environ["XLA_FLAGS"] == "" and "NPROC" not in os.environ


def test_the_family_says_what_it_needs():
    assert (MlpFamily.library, MlpFamily.extra) == ("optax", "deep")


def test_inputs_are_made_block_by_block_to_the_bit_and_take_little_memory_beside_themselves():
    values = np.random.default_rng(0).normal(3.0, 2.0, (20_000, 50))
    values[::7, 3] = np.nan
    model = Mlp()
    model.center, model.unit = moments(values)
    z = standardised(values, model.center, model.unit)
    model.pieces = Pieces.learn(z, 8, 512)
    whole = np.hstack([z / np.sqrt(1.0 + np.square(z / 3.0)), model.pieces.of(z)]).astype(np.float32)
    tracemalloc.start()
    made = model._inputs(values)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(model.pieces)
    assert np.array_equal(made, whole)
    assert peak < 3 * made.nbytes
