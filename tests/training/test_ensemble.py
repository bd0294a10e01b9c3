from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from holdgood.core.chain import Chain
from holdgood.core.errors import BundleError, DataError
from holdgood.core.protocols import FitContext, Parts
from holdgood.training import Ensemble


@pytest.fixture
def fitted(make_data, families):
    frame, y, task = make_data()
    chains = [Chain.of(c).fit(frame, y, None, FitContext(task)) for c in families(task, "prior", "linear", "lightgbm")]
    return frame, chains


def test_predictions_are_the_weighted_mean_and_a_row_does_not_see_its_neighbours(fitted):
    frame, chains = fitted
    ensemble = Ensemble(chains, [0.2, 0.3, 0.5])
    all_rows = ensemble.predict(frame)
    expected = np.average([c.predict(frame) for c in chains], axis=0, weights=[0.2, 0.3, 0.5])
    assert np.allclose(all_rows, expected, rtol=1e-14)
    for i in (0, 7, 399):
        assert ensemble.predict(frame.take(np.array([i])))[0] == all_rows[i]


def test_what_is_rebuilt_from_its_parts_predicts_the_same_bits(fitted):
    frame, chains = fitted
    ensemble = Ensemble(chains, [0.25, 0.25, 0.5])
    rebuilt = Ensemble.from_parts(ensemble.to_parts())
    assert rebuilt.weights == ensemble.weights
    assert (rebuilt.predict(frame) == ensemble.predict(frame)).all()


@pytest.mark.parametrize(
    "weights", [[], [1.0], [0.5, 0.6, 0.1], [0.5, 0.5, 0.0], [2.0, -0.5, -0.5], [float("nan")] * 3]
)
def test_weights_that_make_no_mean_are_refused(fitted, weights):
    with pytest.raises(DataError):
        Ensemble(fitted[1], weights)


@pytest.mark.parametrize(
    "damage",
    [
        lambda j: j.pop("weights"),
        lambda j: j["weights"].append(0.1),
        lambda j: j["weights"].__setitem__(0, "a"),
        lambda j: j["weights"].__setitem__(0, 9.0),
        lambda j: j["parts"].pop("model-1"),
        lambda j: j["parts"].__setitem__("model-1", {"part": "prior"}),
        lambda j: j["parts"].__setitem__("encoder-1", j["parts"]["model-0"]),
        lambda j: j["of"].__setitem__(1, 7),
        lambda j: j["of"].__setitem__(1, -1),
        lambda j: j["of"].pop(),
        lambda j: j.pop("of"),
        lambda j: j.__setitem__("weights", [0.0] * 1000),
    ],
)
def test_a_damaged_bundle_is_refused(fitted, damage):
    parts = Ensemble(fitted[1], [0.2, 0.3, 0.5]).to_parts()
    damage(parts.json)
    with pytest.raises(BundleError):
        Ensemble.from_parts(Parts(parts.json, parts.arrays, parts.files))


def test_equal_encoders_are_kept_and_run_once(fitted, monkeypatch):
    frame, chains = fitted
    again = Chain.from_parts(chains[2].to_parts())
    ensemble = Ensemble([*chains, again], [0.1, 0.2, 0.3, 0.4])
    assert ensemble.of == (0, 1, 0, 0)
    assert len(ensemble.encoders) == 2
    expected = np.average([c.predict(frame) for c in [*chains, again]], axis=0, weights=[0.1, 0.2, 0.3, 0.4])
    calls = []
    real = type(ensemble.encoders[0]).transform
    monkeypatch.setattr(type(ensemble.encoders[0]), "transform", lambda self, f: calls.append(1) or real(self, f))
    assert np.allclose(ensemble.predict(frame), expected, rtol=1e-13)
    assert len(calls) == 1
    assert [c.model for c in ensemble.members] == list(ensemble.models)


def test_serving_an_ensemble_loads_no_trainer():
    code = "import sys, holdgood.training.ensemble; print([m for m in ('loky', 'sklearn', 'lightgbm', 'pandas', 'scipy') if m in sys.modules])"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )
